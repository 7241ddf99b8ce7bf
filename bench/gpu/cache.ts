// cache.ts: weights to first inference, with an engine that is built and with one from the cache, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadWeights, type Network } from 'node-tensorrt';
import { bert } from '../../examples/bert/network.js';
import { resnet } from '../../examples/resnet50/network.js';
import type { Precision } from '../../examples/run.js';
import { median } from './measure.js';
import { section, work } from './report.js';

const folder = join(work, 'cache-bench');
const weightsOf = (name: string) => join(work, 'models', name, 'weights.safetensors');

interface Case {
  weights: string;
  make(weights: Awaited<ReturnType<typeof loadWeights>>, config: never, precision: Precision): Network;
  profile: Record<string, [number, number, number]>;
  feeds: Record<string, { shape: number[]; data: Float32Array | Int32Array }>;
}

const tokens = (value: number) => ({ shape: [1, 64], data: new Int32Array(64).fill(value) });
const cases: Record<string, Case> = {
  'ResNet-50': {
    weights: weightsOf('resnet50'),
    make: resnet,
    profile: { batch: [1, 1, 1] },
    feeds: { image: { shape: [1, 3, 224, 224], data: new Float32Array(3 * 224 * 224).fill(0.5) } },
  },
  'BERT-base': {
    weights: weightsOf('bert'),
    make: bert,
    profile: { batch: [1, 1, 1], tokens: [64, 64, 64] },
    feeds: { input_ids: tokens(7), attention_mask: tokens(1), token_type_ids: tokens(0) },
  },
};

interface Times {
  fromCache: boolean;
  /** From opening the weights to the engine, in ms. */
  engineMs: number;
  /** From opening the weights to the first outputs, in ms. */
  firstMs: number;
}

async function once(name: string): Promise<Times> {
  const { weights, make, profile, feeds } = cases[name]!;
  const began = performance.now();
  const w = await loadWeights(weights);
  const net = make(w, JSON.parse(w.metadata.get('config')!) as never, 'float32');
  using engine = await net.build({ cache: folder, profiles: [profile], tf32: false });
  const engineMs = performance.now() - began;
  await engine.run(feeds);
  return { fromCache: engine.fromCache, engineMs, firstMs: performance.now() - began };
}

function inProcess(name: string): Times {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--one', name];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Times;
}

const hits = 5;

if (process.argv[2] === '--one') console.log(JSON.stringify(await once(process.argv[3]!)));
else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const add = await section('cache', {
    title: 'The cache',
    note: `Float32, batch 1: from opening the file of weights to the first outputs, every time in a new process that has loaded this package. Built once, without a timing cache; median of ${hits} from the cache. The hash of the weights is known from the second on, which is not counted.`,
    head: ['network', 'built, s', 'from the cache, s', 'engine alone, s', 'ratio', 'goal', 'met'],
  });
  for (const name of Object.keys(cases)) {
    if (!existsSync(cases[name]!.weights)) {
      console.log(`${name}: no ${cases[name]!.weights}`);
      process.exitCode = 1;
      continue;
    }
    const built = inProcess(name);
    if (built.fromCache) throw new Error(`${name} was in an empty cache`);
    inProcess(name);
    const found = Array.from({ length: hits }, () => inProcess(name));
    if (!found.every(({ fromCache }) => fromCache)) throw new Error(`${name} was not in the cache`);
    const first = median(found.map(({ firstMs }) => firstMs));
    const engine = median(found.map(({ engineMs }) => engineMs));
    const ratio = built.firstMs / first;
    const s = (ms: number) => (ms / 1000).toFixed(2);
    add(name, s(built.firstMs), s(first), s(engine), ratio.toFixed(1), '≥ 20', ratio >= 20 ? 'yes' : 'no');
  }
}
