import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { floats, requireDType } from '../shared/dtypes.js';
import {
  checkQuantization,
  cpuQuantize,
  cpuScale,
  type QuantizationOptions,
  type QuantizedDType,
  quantizationOf,
  quantizationParams,
  quantizedDTypes,
} from '../shared/quantization.js';

export const quantize = defineLayer({
  kind: 'quantize',
  // TensorRT derives a precision from it.
  isFoldable: () => false,
  takesNarrow: true,
  params: z.strictObject({ ...quantizationParams, to: z.enum(quantizedDTypes) }),
  infer(context) {
    const { input, params, fail } = context;
    requireDType(input(0).dtype, floats, fail);
    return { dtype: params.to, shape: checkQuantization(context, params.to) };
  },
  cpu(g, { input, inputTypes, params: { axis, to } }) {
    return cpuQuantize(g, input(0), cpuScale(g, input(1), inputTypes[1]!, inputTypes[0]!.shape, axis), to);
  },
});

/** Options of `quantize`. */
export interface QuantizeOptions extends QuantizationOptions {
  /** Default `int8`. */
  to?: QuantizedDType | undefined;
}

const methods = {
  /**
   * `clip(round(x / scale))`, rounding half to even, of a tensor of floats: to int8 (−128 to 127), int4 (−8 to 7),
   * float8e4m3 (±448) or float4e2m1 (±6). Only weights may have one scale per index of an axis. TensorRT kind:
   * quantize.
   *
   * @throws ERR_SHAPE, ERR_AXIS where the scale does not fit; ERR_VALUE for a zero point; ERR_DTYPE, ERR_PARAMETER
   */
  quantize(this: TensorSource, options: QuantizeOptions): Tensor {
    const x = this.tensor();
    const method = 'quantize';
    const to = options?.to ?? 'int8';
    const { inputs, ...params } = quantizationOf(x, options, method);
    return x.network.record(quantize, { method, name: options.name, inputs, params: { ...params, to } })[0]!;
  },
};

export { methods as quantizeMethods };
export type QuantizeMethods = typeof methods;
