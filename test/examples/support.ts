import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

export interface Stored {
  shape: number[];
  data: Float32Array | Int32Array;
}

interface SafeTensorFile {
  metadata: Map<string, { dtype: string; shape: number[] }>;
  getTensor(name: string): Uint8Array;
}

/** A safetensors file of F32 and I32 tensors, read by the npm package `safetensors`, which this project did not write. */
export function readSafetensors(path: string): Record<string, Stored> {
  const { SafeTensor } = require('safetensors') as { SafeTensor: new (bytes: Uint8Array) => SafeTensorFile };
  const file = new SafeTensor(new Uint8Array(readFileSync(path)));
  return Object.fromEntries(
    Array.from(file.metadata, ([name, { dtype, shape }]) => {
      const { buffer } = file.getTensor(name).slice();
      if (dtype !== 'F32' && dtype !== 'I32') throw new Error(`${name} is ${dtype}`);
      return [name, { shape, data: dtype === 'F32' ? new Float32Array(buffer) : new Int32Array(buffer) }];
    }),
  );
}

/** Lines that an example prints to stdout when run like its npm script, after set-up. */
export async function runExample(path: string, args: string[]): Promise<string[]> {
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', example(path), ...args], (error, out, err) =>
      error ? reject(new Error(`${error.message}\n${err}`)) : resolve(out),
    );
  });
  return stdout.trimEnd().split('\n');
}

/** Lines of an example's file that are neither blank, nor comments only. */
export const linesOf = (path: string): number =>
  readFileSync(example(path), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length;

/** What the table of the examples says of one. */
export const linesInTable = (name: string): string | undefined =>
  readFileSync(example('README.md'), 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| [${name}](${name}/network.ts)`))
    ?.split('|')[3]
    ?.trim();
