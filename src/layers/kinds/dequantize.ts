import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { requireDType } from '../shared/dtypes.js';
import {
  checkQuantization,
  cpuScale,
  type QuantizationOptions,
  quantizationOf,
  quantizationParams,
  quantizedDTypes,
} from '../shared/quantization.js';

const targets = ['float32', 'float16', 'bfloat16'] as const;

export const dequantize = defineLayer({
  kind: 'dequantize',
  // TensorRT derives a precision from it.
  isFoldable: () => false,
  takesNarrow: true,
  params: z.strictObject({ ...quantizationParams, to: z.enum(targets) }),
  infer(context) {
    const { input, params, fail } = context;
    const { dtype } = input(0);
    requireDType(dtype, quantizedDTypes, fail);
    return { dtype: params.to, shape: checkQuantization(context, dtype) };
  },
  cpu(g, { input, inputTypes, params: { axis, to } }) {
    const scale = cpuScale(g, input(1), inputTypes[1]!, inputTypes[0]!.shape, axis);
    return g.cast(g.op('Mul', [g.cast(input(0), 'float32'), scale]), to);
  },
});

/** Options of `dequantize`. */
export interface DequantizeOptions extends QuantizationOptions {
  /** Default `float32`. */
  to?: (typeof targets)[number] | undefined;
}

const methods = {
  /**
   * `x · scale` of a tensor of int8, int4, float8e4m3 or float4e2m1, to floats. Only weights may have one scale per
   * index of an axis. TensorRT kind: dequantize.
   *
   * @throws ERR_SHAPE, ERR_AXIS where the scale does not fit; ERR_VALUE for a zero point; ERR_DTYPE, ERR_PARAMETER
   */
  dequantize(this: TensorSource, options: DequantizeOptions): Tensor {
    const x = this.tensor();
    const method = 'dequantize';
    const { inputs, ...params } = quantizationOf(x, options, method);
    const to = options.to ?? 'float32';
    return x.network.record(dequantize, { method, name: options.name, inputs, params: { ...params, to } })[0]!;
  },
};

export { methods as dequantizeMethods };
export type DequantizeMethods = typeof methods;
