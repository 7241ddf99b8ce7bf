import { expect, test } from 'vitest';
import { attr, definePlugin, float32, type Network, network } from '../../src/index.js';
import { childrenOf, runs, until } from '../tensorrt/isolate/children.js';
import { rejection } from '../tensorrt/networks.js';
import { describeGpu, reportFigure } from './support.js';

const twice = definePlugin({
  name: 'TwiceApart',
  version: '1',
  inputs: ['x'],
  attributes: { factor: attr.float32(2) },
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: `__global__ void twice_apart(const float* x, float* y, int n, float factor) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = factor * x[i];
  }`,
  launch: ({ x, y, factor, int32, ceilDiv }) => [
    { kernel: 'twice_apart', grid: ceilDiv(x.size, 256), block: 256, args: [x, y, int32(x.size), factor] },
  ],
});

const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (((i * 31 + seed) % 251) - 125) / 2000);

/** Convolutions on [n, 16, 32, 32], each with weights of its own. */
function convolutions(layers: number): Network {
  const net = network('convolutions', { x: float32('n', 16, 32, 32) });
  let x = net.tensor();
  for (let i = 0; i < layers; i++) {
    const weight = { shape: [16, 16, 3, 3], data: numbers(16 * 16 * 9, i) };
    x = x.conv2d({ weight, padding: 1, stride: 1 }).add(x).relu();
  }
  x.plugin(twice, { factor: 3 }).output('y');
  return net;
}
const options = { profiles: [{ n: [1, 2, 4] }], tf32: false } as const;
const feeds = { x: numbers(2 * 16 * 32 * 32, 7) };

describeGpu(
  'builds in a process of their own',
  () => {
    test('compute the same as one of this process, and the second finds TensorRT loaded', async () => {
      using here = await convolutions(4).build(options);
      const expected = (await here.run(feeds)).y!.toFloat32();
      const times: number[] = [];
      for (let i = 0; i < 2; i++) {
        const began = performance.now();
        using there = await convolutions(4).build({ ...options, isolate: true });
        times.push(performance.now() - began);
        const { y } = await there.run(feeds);
        const most = y!.toFloat32().reduce((sum, value, at) => Math.max(sum, Math.abs(value - expected[at]!)), 0);
        expect(most).toBeLessThan(1e-4);
      }
      expect(childrenOf()).toHaveLength(1);
      reportFigure('ms of the first isolated build', Math.round(times[0]!));
      reportFigure('ms of the second', Math.round(times[1]!));
    });

    test('a signal ends a long build within a second; what is on the GPU goes on', async () => {
      using running = await convolutions(1).build(options);
      await running.run(feeds);
      const controller = new AbortController();
      let begin = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const net = convolutions(40);
      const more = { optimizationLevel: 5, isolate: true, signal: controller.signal, onProgress: () => begin() };
      const build = rejection(net.build({ ...options, ...more }));
      await begun;
      const children = childrenOf();
      const began = performance.now();
      controller.abort();
      expect((await build).code).toBe('ERR_ABORTED');
      const took = performance.now() - began;
      expect(took).toBeLessThan(1000);
      reportFigure('ms from abort to rejection', Math.round(took));
      await running.run(feeds);
      using next = await convolutions(1).build({ ...options, isolate: true });
      await next.run(feeds);
      expect(children.length).toBeGreaterThan(0);
    });

    test('memoryLimit and timeout', async () => {
      const memory = await rejection(convolutions(2).build({ ...options, isolate: true, memoryLimit: 300 * 2 ** 20 }));
      expect(memory.code, memory.message).toBe('ERR_BUILD_MEMORY');
      const late = convolutions(40).build({ ...options, optimizationLevel: 5, isolate: true, timeout: 300 });
      expect((await rejection(late)).code).toBe('ERR_BUILD_TIMEOUT');
    });

    test('a process that is killed while it uses the GPU leaves the next one a GPU that works', async () => {
      let begin = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const build = rejection(
        convolutions(20).build({ ...options, isolate: true, memoryLimit: 2 ** 40, onProgress: begin }),
      );
      await begun;
      const children = childrenOf();
      for (const child of children) process.kill(child, 'SIGKILL');
      expect((await build).code).toBe('ERR_BUILD_PROCESS');
      expect(await until(() => !children.some(runs))).toBe(true);
      using next = await convolutions(1).build({ ...options, isolate: true });
      await next.run(feeds);
    });
  },
  { files: ['test/tensorrt/isolate'] },
);
