import type { LayerCase } from './harness.js';

const stored = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool', 'size0'];

export const cases: LayerCase[] = [
  ...(stored.map((name) => ({ name, build: (_, { value }, net) => net.constant(value!) })) satisfies LayerCase[]),
  { name: 'reshaped', build: (_, { value }, net) => net.constant(value!, { shape: [3, 1, 2] }) },
  { name: 'number', build: (_, __, net) => net.constant(0.1) },
  { name: 'bigint', build: (_, __, net) => net.constant(2n ** 62n + 1n) },
  { name: 'boolean', build: (_, __, net) => net.constant(true) },
  { name: 'filled', build: (_, __, net) => net.constant(-7, { dtype: 'int32', shape: [2, 3] }) },
  {
    name: 'nested',
    build: (_, __, net) =>
      net.constant(
        [
          [1.5, -2.25],
          [1 / 3, 1e-8],
        ],
        { dtype: 'float16' },
      ),
  },
  {
    name: 'typed_array',
    build: (_, __, net) => net.constant(new Float32Array([1, 0.1, 3.3]), { dtype: 'bfloat16' }),
  },
  { name: 'bits', build: (_, __, net) => net.constant(new Uint16Array([0x3f80, 0xc000]), { dtype: 'bfloat16' }) },
  {
    name: 'float64_array',
    build: (_, __, net) => net.constant(new Float64Array([0.1, 2]), { dtype: 'float32', shape: [2, 1] }),
  },
];
