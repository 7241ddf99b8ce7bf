import { deviceTensor, type Feeds, float32, hostTensor } from '../src/index.js';
import {
  binding,
  type Handle,
  type NativeBinding,
  type NativeIO,
  type NativeOutputs,
} from '../src/tensorrt/binding.js';
import { Engine } from '../src/tensorrt/run/engine.js';
import type { RunSyncOptions } from '../src/tensorrt/run/run-options.js';

// What a call costs in JavaScript: `run` with each kind of feed next to `run` of a binding, over an addon that does nothing.

const size = 28 * 28;
const handle = () => ({}) as Handle;
const outputs: NativeOutputs = [{ shape: [1, 10] }];
const withData = (): NativeOutputs => [{ shape: [1, 10], data: new ArrayBuffer(40) }];

const nothing: Partial<NativeBinding> = {
  createContext: async () => ({ handle: handle(), memorySize: 0 }),
  run: async (_, io) => (io[1] === undefined ? withData() : outputs),
  runSync: (_, io) => (io[1] === undefined ? withData() : outputs),
  bind: handle,
  outputShapes: () => [[1, 10]],
  runBound: async () => undefined,
  runBoundSync: () => undefined,
  capture: async () => handle(),
  launch: async () => {},
  launchSync: () => {},
  deviceTensor: handle,
  hostTensor: (bytes) => ({ handle: handle(), data: new ArrayBuffer(bytes), pinned: true }),
  hostMemory: () => ({ pinned: 0, cached: 0, limit: 0 }),
  release: async () => {},
};

const io = (name: string, input: boolean, shape: number[], profiles: NativeIO['profiles'] = []): NativeIO => ({
  ...{ name, input, shape, dtype: 'float32', host: false, alias: -1, format: 'linear', profiles, values: [] },
});

function engine(batch: number | string): Engine {
  const sizes = (n: number) => [n, 1, 28, 28];
  const least = typeof batch === 'number' ? batch : 1;
  const n = typeof batch === 'number' ? batch : -1;
  return new Engine({
    library: { path: '/none', flavor: 'trt10', version: '10.6.0' },
    plan: handle(),
    size: 1,
    inputs: [{ name: 'x', dtype: 'float32', shape: [batch, 1, 28, 28] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [batch, 10] }],
    loaded: {
      handle: handle(),
      io: [io('x', true, sizes(n), [[sizes(least), sizes(least), sizes(8)]]), io('y', false, [n, 10])],
      ...{ profiles: 1, flavor: 'trt10', version: '10.6.0', memorySizes: [0] },
    },
  });
}

interface Case {
  name: string;
  /** Makes so many calls. */
  repeat: (calls: number) => Promise<void> | void;
}

const awaited = (name: string, run: () => Promise<unknown>): Case => ({
  name,
  repeat: async (calls) => {
    for (let call = 0; call < calls; call++) await run();
  },
});

const blocking = (name: string, run: () => unknown): Case => ({
  name,
  repeat: (calls) => {
    for (let call = 0; call < calls; call++) run();
  },
});

/** Prints nanoseconds of a call, the best of rounds that take turns, and the first one's as part of each other's. */
async function compare(cases: readonly Case[]): Promise<void> {
  const [rounds, calls] = [20, 4000];
  const best = cases.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { repeat }] of cases.entries()) {
      const began = process.hrtime.bigint();
      await repeat(calls);
      best[i] = Math.min(best[i]!, Number(process.hrtime.bigint() - began) / calls);
    }
  }
  for (const [i, { name }] of cases.entries()) {
    const ratio = i === 0 ? '' : `${cases[0]!.name} / this ${(best[0]! / best[i]!).toFixed(2)}`;
    console.log(`  ${name.padEnd(34)}${best[i]!.toFixed(0).padStart(6)} ns  ${ratio}`.trimEnd());
  }
}

const image = float32(1, 1, 28, 28);
const scores = float32(1, 10);

async function measure(batch: number | string): Promise<void> {
  const context = await engine(batch).createContext();
  const x = deviceTensor(image);
  const bound = context.bind({ feeds: { x } });
  const graph = await context.capture({ feeds: { x } });
  const array = new Float32Array(size);
  const kinds: [string, Feeds, RunSyncOptions][] = [
    ['tensors on the GPU', { x }, { outputs: { y: deviceTensor(scores) } }],
    ['page-locked tensors', { x: hostTensor(image) }, { outputs: { y: hostTensor(scores) } }],
    ['an array, into an array', { x: array }, { outputs: { y: new Float32Array(10) } }],
    ['an array with its shape', { x: { shape: [1, 1, 28, 28], data: array } }, {}],
    ['an array', { x: array }, {}],
  ];
  await compare([
    awaited('bound.run', () => bound.run()),
    awaited('graph.launch', () => graph.launch()),
    ...kinds.map(([name, feeds, options]) => awaited(`run: ${name}`, () => context.run(feeds, options))),
  ]);
  await compare([
    blocking('bound.runSync', () => bound.runSync()),
    blocking('graph.launchSync', () => graph.launchSync()),
    ...kinds.map(([name, feeds, options]) => blocking(`runSync: ${name}`, () => context.runSync(feeds, options))),
  ]);
}

Object.assign(binding(), nothing);
for (const batch of [1, 'batch']) {
  console.log(`  float32 [${batch}, 1, 28, 28]`);
  await measure(batch);
}
