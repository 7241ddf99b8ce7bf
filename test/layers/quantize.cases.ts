import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const scales = [0.02, 0.05, 0.1];

/** Narrow floats come back through dequantize. */
const back = (x: Tensor, scale: number, to: 'int8' | 'int4' | 'float8e4m3' | 'float4e2m1') =>
  x.quantize({ scale, to }).dequantize({ scale, to: x.dtype as 'float32' });

const perDType: LayerCase[] = ['f32', 'f16', 'bf16'].flatMap((suffix): LayerCase[] => [
  {
    name: `int8_${suffix}`,
    build: ({ x }) => x!.quantize({ scale: 0.06 }),
    ...(suffix === 'f32' && { dynamic: { x: ['n', 3] } }),
  },
  {
    name: `int8_back_${suffix}`,
    build: ({ x }) => back(x!, 0.06, 'int8'),
    ...(suffix === 'f16' && { dynamic: { x: ['n', 'm'] } }),
  },
  {
    name: `fp8_back_${suffix}`,
    build: ({ x }) => back(x!, 0.06, 'float8e4m3'),
    ...(suffix === 'f32' && { dynamic: { x: ['n', 'm'] } }),
  },
  {
    name: `own_scale_${suffix}`,
    build: ({ x }, _, net) => x!.quantize({ scale: net.constant(0.0625, { dtype: x!.dtype }), zeroPoint: 0 }),
  },
]);

export const cases: LayerCase[] = [
  ...perDType,
  { name: 'int4_back', build: ({ x }) => back(x!, 0.9, 'int4') },
  // TensorRT 10.6 lacks the dtype.
  {
    name: 'fp4_back',
    build: ({ x }) => back(x!, 0.9, 'float4e2m1'),
    refused: { gpu: /DataType::kFP4 does not exist/ },
  },
  { name: 'ties', build: ({ x }) => x!.quantize({ scale: 1 }) },
  { name: 'fp8_ties', build: ({ x }) => back(x!, 1, 'float8e4m3') },
  { name: 'fp8_small', build: ({ x }) => back(x!, 1, 'float8e4m3') },
  {
    name: 'per_axis',
    build: ({ x }) => x!.quantize({ scale: scales, axis: -1 }).dequantize({ scale: scales, axis: 1 }),
    dynamic: { x: ['n', 3] },
  },
  {
    name: 'computed_scale',
    build: ({ x }) => x!.quantize({ scale: x!.abs().max().div(127) }),
    refused: { gpu: /No supported formats for quantize/ },
  },
  { name: 'rank1', build: ({ x }) => x!.quantize({ scale: [0.06] }) },
  { name: 'size0', build: ({ x }) => x!.quantize({ scale: 0.06 }) },
  {
    name: 'weight',
    build: ({ x }, { w }, net) => {
      const scale = [0.02, 0.015];
      return x!.matmul(net.constant(w!).quantize({ scale, axis: 1 }).dequantize({ scale, axis: 1 }));
    },
  },
];
