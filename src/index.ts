/// <reference lib="esnext.disposable" preserve="true" />
import { Network } from './dsl/network.js';
import { installInspection } from './inspect.js';
import { installLayers } from './layers/table.js';
import { installModules } from './modules/table.js';
import { runtimeMethods } from './runtime/methods.js';

// Declarations keep only these: the methods that the three modules put on Network and Tensor.
import './layers/table.js';
import './modules/table.js';
import './runtime/methods.js';

installLayers();
installModules();
Object.assign(Network.prototype, runtimeMethods);
installInspection();

export type { Dim, Shape } from './dsl/dim.js';
export { byteLength, type DType, dtypes, type TypedArray } from './dsl/dtype.js';
export { type ErrorDetails, type SourceLocation, TensorRTError, type WeightOperand } from './dsl/errors.js';
export { Network, network } from './dsl/network.js';
export { bfloat16, bool, float8e4m3, float16, float32, int4, int8, int32, int64, uint8 } from './dsl/spec.js';
export { Tensor } from './dsl/tensor.js';
export type { WeightLike } from './dsl/weight.js';
export { type ConcatOptions, concat, stack } from './layers/concatenation.js';
export { type DimLike, DimValue } from './layers/dim-value.js';
export { einsumOf as einsum } from './layers/einsum.js';
export { where } from './layers/select.js';
export type { LayerReport, LoweringReport, NetworkNames } from './runtime/build.js';
export { type DoctorReport, doctor } from './runtime/doctor.js';
export {
  Context,
  type ContextOptions,
  type ElementRange,
  Engine,
  type EngineInformation,
  type EngineIO,
  loadEngine,
} from './runtime/engine.js';
export type { Feed, Feeds } from './runtime/feeds.js';
export { findTensorRT, type TensorRTInstallation } from './runtime/find.js';
export { type CompileOptions, Model } from './runtime/model.js';
export type { BuildOptions } from './runtime/options.js';
export type { Profile, ProfileBound } from './runtime/profiles.js';
export { Result } from './runtime/result.js';
export * from './weights/index.js';
