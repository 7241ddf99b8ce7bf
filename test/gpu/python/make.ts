// Writes what load_plugin_engine.py runs: node --import tsx test/gpu/python/make.ts FOLDER
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { float16, float32, network } from 'node-tensorrt';
import { rmsNorm } from '../../../examples/plugins/rms-norm.js';
import { selectRows } from '../../../examples/plugins/select-rows.js';
import { root } from '../../setup/checkout.js';

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
const tokens = float16('batch', 'tokens', 1032);
const norm = network('rms-norm', { x: tokens, residual: tokens, weight: float16(1032) });
const [x, residual, weight] = norm.inputs as [never, never, never];
for (const [name, tensor] of Object.entries(norm.plugin(rmsNorm, { x, residual, weight }, { eps: 1e-5 })))
  tensor.output(name);
using first = await norm.build({ profiles: [{ batch: [1, 2, 8], tokens: [1, 5, 64] }] });
await first.save(join(folder, 'rms-norm.plan'));

const select = network('select-rows', { rows: float32('n', 5), scores: float32('n') });
const [rows, scores] = select.inputs as [never, never];
for (const [name, tensor] of Object.entries(select.plugin(selectRows, { rows, scores }, { threshold: 0.5 })))
  tensor.output(name);
using second = await select.build({ profiles: [{ n: [1, 257, 100_000] }] });
await second.save(join(folder, 'select-rows.plan'));

const modules = ['rms-norm', 'select-rows'].map((name) => join(root, 'examples', 'plugins', `${name}.ts`));
const cli = ['--import', 'tsx', join(root, 'dist', 'cli', 'main.js'), 'plugins', 'library', ...modules];
execFileSync(process.execPath, [...cli, '-o', join(folder, 'libmy_plugins.so')], { stdio: 'inherit' });
