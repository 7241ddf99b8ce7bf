/// <reference lib="esnext.disposable" preserve="true" />
import { installAnyLayer } from './dsl/any-layer.js';
import { installJSON } from './dsl/json.js';
import { Network } from './dsl/network.js';
import { installInspection } from './inspect.js';
import { installLayers } from './layers/table.js';
import { installModules } from './modules/table.js';
import { runtimeMethods } from './network-methods.js';

// Declarations keep only these imports, which add the methods of these modules to Network and Tensor.
import './dsl/any-layer.js';
import './dsl/json.js';
import './layers/table.js';
import './modules/table.js';
import './network-methods.js';

installJSON();
installAnyLayer();
installLayers();
installModules();
Object.assign(Network.prototype, runtimeMethods);
installInspection();

export type { Bisection, FaultyLayer, LayerDifference } from './compare/bisection.js';
export { type RandomFeedsOptions, randomFeeds, type WithInputs } from './compare/feeds.js';
export { type CompareModelsOptions, compareModels, type ModelComparison } from './compare/models.js';
export {
  type ComparedPrecision,
  type ComparedType,
  type CompareResultsOptions,
  type Comparison,
  compareResults,
  type OutputComparison,
} from './compare/results.js';
export type { NetworkSide, Side } from './compare/sides.js';
export type { Differences, ElementPair, HistogramBar, NotFinite, Oddity } from './compare/statistics.js';
export type { ComparedResults, ComparedTensor } from './compare/tensors.js';
export { type Depth, type Thresholds, toleranceOf } from './compare/thresholds.js';
export type { OnnxruntimeState } from './cpu/onnxruntime.js';
export { type DoctorReport, doctor, type MissingPart } from './doctor.js';
export type { AnyBody, AnyLayer } from './dsl/any-layer.js';
export type {
  IRGraph,
  IRNamed,
  IRNode,
  IROutput,
  IRValue,
  IRWeight,
  LayerParams,
  NetworkJSON,
  ValueId,
  WeightId,
} from './dsl/ir.js';
export type { WeightSource } from './dsl/json.js';
export { Network, network } from './dsl/network.js';
export type { ScopeOptions } from './dsl/scope-options.js';
export { type OutputOptions, Tensor } from './dsl/tensor.js';
export {
  type ErrorDetails,
  type ErrorFacts,
  type LayerAtFault,
  type SourceLocation,
  TensorRTError,
  type WeightOperand,
} from './errors/error.js';
export { concat, stack } from './layers/kinds/concatenation.js';
export { einsumOf as einsum } from './layers/kinds/einsum.js';
export { where } from './layers/kinds/select.js';
export { type DimLike, DimValue } from './layers/shared/dim-value.js';
export type * from './layers/types.js';
export type { Env, LibrarySource } from './machine/search.js';
export { type CompileOptions, Model, type RunOptions } from './model.js';
export { imageInput } from './modules/image-input.js';
export type * from './modules/types.js';
export { removeDeadLayers } from './passes/dead.js';
export { type DecomposeOptions, decomposePlugins } from './passes/decompose-plugins.js';
export { type ExtractOptions, extract, type TensorRef, type TensorRefs } from './passes/extract.js';
export { type Evaluate, type EvaluateResults, type FoldOptions, foldConstants } from './passes/fold.js';
export { type Layer, layersOf } from './passes/layer.js';
export type { LayerChanges } from './passes/recorder.js';
export {
  copy,
  type Replacement,
  type RewriteOptions,
  type Rule,
  type RuleLayer,
  type RuleSet,
  rewrite,
} from './passes/rewrite.js';
export {
  type Attribute,
  type AttributeMaker,
  type Attributes,
  type AttributeValue,
  attr,
  type FloatAttributeOptions,
} from './plugin/attributes.js';
export type { CreatorField, PluginCreator } from './plugin/binding.js';
export type { FieldValue } from './plugin/creator-fields.js';
export {
  type AnyPlugin,
  type AttributeArguments,
  type AttributesOf,
  definePlugin,
  type InputsOf,
  type OutputNames,
  Plugin,
  type PluginParts,
} from './plugin/define.js';
export type { ExistingOutput } from './plugin/existing.js';
export type { NvrtcInstallation } from './plugin/nvrtc.js';
export type { FieldType, FloatType, IntegerType } from './plugin/recipe.js';
export {
  type AnySize,
  Size,
  type SizeHelpers,
  type SizeLike,
  type SizeOperation,
  type SizesOperation,
} from './plugin/sizes.js';
export type * from './plugin/types.js';
export type { CreatorUse } from './plugin/use-creator.js';
export {
  type ReduceOptions as ReduceNetworkOptions,
  type ReduceProgress,
  type Reduction,
  reduceNetwork,
} from './reduce/reduce-network.js';
export { Summary, type SummaryOptions, type SummaryRow } from './summary.js';
export type {
  CudaDevice,
  CudaInfo,
  DeviceMemoryUse,
  Flavor,
  HeldLayer,
  HeldOptions,
  HeldValue,
  HostMemory,
  LibraryInfo,
  WeightStreaming,
} from './tensorrt/binding.js';
export {
  type BuildRoute,
  type BuildRoutes,
  type BuildRoutesOptions,
  buildRoutes,
} from './tensorrt/compile/build-routes.js';
export type {
  BuildOptions,
  BuildProgress,
  MemoryPool,
  PreviewFeature,
  TacticSource,
} from './tensorrt/compile/options.js';
export type { Profile, ProfileBound, ProfileRange } from './tensorrt/compile/profiles.js';
export type { LayerReport, LoweringReport, NetworkNames } from './tensorrt/compile/reports.js';
export { type CombineOptions, combineTimingCaches } from './tensorrt/compile/timing-cache.js';
export {
  describeEngine,
  type EngineDescription,
  type IODescription,
  type LayerDescription,
  type ProfileDescription,
  type TensorDescription,
} from './tensorrt/describe/describe.js';
export { diffEngines, type EngineDifference, type EngineFacts, type LayerChange } from './tensorrt/describe/diff.js';
export type { Fusion } from './tensorrt/describe/names.js';
export type { EngineMetadata, EnginePlugin, EngineTensor } from './tensorrt/files/metadata.js';
export type { PlanHeader } from './tensorrt/files/plan-header.js';
export { type EngineFile, type EngineFormat, readEngineFile } from './tensorrt/files/read.js';
export type { SaveOptions } from './tensorrt/files/save.js';
export {
  type FindOptions,
  findTensorRT,
  type LibraryPurpose,
  type TensorRTInstallation,
} from './tensorrt/library/find.js';
export {
  loadPluginLibrary,
  type PluginLibraryOptions,
  pluginCreators,
} from './tensorrt/library/plugins.js';
export { type Measurement, measure, type RunTimes } from './tensorrt/measure/measure.js';
export type { MeasureOptions } from './tensorrt/measure/options.js';
export type { TimeStatistics } from './tensorrt/measure/statistics.js';
export type { RefitMode, RefitPlan, RefitWeight } from './tensorrt/refit/plan.js';
export type { RefitWeights } from './tensorrt/refit/tensors.js';
export { Binding, type BindOptions } from './tensorrt/run/bound.js';
export { Context } from './tensorrt/run/context.js';
export type { ContextOptions, CudaGraphOptions, DebugTensor } from './tensorrt/run/context-options.js';
export {
  DeviceTensor,
  type DeviceTensorOptions,
  deviceMemory,
  deviceTensor,
  type Elements,
} from './tensorrt/run/device-tensor.js';
export { Engine } from './tensorrt/run/engine.js';
export type { ElementRange, EngineInformation, EngineIO } from './tensorrt/run/engine-io.js';
export { CudaGraph } from './tensorrt/run/graph.js';
export { HostTensor, hostMemory, hostTensor } from './tensorrt/run/host-tensor.js';
export { type LoadEngineOptions, loadEngine } from './tensorrt/run/load.js';
export type { LayerTime, ProfileOptions, ProfileReport } from './tensorrt/run/profile.js';
export type { EngineRefitOptions, RefitReport } from './tensorrt/run/refit.js';
export type { RtxOptions } from './tensorrt/run/rtx-options.js';
export type { ContextRunOptions, RunResult, RunResults, RunSyncOptions } from './tensorrt/run/run-options.js';
export type { EngineToken } from './tensorrt/run/token.js';
export type { CaseInput, CaseSize, PluginCase } from './testing/cases.js';
export type { Difference, Tolerances } from './testing/compare.js';
export type { PluginTestBackend, PluginTestOptions } from './testing/options.js';
export type { PluginCaseReport, PluginCheck, PluginTestReport, PluginTestSkip } from './testing/report.js';
export { testPlugin } from './testing/test-plugin.js';
export type { TritonOptions } from './triton/options.js';
export { type TritonRepository, writeTritonRepository } from './triton/write.js';
export type { TypeScriptCode, TypeScriptOptions } from './typescript/module.js';
export { toTypeScript } from './typescript/to-typescript.js';
export type { Dim, Shape } from './values/dim.js';
export { byteLength, type DType, dtypes, type HalfArray, type TypedArray } from './values/dtype.js';
export type { Scalar } from './values/elements.js';
export type { InputType } from './values/feed.js';
export type { Feed, Feeds, ShapedFeed } from './values/feeds.js';
export type { IOOptions, IOTraits } from './values/io-options.js';
export type { OutputPlace, OutputPlaces } from './values/outputs.js';
export type { PlacedTensor } from './values/placed.js';
export type { ConstantRecipe, Origin, Recipe, SourceRecipe, StepRecipe } from './values/recipe.js';
export { Result } from './values/result.js';
export {
  bfloat16,
  bool,
  float8e4m3,
  float16,
  float32,
  int4,
  int8,
  int32,
  int64,
  type Spec,
  uint8,
  type ValueType,
} from './values/spec.js';
export type { FormatOptions, TensorFormat } from './values/tensor-format.js';
export type { WeightLike } from './values/weight.js';
export * from './weights/index.js';
