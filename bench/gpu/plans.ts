// plans.ts ID…: builds the engines of the figures that are not yet there, each in a process of its own.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { float32, loadWeights, network } from 'node-tensorrt';
import { decoder } from '../../examples/gpt2/decoder.js';
import { cells, inputOfCell, inputsOfCell, networkOfCell, type Precision, planOfCell, readDecoding } from './cells.js';
import { work } from './report.js';
import { spin } from './spin.js';

async function buildCell(id: string): Promise<void> {
  const cell = cells.find((one) => one.id === id)!;
  const net = await networkOfCell(cell);
  const [n, data] = [cell.batch, inputOfCell(cell)];
  using engine = await net.build({ profiles: [{ batch: [n, n, n] }], tf32: false });
  writeFileSync(inputsOfCell(cell), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await engine.save(planOfCell(cell));
}

/** GPT-2 small with random weights, of examples/gpt2/reference.py --full. */
async function buildDecoder(precision: Precision, part: 'step' | 'prefill', path: string): Promise<void> {
  const weights = await loadWeights(join(work, 'models', 'gpt2', 'weights.safetensors'));
  const config = JSON.parse(weights.metadata.get('config')!);
  const prefill = part === 'prefill';
  const { length, prompt } = readDecoding();
  const net = decoder(weights, config, precision, { length, tokens: prefill ? 'tokens' : 1 });
  const profiles = prefill ? [{ tokens: [1, prompt.length, prompt.length] as const }] : undefined;
  using engine = await net.build({ profiles, tf32: false });
  await engine.save(path);
}

async function buildSpin(path: string): Promise<void> {
  const net = network('spin', { x: float32(1) });
  net.plugin(spin, { x: net.tensor() }).y.output('y');
  using engine = await net.build();
  writeFileSync(join(work, 'spin.inputs'), new Uint8Array(4));
  await engine.save(path);
}

async function build(id: string): Promise<void> {
  const path = join(work, `${id}.plan`);
  const [name, precision, part] = id.split('-');
  if (name === 'gpt2') await buildDecoder(precision as Precision, part as 'step' | 'prefill', path);
  else if (name === 'spin') await buildSpin(path);
  else await buildCell(id);
}

/** Builds what is missing, six at a time. */
async function buildAll(ids: readonly string[]): Promise<void> {
  const missing = ids.filter((id) => !existsSync(join(work, `${id}.plan`)));
  const failed: string[] = [];
  const one = async (id: string) => {
    const start = performance.now();
    const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--one', id], {
      stdio: 'inherit',
    });
    const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
    console.log(
      `${id}: ${status === 0 ? 'built' : `ended with ${status}`}, ${Math.round(performance.now() - start)} ms`,
    );
    if (status !== 0) failed.push(id);
  };
  await Promise.all(
    Array.from({ length: Math.min(6, availableParallelism()) }, async () => {
      for (let id = missing.shift(); id; id = missing.shift()) await one(id);
    }),
  );
  if (failed.length > 0) process.exitCode = 1;
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--one') await build(rest[0]!);
else await buildAll(process.argv.slice(2));
