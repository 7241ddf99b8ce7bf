// Types that users may write: options and results of layers, and what they are made of.

export type {
  ActivationOptions,
  ActivationType,
  ClampOptions,
  EluOptions,
  GeluOptions,
  HardSigmoidOptions,
  LeakyReluOptions,
  ScaledTanhOptions,
  SoftplusOptions,
  ThresholdedReluOptions,
} from './kinds/activation.js';
export type { AttentionOptions, CausalKind } from './kinds/attention.js';
export type { ConcatOptions } from './kinds/concatenation.js';
export type { ConstantOptions, FullOptions } from './kinds/constant.js';
export type { ConvolutionOptions } from './kinds/convolution.js';
export type { CumulativeOptions } from './kinds/cumulative.js';
export type { DeconvolutionOptions } from './kinds/deconvolution.js';
export type { DequantizeOptions } from './kinds/dequantize.js';
export type { CollectiveOperation, DistCollectiveOptions } from './kinds/dist_collective.js';
export type { DynamicQuantizeOptions, DynamicQuantizeResult } from './kinds/dynamic_quantize.js';
export type { ElementWiseOperation, ElementWiseOptions } from './kinds/element_wise.js';
export type {
  FillOperation,
  FillOptions,
  RandomNormalOptions,
  RandomOptions,
  RandomUniformOptions,
  RangeOptions,
} from './kinds/fill.js';
export type { EmbeddingOptions, GatherMode, GatherOptions } from './kinds/gather.js';
export type { GridSampleOptions } from './kinds/grid_sample.js';
export type { BranchOutput, IfOutput } from './kinds/if_conditional.js';
export type { KVCacheUpdateOptions } from './kinds/kv_cache_update.js';
export type {
  LoopCollect,
  LoopCount,
  LoopIterate,
  LoopOptions,
  LoopResult,
  LoopStep,
  LoopTensors,
} from './kinds/loop.js';
export type { LocalResponseNormOptions } from './kinds/lrn.js';
export type { AccumulationOptions, MatmulOptions, MatrixOperation } from './kinds/matrix_multiply.js';
export type { MoeOptions, MoeWeight } from './kinds/moe.js';
export type { BoundingBoxFormat, NmsOptions, NmsResult } from './kinds/nms.js';
export type { GroupNormOptions, InstanceNormOptions, LayerNormOptions } from './kinds/normalization.js';
export type { OneHotOptions } from './kinds/one_hot.js';
export type { PadOptions } from './kinds/padding.js';
export type { PReluOptions } from './kinds/parametric_relu.js';
export type { PluginMethod, PluginOutputTensors, PluginResult } from './kinds/plugin.js';
export type {
  AveragePoolingOptions,
  BlendPoolingOptions,
  PoolingOptions,
  PoolingType,
  PoolOptions,
} from './kinds/pooling.js';
export type { QuantizeOptions } from './kinds/quantize.js';
export type { ReduceByOptions, ReduceOperation, ReduceOptions } from './kinds/reduce.js';
export type {
  CoordinateTransformation,
  InterpolateOptions,
  ResizeMode,
  ResizeOptions,
  ResizeRounding,
  ResizeSelector,
} from './kinds/resize.js';
export type { ReverseSequenceOptions } from './kinds/reverse_sequence.js';
export type { RotaryEmbeddingOptions } from './kinds/rotary_embedding.js';
export type { ScaleMode, ScaleOptions } from './kinds/scale.js';
export type { ScatterMode, ScatterOptions } from './kinds/scatter.js';
export type { WhereOptions } from './kinds/select.js';
export type { FlattenOptions } from './kinds/shuffle.js';
export type { SplitOptions } from './kinds/slice.js';
export type { SoftmaxOptions } from './kinds/softmax.js';
export type { ArgOptions, IndexOptions, SortOptions, TopKOptions, TopKResult } from './kinds/topk.js';
export type { UnaryOperation, UnaryOptions } from './kinds/unary.js';
export type { AttentionForm } from './shared/attention-form.js';
export type { Liftable } from './shared/lift.js';
export type { ConstantData, NestedNumbers } from './shared/literal.js';
export type { Named, PerAxis } from './shared/parameters.js';
export type { PartsOf, Tensors } from './shared/parts.js';
export type { QuantizedDType } from './shared/quantization.js';
export type { ReshapeOptions, ShuffleOptions } from './shared/record-shuffle.js';
export type { SliceOptions, SlicePart } from './shared/record-slice.js';
export type { ReshapeDims } from './shared/reshape-form.js';
export type { FillShape } from './shared/shape-tensor.js';
export type { SampleMode } from './shared/slice-bounds.js';
export type { PaddingMode, PaddingOptions } from './shared/window.js';
