import type { Fail, InferContext, InferredValue, LayerDefinition } from '../../dsl/define-layer.js';
import type { IRWeight, LayerParams } from '../../dsl/ir.js';
import { Tensor } from '../../dsl/tensor.js';
import { type Dim, formatShape, type Shape } from '../../values/dim.js';
import type { DType, HalfArray, TypedArray } from '../../values/dtype.js';
import { isWeightLike, type WeightLike } from '../../values/weight.js';
import { floats, requireDType, requireInputsDType } from './dtypes.js';
import { type Named, type PerAxis, perAxis, positive, requirePerAxis, wholeNumbers } from './parameters.js';
import { requireRank } from './shapes.js';
import { shownAxis, shownShape } from './spatial-text.js';
import { type PaddingOptions, paddingParams, window } from './window.js';

// Shared by convolution and deconvolution: options, parameters, and the handling of kernel and bias.

export interface KernelOptions extends PaddingOptions, Named {
  /** [outChannels] */
  bias?: WeightLike | TypedArray | HalfArray | Tensor | undefined;
  /** Default 1. */
  stride?: PerAxis | undefined;
  /** Default 1. */
  dilation?: PerAxis | undefined;
  /** Default 1. */
  groups?: number | undefined;
}

export const kernelParams = {
  kernel: wholeNumbers(1, 0, 3),
  // Checked before the channels, which follow from them.
  groups: positive,
  outChannels: positive,
  stride: window,
  dilation: window,
  ...paddingParams,
};

const kernelLists = ['kernel', 'dilation', 'prePadding', 'postPadding'] as const;

interface KernelParams {
  kernel: number[];
  outChannels: number;
  stride: number[];
  dilation: number[];
  prePadding: number[];
  postPadding: number[];
}

/** The kernel's shape, after checking it and the per-axis parameters against the input's rank and dtype. */
export function kernelShape({ input, inputs, weights, params: p, fail }: InferContext<KernelParams>): Shape {
  const { dtype, shape } = input(0);
  const axes = p.stride.length;
  requireDType(dtype, floats, fail);
  requireRank(shape, axes + 2, axes + 2, fail);
  const kernel: IRWeight | { dtype: DType; shape: Shape } =
    weights.kernel ?? inputs[1] ?? fail('ERR_INPUT', 'expected a weight or a tensor, given none', { option: 'weight' });
  requireRank(kernel.shape, axes + 2, axes + 2, fail, 'weight');
  requirePerAxis(p, kernelLists, axes, fail);
  requireInputsDType('weight', kernel.dtype, dtype, fail);
  return kernel.shape;
}

/** The output, after checking the channels. If the kernel is the wrong one, its bias does not fit either. */
export function kernelOutput(context: InferContext<KernelParams>, sizeOf: (axis: number) => Dim): InferredValue {
  const { input, params: p, fail } = context;
  const { dtype, shape } = input(0);
  requireBias(context);
  const spatial = p.kernel.map((_, axis) => sizeOf(axis));
  requireEmptyOfEmpty(shape, spatial, fail);
  return { dtype, shape: [shape[0]!, p.outChannels, ...spatial] };
}

function requireBias({ input, inputs, weights, params: p, fail }: InferContext<KernelParams>): void {
  const bias = weights.bias ?? inputs[2];
  if (!bias) return;
  requireInputsDType('bias', bias.dtype, input(0).dtype, fail);
  if (bias.shape.length === 1 && bias.shape[0] === p.outChannels) return;
  fail('ERR_SHAPE', `expected [${p.outChannels}], given ${formatShape(bias.shape)}`, {
    option: 'bias',
    expected: [p.outChannels],
    actual: bias.shape,
  });
}

/** Refuses an empty axis with a nonempty result: TensorRT gives an empty one, even if padding alone would fill the window. */
function requireEmptyOfEmpty(shape: Shape, spatial: Shape, fail: Fail): void {
  for (const [i, size] of spatial.entries()) {
    if (shape[i + 2] !== 0 || size === 0) continue;
    fail(
      'ERR_SHAPE',
      `spatial axis ${shownAxis(i)} of ${shownShape(shape)} is empty, the result would have ${String(size)} there`,
      {
        expected: 0,
        actual: size,
      },
    );
  }
}

/** Records a layer with a kernel. Tensors become inputs 1 and 2; anything else becomes a weight. */
export function recordKernel<P extends LayerParams>(
  definition: LayerDefinition<P>,
  x: Tensor,
  method: string,
  options: Pick<KernelOptions, 'bias' | 'name'> & { weight: WeightLike | Tensor } & {
    [K in keyof PaddingOptions]?: unknown;
  },
  params: P,
): Tensor {
  const { weight, bias, name } = options;
  const kernelTensor = weight instanceof Tensor ? weight : null;
  const biasTensor = bias instanceof Tensor ? bias : null;
  return x.network.record(definition, {
    method,
    name,
    inputs: [x, kernelTensor, biasTensor],
    weights: { kernel: kernelTensor ? undefined : weight, bias: biasTensor ? undefined : bias },
    params,
  })[0]!;
}

/** The shape of the given kernel; empty if it is neither weight nor tensor, for the schema to refuse. */
export const givenShape = (weight: WeightLike | Tensor): Shape =>
  weight instanceof Tensor || isWeightLike(weight) ? weight.shape : [];

/** Stride, dilation and kernel sizes over `axes`. */
export const kernelWindow = (
  shape: Shape,
  { stride, dilation }: Pick<KernelOptions, 'stride' | 'dilation'>,
  axes: number,
) => ({
  kernel: shape.slice(2) as number[],
  stride: perAxis(stride, axes, 1),
  dilation: perAxis(dilation, axes, 1),
});
