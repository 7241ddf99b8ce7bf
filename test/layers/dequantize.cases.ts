import type { DType, Network } from '../../src/index.js';
import type { Stored } from './fixture.js';
import type { LayerCase } from './harness.js';

const blocks = [
  [0.1, 0.2],
  [0.3, 0.4],
];

/** Whole numbers as a constant of a narrow dtype. */
const known = (net: Network, { data, shape }: Stored, dtype: DType) =>
  net.constant(Array.from(data as Int8Array), { dtype, shape });

const perDType: LayerCase[] = (['float32', 'float16', 'bfloat16'] as const).map((to, i) => ({
  name: `int8_${['f32', 'f16', 'bf16'][i]}`,
  build: ({ q }) => q!.dequantize({ scale: 0.0625, to }),
  ...(i < 2 && { dynamic: { q: ['n', i === 0 ? 3 : 'm'] } }),
}));

export const cases: LayerCase[] = [
  ...perDType,
  {
    name: 'int8_weight',
    dynamic: { x: ['n', 64] },
    build: ({ x }, { w }, net) => x!.matmul(known(net, w!, 'int8').dequantize({ scale: [0.25, 0.5], axis: -1 })),
  },
  {
    name: 'int8_weight_axis0',
    build: ({ x }, { w }, net) => {
      const scale = Float32Array.from({ length: 64 }, (_, i) => 0.1 + (0.4 * i) / 63);
      return x!.matmul(known(net, w!, 'int8').dequantize({ scale, axis: 0 }));
    },
  },
  {
    name: 'int4_weight',
    build: ({ x }, { w }, net) => x!.matmul(known(net, w!, 'int4').dequantize({ scale: 0.25, zeroPoint: 0 })),
  },
  {
    name: 'int4_blocks',
    dynamic: { x: ['n', 64] },
    build: ({ x }, { w }, net) => x!.matmul(known(net, w!, 'int4').dequantize({ scale: blocks })),
  },
  {
    name: 'fp8_blocks',
    build: ({ x }, { w }, net) => x!.matmul(known(net, w!, 'float8e4m3').dequantize({ scale: blocks })),
    refused: { gpu: /ScaleOp::kBLOCKED/ },
  },
  {
    name: 'int4_blocks_f16',
    dynamic: { x: ['n', 64] },
    build: ({ x }, { w }, net) => {
      const scale = net.constant(blocks, { dtype: 'float16' });
      return x!.matmul(known(net, w!, 'int4').dequantize({ scale, to: 'float16' }));
    },
    // Sums of 64 products of halves.
    tolerance: { atol: 2e-2, rtol: 4e-3 },
  },
];
