import type { LayerCase } from './harness.js';

/** TensorRT up to 10.8 has neither the layer nor the 4-bit float. */
const refused = { gpu: /needs TensorRT 10\.(8|9)/ };
const doubleScale = 0.03125;

const nvfp4 =
  (axis: number): LayerCase['build'] =>
  ({ x }) => {
    const [quantized, scales] = x!.dynamicQuantize({ axis, doubleScale });
    return quantized.dequantize({ scale: scales.dequantize({ scale: doubleScale }) });
  };

export const cases: LayerCase[] = [
  ...['', '_f16', '_bf16'].flatMap((suffix): LayerCase[] => [
    { name: `nvfp4${suffix}`, build: nvfp4(-1), refused, ...(suffix === '' && { dynamic: { x: ['n', 64] } }) },
    {
      name: `mxfp8${suffix}`,
      build: ({ x }) => {
        const [quantized, scale] = x!.dynamicQuantize({ to: 'float8e4m3' });
        return quantized.dequantize({ scale });
      },
      refused,
      ...(suffix === '' && { dynamic: { x: ['n', 64] } }),
    },
  ]),
  { name: 'nvfp4_axis', build: nvfp4(1), refused, dynamic: { x: ['n', 32, 4] } },
  {
    name: 'mxfp8_powers',
    build: ({ x }) => {
      const [quantized, scale] = x!.dynamicQuantize({ to: 'float8e4m3', blockShape: [1, 32] });
      return quantized.dequantize({ scale });
    },
    refused,
  },
];
