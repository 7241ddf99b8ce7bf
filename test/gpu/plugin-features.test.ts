import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { attr, definePlugin, float32, int32, int64, network } from '../../src/index.js';
import { root } from '../setup/checkout.js';
import { describeGpu } from './support.js';

// What only TensorRT itself can show of plugins beside the examples: the elements of shape inputs, every type of argument and
// attribute, decomposing on demand, tensors in the middle, and what a kernel prints.

/** y = x + shift + Σ 10^k · many[k]: nine elements reach the launch, one the workspace. */
const weigh = definePlugin({
  name: 'Weigh',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['many', 'shift'],
  ranks: { x: 1, many: 1, shift: 0 },
  types: [{ x: 'float32', many: 'int32', shift: 'int64', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  workspace: ({ many, mul }) => mul(many.values[7], 4),
  cuda: `extern "C" __global__ void weigh(float const* x, float* y, float* scratch, int n, int a, int b, int c, int d, int e,
      int f, int g, int h, long long shift) {
    for (int i = threadIdx.x; i < h; i += blockDim.x) scratch[i] = i;
    __syncthreads();
    float const last = h > 0 ? scratch[h - 1] : -1;
    for (int i = threadIdx.x; i < n; i += blockDim.x)
      y[i] = x[i] + a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * (last + 1) + shift;
  }`,
  launch: ({ x, many, shift, y, workspace, int32, int64 }) => [
    {
      kernel: 'weigh',
      grid: 1,
      block: 32,
      args: [x, y, workspace, int32(x.shape[0]), ...many.values.map((one) => int32(one)), int64(shift.values[0])],
    },
  ],
});

/** The positive elements of x, `most` at most. */
const atMost = definePlugin({
  name: 'AtMost',
  version: '1',
  inputs: ['x'],
  shapeInputs: ['most'],
  ranks: { x: 1, most: 1 },
  types: [{ x: 'float32', most: 'int32', y: 'float32', count: 'int32' }],
  outputs: ({ most, sizeTensor }) => ({ y: [sizeTensor('count', { opt: 0, upper: most.values[0] })] }),
  cuda: `extern "C" __global__ void positives(float const* x, float* y, int* count, int n, int most) {
    int found = 0;
    for (int i = 0; i < n && found < most; i++)
      if (x[i] > 0) y[found++] = x[i];
    *count = found;
  }`,
  launch: ({ x, most, y, count, int32 }) => [
    { kernel: 'positives', grid: 1, block: 1, args: [x, y, count, int32(x.shape[0]), int32(most.values[0])] },
  ],
});

/** Every argument and scalar attribute, each stored as it arrives. */
const marshalled = definePlugin({
  name: 'Marshalled',
  version: '1',
  inputs: ['x'],
  attributes: {
    b: attr.bool(true),
    i8: attr.int8(-7),
    i16: attr.int16(-300),
    i32: attr.int32(-70_000),
    i64: attr.int64(-(2n ** 40n)),
    f16: attr.float16(0.5),
    bf16: attr.bfloat16(-1.5),
    f32: attr.float32(0.25),
    f64: attr.float64(1 / 3),
    sizes: attr.dims([3, 4]),
    text: attr.string('any'),
    list: attr.float32s([1, 2]),
    raw: attr.bytes(Uint8Array.of(0, 255)),
  },
  types: [{ x: 'float32', y: 'float32', z: 'int64' }],
  outputs: () => ({ y: [7], z: [12] }),
  cuda: `#include <cuda_bf16.h>
    #include <cuda_fp16.h>
    extern "C" __global__ void store(float* y, long long* z, bool b, signed char i8, short i16, int i32, long long i64, __half f16, __nv_bfloat16 bf16,
        float f32, double f64, signed char j8, unsigned char u8, short j16, unsigned short u16, int j32, unsigned u32, long long j64,
        bool yes, float g32, double g64, float ofSize) {
      y[0] = static_cast<float>(f16); y[1] = static_cast<float>(bf16); y[2] = f32; y[3] = static_cast<float>(f64);
      y[4] = g32; y[5] = static_cast<float>(g64); y[6] = ofSize;
      z[0] = b; z[1] = i8; z[2] = i16; z[3] = i32; z[4] = i64; z[5] = j8; z[6] = u8; z[7] = j16; z[8] = u16; z[9] = j32; z[10] = u32; z[11] = yes ? j64 : 0;
    }`,
  launch: ({ x, y, z, b, i8, i16, i32, i64, f16, bf16, f32, f64, ...make }) => [
    {
      kernel: 'store',
      grid: 1,
      block: 1,
      args: [
        ...[y, z, b, i8, i16, i32, i64, f16, bf16, f32, f64],
        ...[
          make.int8(-128),
          make.uint8(255),
          make.int16(-32_768),
          make.uint16(65_535),
          make.int32(-(2 ** 31)),
          make.uint32(2 ** 32 - 1),
        ],
        ...[
          make.int64(make.mul(x.shape[0], -(2 ** 50))),
          make.bool(1),
          make.float32(0.1),
          make.float64(0.1),
          make.float32(x.shape[0]),
        ],
      ],
    },
  ],
});

const double = definePlugin({
  name: 'DoubleOf',
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: `extern "C" __global__ void twice(float const* x, float* y, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = 2 * x[i];
  }`,
  launch: ({ x, y, int32 }) => [{ kernel: 'twice', grid: 1, block: 32, args: [x, y, int32(x.size)] }],
  decompose: ({ x }) => ({ y: x.add(x) }),
});

describeGpu(
  'features of plugins',
  () => {
    test('elements of shape inputs reach launches and workspace', async () => {
      const net = network('weigh', { x: float32('n'), many: int32(8), shift: int64() });
      net.plugin(weigh, { x: net.tensor('x'), many: net.tensor('many'), shift: net.tensor('shift') }).y.output('y');
      const [least, opt, most] = [0, 2, 1000].map((one) => Array(8).fill(one));
      using engine = await net.build({
        profiles: [{ n: [1, 2, 40], many: [least!, opt!, most!], shift: [0, 3, 2 ** 31 - 1] }],
      });
      for (const [many, shift] of [
        [[1, 2, 3, 4, 5, 6, 7, 8], 5],
        [Array(8).fill(0), 2 ** 20],
        [[9, 0, 0, 0, 0, 0, 1, 1000], 0],
      ] as const) {
        const sum = many.reduce((total, one, k) => total + (k + 1) * one, shift);
        const { y } = await engine.run({ x: [1, -2, 3], many: [...many], shift: [shift] });
        expect([...y!.data]).toEqual([1 + sum, -2 + sum, 3 + sum]);
      }
    });

    test('a size that the kernel computes, below an element of a shape input', async () => {
      const net = network('most', { x: float32('n'), most: int32(1) });
      const { y, count } = net.plugin(atMost, { x: net.tensor('x'), most: net.tensor('most') });
      y.output('y');
      count.output('count');
      using engine = await net.build({ profiles: [{ n: [1, 8, 100], most: [[0], [4], [50]] }] });
      for (const [most, wanted] of [
        [2, [1, 3]],
        [9, [1, 3, 4]],
        [0, []],
      ] as const) {
        const results = await engine.run({ x: [1, -2, 3, 4], most: [most] });
        expect([results.y!.shape, [...results.y!.data], [...results.count!.data]]).toEqual([
          [wanted.length],
          wanted,
          [wanted.length],
        ]);
      }
    });

    test('every type of argument and attribute arrives, from a loaded engine too', async () => {
      const net = network('types', { x: float32('n') });
      const { y, z } = net.plugin(marshalled, { x: net.tensor('x') }, { i16: 300 });
      y.output('y');
      z.output('z');
      using engine = await net.build({ profiles: [{ n: [1, 2, 3] }] });
      const results = await engine.run({ x: [0, 0, 0] });
      const third = Math.fround(1 / 3);
      expect([...results.y!.data]).toEqual([0.5, -1.5, 0.25, third, Math.fround(0.1), Math.fround(0.1), 3]);
      expect([...results.z!.data]).toEqual(
        [1, -7, 300, -70_000, -(2 ** 40), -128, 255, -32_768, 65_535, -(2 ** 31), 2 ** 32 - 1, -3 * 2 ** 50].map(
          BigInt,
        ),
      );
    });

    test('decomposePlugins builds the layers; also returns tensors around a plugin', async () => {
      const made = () => {
        const net = network('around', { x: float32('n') });
        net.tensor('x').add(1, { name: 'before' }).plugin(double, {}, { name: 'plugin' }).mul(3).output('y');
        return net;
      };
      const profiles = [{ n: [1, 2, 8] as const }];
      using layers = await made().build({ profiles, decomposePlugins: true });
      expect([...(await layers.run({ x: [1, 2] })).y!.data]).toEqual([12, 18]);
      using model = await made().compile({ backend: 'tensorrt', profiles });
      const results = await model.run({ x: [1, 2] }, { also: ['before', 'plugin'] });
      expect(Object.values(results).map(({ data }) => [...data])).toEqual([
        [12, 18],
        [2, 3],
        [4, 6],
      ]);
    });

    test('what a kernel prints is shown', () => {
      const script = `
        import { definePlugin, float32, network } from 'node-tensorrt';
        const says = definePlugin({
          name: 'Says', version: '1', inputs: ['x'], types: [{ x: 'float32', y: 'float32' }],
          outputs: ({ x }) => ({ y: x.shape }),
          cuda: 'extern "C" __global__ void say(float const* x, float* y) { printf("x is %g\\\\n", x[0]); y[0] = x[0]; }',
          launch: ({ x, y }) => [{ kernel: 'say', grid: 1, block: 1, args: [x, y] }],
        });
        const net = network('says', { x: float32(1) });
        net.tensor().plugin(says).output('y');
        const engine = await net.build();
        await engine.run({ x: [42] });
        process.exit(0);`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        cwd: root,
        encoding: 'utf8',
        timeout: 100_000,
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      expect([stdout, stderr]).toEqual(['x is 42\n', '']);
    });
  },
  { suite: 'plugins', files: ['test/gpu/plugin-features.test.ts'] },
);
