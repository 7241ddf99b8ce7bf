import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { cleanEnv, root } from '../setup/checkout.js';

const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;

/** A project of a reader, which has this package (dist/, as users get it). It is removed after the tests of the file. */
export interface Project {
  folder: string;
  at(file: string): string;
  write(file: string, text: string): void;
  /** Runs a file under tsx, within the project; files of the project by their names. */
  run(file: string, ...args: string[]): { status: number | null; stdout: string; stderr: string };
}

export function makeProject(name: string): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${name}-`)));
  afterAll(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'node-tensorrt'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return {
    folder,
    at: (file) => join(folder, file),
    write: (file, text) => writeFileSync(join(folder, file), text),
    run: (file, ...args) =>
      spawnSync(process.execPath, ['--import', tsx, file, ...args], {
        cwd: folder,
        env: cleanEnv({ NODE_TENSORRT_CACHE: process.env.NODE_TENSORRT_CACHE }),
        encoding: 'utf8',
      }),
  };
}
