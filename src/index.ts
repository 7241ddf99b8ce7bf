import { installLayers } from './layers/table.js';

installLayers();

export type { Dim, Shape } from './dsl/dim.js';
export { byteLength, type DType, dtypes, type TypedArray } from './dsl/dtype.js';
export { type ErrorDetails, type SourceLocation, TensorRTError } from './dsl/errors.js';
export { Network, network } from './dsl/network.js';
export { bfloat16, bool, float8e4m3, float16, float32, int4, int8, int32, int64, uint8 } from './dsl/spec.js';
export { Tensor } from './dsl/tensor.js';
export type { WeightLike } from './dsl/weight.js';
