import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { isStatic } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { requireDType } from '../shared/dtypes.js';
import type { Named } from '../shared/parameters.js';

/** Dtypes that TensorRT casts between; narrow ones need quantize and dequantize. */
export const castDTypes = ['float32', 'float16', 'bfloat16', 'int64', 'int32', 'int8', 'uint8', 'bool'] as const;

export const cast = defineLayer({
  kind: 'cast',
  takesUint8: true,
  params: z.strictObject({ to: z.enum(castDTypes) }),
  infer({ input, params: { to }, fail }) {
    const { dtype, shape, contents } = input(0);
    requireDType(dtype, castDTypes, fail);
    const whole = to === 'int64' || (to === 'int32' && contents?.every((dim) => !isStatic(dim) || dim === (dim | 0)));
    return contents && whole ? { dtype: to, shape, contents } : { dtype: to, shape };
  },
  cpu: (g, { input, params: { to } }) => g.cast(input(0), to),
});

const convert = (self: TensorSource, method: string, to: DType, options: Named): Tensor => {
  const x = self.tensor();
  return x.network.record(cast, { method, name: options.name, inputs: [x], params: { to: to as never } })[0]!;
};

const methods = {
  /**
   * Converts the elements to another dtype. Floats become integers by dropping the fraction; anything but 0 becomes
   * true. From and to float32, float16, bfloat16, int64, int32, int8, uint8 and bool. TensorRT kind: cast.
   *
   * @throws ERR_PARAMETER, ERR_DTYPE where TensorRT casts from or to no such dtype
   */
  cast(this: TensorSource, dtype: DType, options: Named = {}): Tensor {
    return convert(this, 'cast', dtype, options);
  },
  /** Same as `cast`, under PyTorch's name. TensorRT kind: cast. */
  to(this: TensorSource, dtype: DType, options: Named = {}): Tensor {
    return convert(this, 'to', dtype, options);
  },
};

export { methods as castMethods };
export type CastMethods = typeof methods;
