import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attr,
  definePlugin,
  doctor,
  type Engine,
  findTensorRT,
  float16,
  loadPluginLibrary,
  type Network,
  network,
  type Tensor,
} from '../src/index.js';
import { compilePlugin } from '../src/plugin/compile.js';
import { definitionOfPlugin } from '../src/plugin/define.js';
import { recipeOf } from '../src/plugin/layer.js';
import { section } from './gpu/report.js';

// RMS norm with residual, float16: a plugin of definePlugin / the same kernel in a hand-written C++ IPluginV3 / the same as layers. The plugin by hand
// is a library that bench/plugins/build.sh compiles against NVIDIA's headers; NODE_TENSORRT_BENCH_PLUGIN names it.

const pairs = 20;
const width = 4096;
const block = 256;
const count = 8;

/** The example, with one size of blocks: TensorRT has nothing to choose. */
const timed = definePlugin({
  name: 'RmsNormTimed',
  version: '1',
  inputs: ['x', 'residual', 'weight'],
  attributes: { eps: attr.float32(1e-6) },
  types: [{ x: 'float16', residual: 'float16', weight: 'float16', y: 'float16', sum: 'float16' }],
  outputs: ({ x }) => ({ y: x.shape, sum: x.shape }),
  cuda: new URL('../examples/plugins/rms-norm.cu', import.meta.url),
  launch: ({ x, residual, weight, y, sum, eps, int32 }) => [
    {
      kernel: 'rmsNorm',
      template: [x.dtype, block, count],
      grid: x.shape[0]!,
      block,
      sharedMemory: (block / 32) * 4,
      args: [x, residual, weight, y, sum, int32(x.shape[1]!), eps],
    },
  ],
});

type Norm = (net: Network, tensors: { x: Tensor; residual: Tensor; weight: Tensor }) => { y: Tensor; sum: Tensor };

/** Layers in a chain. Inputs and outputs are small, so that copying them counts for little. */
function chain(rows: number, layers: number, norm: Norm): Promise<Engine> {
  const net = network('chain', { row: float16(1, width) });
  const weight = net.constant(new Float32Array(width).fill(1), { shape: [width], dtype: 'float16' });
  let y = net.tensor().expand([rows, width]);
  let sum = y;
  for (let i = 0; i < layers; i++) ({ y, sum } = norm(net, { x: y, residual: sum, weight }));
  y.slice({ start: [0, 0], size: [1, width] }).output('y');
  sum.slice({ start: [rows - 1, 0], size: [1, width] }).output('sum');
  return net.build();
}

const median = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half) - 1]!) / 2;
};

/** Largest difference over the root mean square. */
function difference(a: Float32Array, b: Float32Array): number {
  const most = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  return most / Math.sqrt(b.reduce((sum, value) => sum + value ** 2, 0) / b.length);
}

const feeds = {
  row: { shape: [1, width], data: Float32Array.from({ length: width }, (_, i) => Math.sin(i)) },
} as const;

async function main(): Promise<void> {
  const byHand = process.env.NODE_TENSORRT_BENCH_PLUGIN;
  if (!byHand) return console.log('  NODE_TENSORRT_BENCH_PLUGIN names no library of bench/plugins/build.sh: not run');
  const library = (await findTensorRT()).find(({ flavor, usableFor }) => flavor !== 'rtx1' && usableFor.run);
  if (!library) return console.log('  no GPU with a TensorRT that has plugins: not run');
  await loadPluginLibrary(byHand);
  const [gpu] = (await doctor()).gpus;
  const capability = Math.round(Number(gpu!.computeCapability) * 10);

  // In bench/gpu/run.sh.
  const report = process.env.BENCH_WORK
    ? await section(
        'plugins',
        {
          title: 'Plugins',
          note: `RMS norm with residual, float16, layers in a chain: a plugin of definePlugin, and the same machine code in a C++ IPluginV3 by hand, or the same as layers. Medians of ${pairs} alternating pairs; the goal is 1.02 against C++.`,
          head: ['layers', 'size', 'other', 'ours, µs', 'other, µs', 'ratio', 'results apart, of their rms'],
        },
        { doctor, findTensorRT },
      )
    : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-plugins-'));
  try {
    const params = { definition: { name: timed.name, version: timed.version }, attributes: { eps: Math.fround(1e-6) } };
    const matrix = { dtype: 'float16', shape: [8, width] } as const;
    const recipe = recipeOf(params, [matrix, matrix, { dtype: 'float16', shape: [width] }]);
    const { cubins, lowered } = await compilePlugin(definitionOfPlugin(timed), recipe, [capability]);
    const cubin = join(folder, 'rms-norm.cubin');
    writeFileSync(cubin, cubins[0]!.data);

    const ours: Norm = (net, tensors) => net.plugin(timed, tensors);
    const theirs: Norm = (net, { x, residual, weight }) => {
      const fields = { eps: Math.fround(1e-6), block, shared: (block / 32) * 4, cubin, kernel: lowered[0]! };
      const [y, sum] = net.plugin('RmsNormByHand', { version: '1', fields, inputs: [x, residual, weight] });
      return { y: y!, sum: sum! };
    };
    const asLayers: Norm = (_, { x, residual, weight }) => {
      const sum = x.add(residual);
      const wide = sum.cast('float32');
      const scale = wide
        .mul(wide)
        .mean({ axes: [-1], keepDims: true })
        .add(1e-6)
        .rsqrt();
      return { y: wide.mul(scale).mul(weight.cast('float32')).cast('float16'), sum };
    };

    // Of 32 such layers, TensorRT 10.6 builds no engine of layers within minutes.
    for (const [rows, layers, other, norm] of [
      [8, 32, 'C++ by hand', theirs],
      [4096, 32, 'C++ by hand', theirs],
      [4096, 2, 'as layers', asLayers],
    ] as const) {
      console.log(`  ${layers} layers of [${rows}, ${width}] float16, ours and ${other}`);
      const begun = performance.now();
      const engines = await Promise.all([ours, norm].map((one) => chain(rows, layers, one)));
      console.log(`    both built in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      const contexts = await Promise.all(engines.map((engine) => engine.createContext()));
      const results = await Promise.all(contexts.map((context) => context.run(feeds)));
      const [own, others] = results.map(({ y, sum }) => [y!.toFloat32(), sum!.toFloat32()] as const);
      const apart = own!.map((one, i) => difference(one, others![i]!).toExponential(1)).join(' and ');

      const time = async (context: (typeof contexts)[number], runs: number) => {
        const start = performance.now();
        for (let i = 0; i < runs; i++) await context.run(feeds);
        return ((performance.now() - start) * 1000) / runs;
      };
      const runs: number[] = [];
      for (const context of contexts) {
        for (let i = 0; i < 20; i++) await context.run(feeds);
        runs.push(Math.max(5, Math.ceil(100_000 / (await time(context, 10)))));
      }
      const times: [number[], number[]] = [[], []];
      for (let pair = 0; pair < pairs; pair++)
        // The first of a pair is now one, now the other.
        for (const which of pair % 2 ? [1, 0] : [0, 1]) times[which]!.push(await time(contexts[which]!, runs[which]!));
      const [a, b] = times.map(median) as [number, number];
      console.log(
        `    ours / ${other}: ${(a / b).toFixed(3)}   (${a.toFixed(1)} / ${b.toFixed(1)} µs a run, medians of ${pairs} alternating pairs; results differ by ${apart} of their rms)`,
      );
      report?.(String(layers), `[${rows}, ${width}]`, other, a.toFixed(1), b.toFixed(1), (a / b).toFixed(3), apart);
      for (const engine of engines) engine.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
