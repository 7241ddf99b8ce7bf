import type { Dim, Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const dtypes = ['int8', 'float8e4m3', 'int4', 'float4e2m1'] as const;

/** Cases of layers between quantize and dequantize, in addition to `Fixture.narrow`. TensorRT 10.6 lacks float4e2m1. */
export const narrowCases = (build: (q: Tensor) => Tensor, ...dims: Dim[]): LayerCase[] =>
  dtypes.map((to) => ({
    name: `narrow_${to}`,
    build: ({ x }) => {
      const y = build(x!.quantize({ scale: 1, to }));
      return y.dtype === to ? y.dequantize({ scale: 1 }) : y;
    },
    dynamic: { x: dims },
    ...(to === 'float4e2m1' && { refused: { gpu: /DataType::kFP4 does not exist/ } }),
  }));
