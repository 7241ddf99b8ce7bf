import { Network } from '../dsl/network.js';
import { TensorSource } from '../dsl/tensor.js';
import { publicMethod } from '../errors/boundary.js';
import { methodCheck } from './calls/arguments.js';
import { type ActivationMethods, activation, activationMethods } from './kinds/activation.js';
import { type AssertionMethods, assertion, assertionMethods } from './kinds/assertion.js';
import { type AttentionMethods, attention, attentionMethods } from './kinds/attention.js';
import { type CastMethods, cast, castMethods } from './kinds/cast.js';
import {
  type ConcatenationMethods,
  concat,
  concatenation,
  concatenationMethods,
  stack,
} from './kinds/concatenation.js';
import { type ConstantMethods, constant, constantMethods } from './kinds/constant.js';
import { type ConvolutionMethods, convolution, convolutionMethods } from './kinds/convolution.js';
import { type CumulativeMethods, cumulative, cumulativeMethods } from './kinds/cumulative.js';
import { type DeconvolutionMethods, deconvolution, deconvolutionMethods } from './kinds/deconvolution.js';
import { type DequantizeMethods, dequantize, dequantizeMethods } from './kinds/dequantize.js';
import { type DistCollectiveMethods, distCollective, distCollectiveMethods } from './kinds/dist_collective.js';
import { type DynamicQuantizeMethods, dynamicQuantize, dynamicQuantizeMethods } from './kinds/dynamic_quantize.js';
import { type EinsumMethods, einsum, einsumMethods, einsumOf } from './kinds/einsum.js';
import { type ElementWiseMethods, elementWise, elementWiseMethods } from './kinds/element_wise.js';
import { type FillMethods, fill, fillMethods } from './kinds/fill.js';
import { type GatherMethods, gather, gatherMethods } from './kinds/gather.js';
import { type GridSampleMethods, gridSample, gridSampleMethods } from './kinds/grid_sample.js';
import { type IdentityMethods, identity, identityMethods } from './kinds/identity.js';
import { type IfConditionalMethods, ifConditional, ifConditionalMethods } from './kinds/if_conditional.js';
import { type KvCacheUpdateMethods, kvCacheUpdate, kvCacheUpdateMethods } from './kinds/kv_cache_update.js';
import { type LoopMethods, loop, loopMethods } from './kinds/loop.js';
import { type LrnMethods, lrn, lrnMethods } from './kinds/lrn.js';
import { type MatrixMultiplyMethods, matrixMultiply, matrixMultiplyMethods } from './kinds/matrix_multiply.js';
import { type MoeMethods, moe, moeMethods } from './kinds/moe.js';
import { type NmsMethods, nms, nmsMethods } from './kinds/nms.js';
import { type NonZeroMethods, nonZero, nonZeroMethods } from './kinds/non_zero.js';
import { type NormalizationMethods, normalization, normalizationMethods } from './kinds/normalization.js';
import { type OneHotMethods, oneHot, oneHotMethods } from './kinds/one_hot.js';
import { type PaddingMethods, padding, paddingMethods } from './kinds/padding.js';
import { type ParametricReluMethods, parametricRelu, parametricReluMethods } from './kinds/parametric_relu.js';
import { type PluginMethods, plugin, pluginMethods } from './kinds/plugin.js';
import { type PoolingMethods, pooling, poolingMethods } from './kinds/pooling.js';
import { type QuantizeMethods, quantize, quantizeMethods } from './kinds/quantize.js';
import { type RaggedSoftmaxMethods, raggedSoftmax, raggedSoftmaxMethods } from './kinds/ragged_softmax.js';
import { type ReduceMethods, reduce, reduceMethods } from './kinds/reduce.js';
import { type ResizeMethods, resize, resizeMethods } from './kinds/resize.js';
import { type ReverseSequenceMethods, reverseSequence, reverseSequenceMethods } from './kinds/reverse_sequence.js';
import { type RotaryEmbeddingMethods, rotaryEmbedding, rotaryEmbeddingMethods } from './kinds/rotary_embedding.js';
import { type ScaleMethods, scale, scaleMethods } from './kinds/scale.js';
import { type ScatterMethods, scatter, scatterMethods } from './kinds/scatter.js';
import { type SelectMethods, select, selectMethods, where } from './kinds/select.js';
import {
  type ShapeMethods,
  type ShapeNetworkMethods,
  shape,
  shapeMethods,
  shapeNetworkMethods,
} from './kinds/shape.js';
import { type ShuffleMethods, shuffle, shuffleMethods } from './kinds/shuffle.js';
import { type SliceMethods, slice, sliceMethods } from './kinds/slice.js';
import { type SoftmaxMethods, softmax, softmaxMethods } from './kinds/softmax.js';
import { type SqueezeMethods, squeeze, squeezeMethods } from './kinds/squeeze.js';
import { type TopkMethods, topk, topkMethods } from './kinds/topk.js';
import { type UnaryMethods, unary, unaryMethods } from './kinds/unary.js';
import { type UnsqueezeMethods, unsqueeze, unsqueezeMethods } from './kinds/unsqueeze.js';

/** One layer kind: its definition, and the methods and functions that expose it. */
export interface LayerRow {
  definition: { readonly kind: string; readonly cpu: unknown };
  /** Methods of tensors. */
  methods?: object;
  /** Methods of networks. */
  networkMethods?: object;
  /** Functions that the package exports. */
  functions?: Readonly<Record<string, (...args: never[]) => unknown>>;
  /** What the CPU backend does where that is not what TensorRT does. */
  onCpu?: string;
  /** False if TensorRT-RTX 1.7.1 declares the layer but does not implement it. */
  rtx1Builds?: false;
}

/** Every layer kind, one row each. */
export const layerTable: readonly LayerRow[] = [
  { definition: ifConditional, networkMethods: ifConditionalMethods },
  { definition: loop, networkMethods: loopMethods },
  { definition: shuffle, methods: shuffleMethods },
  { definition: matrixMultiply, methods: matrixMultiplyMethods },
  { definition: identity, methods: identityMethods },
  { definition: elementWise, methods: elementWiseMethods },
  { definition: concatenation, methods: concatenationMethods, functions: { concat, stack } },
  { definition: cast, methods: castMethods },
  { definition: activation, methods: activationMethods },
  { definition: constant, networkMethods: constantMethods },
  { definition: convolution, methods: convolutionMethods },
  { definition: unary, methods: unaryMethods },
  { definition: softmax, methods: softmaxMethods },
  { definition: reduce, methods: reduceMethods },
  { definition: pooling, methods: poolingMethods },
  { definition: scale, methods: scaleMethods },
  { definition: shape, methods: shapeMethods, networkMethods: shapeNetworkMethods },
  { definition: gather, methods: gatherMethods },
  { definition: slice, methods: sliceMethods },
  { definition: select, methods: selectMethods, functions: { where } },
  { definition: squeeze, methods: squeezeMethods },
  { definition: unsqueeze, methods: unsqueezeMethods },
  { definition: topk, methods: topkMethods },
  { definition: oneHot, methods: oneHotMethods },
  { definition: scatter, methods: scatterMethods },
  { definition: nonZero, methods: nonZeroMethods, rtx1Builds: false },
  { definition: cumulative, methods: cumulativeMethods },
  { definition: reverseSequence, methods: reverseSequenceMethods },
  { definition: gridSample, methods: gridSampleMethods },
  { definition: nms, methods: nmsMethods, rtx1Builds: false },
  { definition: deconvolution, methods: deconvolutionMethods },
  { definition: lrn, methods: lrnMethods },
  { definition: padding, methods: paddingMethods },
  { definition: parametricRelu, methods: parametricReluMethods },
  { definition: normalization, methods: normalizationMethods },
  { definition: einsum, methods: einsumMethods, functions: { einsum: einsumOf } },
  { definition: assertion, methods: assertionMethods, onCpu: 'not within loops and conditionals' },
  { definition: raggedSoftmax, methods: raggedSoftmaxMethods },
  { definition: resize, methods: resizeMethods },
  { definition: fill, networkMethods: fillMethods, onCpu: 'with other random numbers' },
  { definition: quantize, methods: quantizeMethods },
  { definition: dequantize, methods: dequantizeMethods },
  { definition: dynamicQuantize, methods: dynamicQuantizeMethods },
  { definition: attention, methods: attentionMethods },
  { definition: rotaryEmbedding, methods: rotaryEmbeddingMethods },
  { definition: kvCacheUpdate, methods: kvCacheUpdateMethods },
  { definition: moe, methods: moeMethods, rtx1Builds: false },
  { definition: distCollective, methods: distCollectiveMethods, onCpu: 'passes its input on, as one rank' },
  { definition: plugin, methods: pluginMethods, onCpu: 'by its reference', rtx1Builds: false },
];

declare module '../dsl/network.js' {
  interface Network extends LoopMethods, IfConditionalMethods, ConstantMethods, ShapeNetworkMethods, FillMethods {}
}

declare module '../dsl/tensor.js' {
  interface TensorSource
    extends ActivationMethods,
      DistCollectiveMethods,
      MoeMethods,
      KvCacheUpdateMethods,
      RotaryEmbeddingMethods,
      AttentionMethods,
      DynamicQuantizeMethods,
      DequantizeMethods,
      QuantizeMethods,
      RaggedSoftmaxMethods,
      AssertionMethods,
      EinsumMethods,
      ShuffleMethods,
      MatrixMultiplyMethods,
      IdentityMethods,
      ElementWiseMethods,
      ConcatenationMethods,
      CastMethods,
      ConvolutionMethods,
      UnaryMethods,
      SoftmaxMethods,
      ReduceMethods,
      PoolingMethods,
      ScaleMethods,
      ShapeMethods,
      GatherMethods,
      SliceMethods,
      SelectMethods,
      SqueezeMethods,
      UnsqueezeMethods,
      TopkMethods,
      OneHotMethods,
      ScatterMethods,
      NonZeroMethods,
      CumulativeMethods,
      ReverseSequenceMethods,
      GridSampleMethods,
      NmsMethods,
      DeconvolutionMethods,
      LrnMethods,
      PaddingMethods,
      ParametricReluMethods,
      NormalizationMethods,
      PluginMethods,
      ResizeMethods {}
}

/** Adds methods to a class. Each name may be added only once. */
export function addMethods(target: object, methods: object): void {
  for (const [name, method] of Object.entries(methods)) {
    if (name in target) throw new Error(`layer method '${name}' is defined twice`);
    Object.assign(target, { [name]: publicMethod(name, method, methodCheck(name)) });
  }
}

/** Adds the methods of all layers to tensors and networks; called once by the package's entry. */
export function installLayers(): void {
  for (const { methods, networkMethods } of layerTable) {
    if (methods) addMethods(TensorSource.prototype, methods);
    if (networkMethods) addMethods(Network.prototype, networkMethods);
  }
}
