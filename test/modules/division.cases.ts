import type { Tensor } from '../../src/index.js';
import { int8Refused, type LayerCase } from '../layers/harness.js';

const methods = { fmod: 'fmod', remainder: 'remainder', floor_div: 'floorDiv' } as const;
const dynamic: LayerCase['dynamic'] = { a: ['n'], b: ['n'] };

const divisions: LayerCase[] = Object.entries(methods).flatMap(([name, method]) => {
  const two = ({ a, b }: Record<string, Tensor>) => a![method](b!);
  return [
    { name, build: two, dynamic },
    ...['f16', 'bf16', 'far', 'i32', 'i64'].map((suffix) => ({ name: `${name}_${suffix}`, build: two })),
    { name: `${name}_i8`, build: two, refused: int8Refused },
    { name: `${name}_two`, build: ({ x }) => x![method](2), dynamic: { x: ['n', 'm'] } },
    { name: `${name}_two_f16`, build: ({ x }) => x![method](2) },
    { name: `${name}_number`, build: ({ x }) => x![method](0.3), dynamic: { x: ['n', 'm'] } },
  ] satisfies LayerCase[];
});

export const cases: LayerCase[] = [
  ...divisions.map((one) => ({
    ...one,
    tolerance: { atol: 0, rtol: 0 },
    // Quotients beyond 2^24 are rounded, which TensorRT 10.6 does in the last bit otherwise.
    ...(one.name === 'floor_div_far' && { step: { atol: 0, rtol: 2 ** -23 } }),
  })),
  ...['true', 'true_i64', 'true_left', 'true_right', 'true_f16', 'true_float'].map((name) => ({
    name,
    build: ({ a, b }: Record<string, Tensor>) => a!.trueDivide(b!),
    ...(name === 'true' && { dynamic }),
  })),
  { name: 'true_number', build: ({ a }) => a!.trueDivide(2) },
  ...['trunc', 'trunc_f16', 'trunc_bf16', 'trunc_i32'].map((name) => ({
    name,
    build: ({ x }: Record<string, Tensor>) => x!.trunc(),
    ...(name === 'trunc' && { dynamic: { x: ['n', 'm'] } }),
  })),
];
