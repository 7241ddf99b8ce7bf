import {
  type Call,
  data,
  type Entry,
  type Expression,
  float32Text,
  given,
  list,
  option,
  perAxis,
} from '../expression.js';
import type { View } from './view.js';

// The calls that may record a layer of a kind, the best first. Whether they do is tried, so a guess costs only time.

export type Calls = (view: View) => Iterable<Call>;

/** A call on the first input. */
export const on = (
  view: View,
  method: string,
  args: readonly Expression[] = [],
  options: readonly Entry[] = [],
): Call => ({ on: view.x, method, args, options, results: { is: 'one' } });

/** An option that is a float32 in the network. */
const number = (name: string, value: number, fallback?: number): Entry[] =>
  fallback !== undefined && Math.fround(value) === Math.fround(fallback) ? [] : option(name, float32Text(value));

/** A list where a single item may stand for itself. */
const few = (values: readonly number[]): Expression => data(values.length === 1 ? values[0] : values);

const activationMethods: Readonly<Record<string, string>> = {
  relu: 'relu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  selu: 'selu',
  softsign: 'softsign',
};

function* activation(view: View): Iterable<Call> {
  const { type, alpha, beta } = view.params;
  const plain = activationMethods[type];
  if (plain) yield on(view, plain);
  const most = 3.4028234663852886e38;
  const by: Readonly<Record<string, () => Call>> = {
    leaky_relu: () => on(view, 'leakyRelu', [], number('negativeSlope', alpha, 0.01)),
    elu: () => on(view, 'elu', [], number('alpha', alpha, 1)),
    softplus: () => on(view, 'softplus', [], number('beta', beta, 1)),
    clip: () =>
      on(
        view,
        'clamp',
        [],
        [...(alpha === -most ? [] : number('min', alpha)), ...(beta === most ? [] : number('max', beta))],
      ),
    hard_sigmoid: () => on(view, 'hardSigmoid', [], [...number('alpha', alpha, 1 / 6), ...number('beta', beta, 0.5)]),
    scaled_tanh: () => on(view, 'scaledTanh', [], [...number('alpha', alpha, 1), ...number('beta', beta, 1)]),
    thresholded_relu: () => on(view, 'thresholdedRelu', [], number('threshold', alpha, 1)),
    gelu_erf: () => on(view, 'gelu'),
    gelu_tanh: () => on(view, 'gelu', [], option('approximate', 'tanh')),
  };
  if (by[type]) yield by[type]();
  yield on(view, 'activation', [], [...option('type', type), ...number('alpha', alpha, 0), ...number('beta', beta, 0)]);
}

const unaryMethods: Readonly<Record<string, string>> = { recip: 'reciprocal', not: 'logicalNot' };

function* unary(view: View): Iterable<Call> {
  const { operation } = view.params;
  yield on(view, unaryMethods[operation] ?? operation);
}

const binaryMethods: Readonly<Record<string, string>> = {
  sum: 'add',
  prod: 'mul',
  max: 'maximum',
  min: 'minimum',
  sub: 'sub',
  div: 'div',
  pow: 'pow',
  floor_div: 'floorDiv',
  and: 'logicalAnd',
  or: 'logicalOr',
  xor: 'logicalXor',
  equal: 'eq',
  greater: 'gt',
  less: 'lt',
};

function* elementWise(view: View): Iterable<Call> {
  const { operation } = view.params;
  const [a, b] = view.node.inputs;
  if (operation === 'prod' && a === b && view.isTensor(0)) yield on(view, 'square');
  yield on(view, binaryMethods[operation]!, [view.input(1)!]);
  yield on(view, 'elementWise', [view.input(1)!], option('operation', operation));
}

const reduceMethods: Readonly<Record<string, string>> = { avg: 'mean' };

function* reduce(view: View): Iterable<Call> {
  const { operation, axes, keepDims } = view.params;
  const rest = option('keepDims', keepDims, false);
  const method = reduceMethods[operation] ?? operation;
  yield on(view, method, [], rest);
  if (axes.length === 1) yield on(view, method, [], [...option('axis', axes[0]), ...rest]);
  yield on(view, method, [], [...option('axes', axes), ...rest]);
}

function padding({ prePadding, postPadding, paddingMode }: View['params']): Entry[] {
  const same = String(prePadding) === String(postPadding);
  return [
    ...(same ? option('padding', perAxis(prePadding), 0) : []),
    ...(same ? [] : [...option('prePadding', perAxis(prePadding)), ...option('postPadding', perAxis(postPadding))]),
    ...option('paddingMode', paddingMode, 'explicit_round_down'),
  ];
}

const kernelled = (name: string): Calls =>
  function* (view) {
    const { stride, dilation, groups } = view.params;
    yield on(
      view,
      `${name}${stride.length}d`,
      [],
      [
        ...view.operands({ weight: ['kernel', 1], bias: ['bias', 2] }),
        ...option('stride', perAxis(stride), 1),
        ...padding(view.params),
        ...option('dilation', perAxis(dilation), 1),
        ...option('groups', groups, 1),
      ],
    );
  };

function* pooling(view: View): Iterable<Call> {
  const { type, kernel, stride, averageCountExcludesPadding, blendFactor } = view.params;
  const rest = [
    ...option('kernel', perAxis(kernel)),
    ...option('stride', perAxis(stride), perAxis(kernel)),
    ...padding(view.params),
    ...(averageCountExcludesPadding ? option('countIncludePad', false) : []),
  ];
  const plain = ({ max: 'maxPool', average: 'avgPool' } as Record<string, string>)[type];
  if (plain) {
    yield on(view, plain, [], rest);
    yield on(view, `${plain}${kernel.length}d`, [], rest);
  }
  const names: Record<string, string> = { max_average_blend: 'maxAverageBlend' };
  const all = [...option('type', names[type] ?? type), ...rest, ...number('blendFactor', blendFactor, 0)];
  yield on(view, 'pool', [], all);
  yield on(view, 'pool', [], [...option('type', names[type] ?? type), ...option('kernel', kernel), ...all.slice(2)]);
}

function* normalization(view: View): Iterable<Call> {
  const { axes, groups, eps } = view.params;
  const weights = view.operands({ weight: ['scale', 1], bias: ['bias', 2] });
  const rest = number('eps', eps, 1e-5);
  const { shape } = view.type(0);
  const normalized = axes.map((axis: number) => shape[axis]);
  for (const given of [[], weights.filter(([name]) => name === 'weight'), weights]) {
    yield on(view, 'layerNorm', [], [...given, ...rest]);
    yield on(view, 'layerNorm', [], [...option('normalizedShape', normalized), ...given, ...rest]);
    yield on(view, 'instanceNorm', [], [...given, ...rest]);
    yield on(view, 'groupNorm', [], [...option('groups', groups), ...given, ...rest]);
  }
  yield on(view, 'layerNorm', [], [...option('axes', axes), ...weights, ...rest]);
}

function* matrixMultiply(view: View): Iterable<Call> {
  const { operationA, operationB, useFp32Acc } = view.params;
  const accumulation = option('useFp32Acc', useFp32Acc, view.useFp32Acc);
  const flag = (name: string, operation: string) => (operation === 'transpose' ? option(name, true) : []);
  const args = [view.input(1)!];
  const flags = [...flag('transposeA', operationA), ...flag('transposeB', operationB)];
  yield on(view, 'matmul', args, [...flags, ...accumulation]);
  const named = [...option('operationA', operationA), ...option('operationB', operationB)];
  yield on(view, 'matmul', args, [...named, ...option('useFp32Acc', useFp32Acc)]);
}

function* scale(view: View): Iterable<Call> {
  const { mode, channelAxis } = view.params;
  const weights = [
    ...given('scale', view.weight('scale')),
    ...given('shift', view.weight('shift')),
    ...given('power', view.weight('power')),
  ];
  yield on(view, 'scale', [], [...weights, ...option('channelAxis', channelAxis, 1)]);
  yield on(view, 'scale', [], [...weights, ...option('mode', mode), ...option('channelAxis', channelAxis, 1)]);
}

function* shuffle(view: View): Iterable<Call> {
  const { firstTranspose, reshape, secondTranspose, zeroIsPlaceholder } = view.params;
  const dims = view.input(1) ?? (reshape && data(reshape));
  const placeholder = option('zeroIsPlaceholder', zeroIsPlaceholder, true);
  if (firstTranspose && !dims && !secondTranspose) {
    const reversed = firstTranspose.every((axis: number, i: number) => axis === firstTranspose.length - 1 - i);
    if (reversed) yield on(view, 'transpose');
    yield on(view, 'transpose', [data(firstTranspose)]);
  }
  if (dims && !firstTranspose && !secondTranspose) {
    yield on(view, 'reshape', [dims]);
    yield on(view, 'reshape', [data(view.output.shape)]);
    yield on(view, 'reshape', [dims], option('zeroIsPlaceholder', false));
    yield on(view, 'reshape', [data(view.output.shape)], option('zeroIsPlaceholder', false));
  }
  const both = (middle: Expression | null) => [
    ...option('firstTranspose', firstTranspose ?? undefined),
    ...given('reshape', middle ?? undefined),
    ...option('secondTranspose', secondTranspose ?? undefined),
  ];
  yield on(view, 'shuffle', [], [...both(dims), ...placeholder]);
  const first = firstTranspose && !secondTranspose && dims;
  if (first) yield on(view, 'shuffle', [], [...both(data(view.output.shape)), ...placeholder]);
  if (first) yield on(view, 'shuffle', [], [...both(data(view.output.shape)), ...option('zeroIsPlaceholder', false)]);
}

function* slice(view: View): Iterable<Call> {
  const { start, size, stride, mode } = view.params;
  const { shape } = view.type(0);
  const part = (index: number, values: readonly number[] | null) => view.input(index) ?? data(values);
  const ones = shape.map(() => 1);
  const fill = view.input(4);
  const how = [...option('mode', mode, 'strict_bounds'), ...given('fill', fill)];
  if (start && size && mode === 'strict_bounds' && String(stride) === String(ones)) {
    const cut = shape.flatMap((dim, axis) => (dim === size[axis] ? [] : [axis]));
    if (cut.length === 1) yield on(view, 'narrow', [data(cut[0]), data(start[cut[0]!]), data(size[cut[0]!])]);
  }
  if (size && start?.every((from: number) => from === 0)) yield on(view, 'expand', [data(size)]);
  const some = (values: readonly number[] | null, common: readonly number[]) =>
    values && String(values) === String(common);
  yield on(
    view,
    'slice',
    [],
    [
      ...(some(
        start,
        shape.map(() => 0),
      ) && some(stride, ones)
        ? []
        : given('start', part(1, start))),
      ...given('size', part(2, size)),
      ...(some(stride, ones) ? [] : given('stride', part(3, stride))),
      ...how,
    ],
  );
  yield on(
    view,
    'slice',
    [],
    [...given('start', part(1, start)), ...given('size', part(2, size)), ...given('stride', part(3, stride)), ...how],
  );
}

function* gather(view: View): Iterable<Call> {
  const { mode, axis, elementWiseDims } = view.params;
  const rest = [
    ...option('axis', axis, 0),
    ...option('mode', mode, 'default'),
    ...option('elementWiseDims', elementWiseDims, 0),
  ];
  if (view.x.is === 'data') return;
  if (!view.isTensor(0)) {
    yield {
      on: view.input(1)!,
      method: 'embedding',
      args: [],
      options: given('weight', view.x),
      results: { is: 'one' },
    };
    return;
  }
  yield on(view, 'gather', [view.input(1)!], rest);
}

function* constant(view: View): Iterable<Call> {
  for (const { value, options } of view.literals())
    yield { on: { is: 'net' }, method: 'constant', args: [value], options, results: { is: 'one' } };
}

function* concatenation(view: View): Iterable<Call> {
  const tensors = view.inputs() as Expression[];
  yield {
    method: 'concat',
    args: [list(tensors)],
    options: option('axis', view.params.axis, 0),
    results: { is: 'one' },
  };
}

function* topk(view: View): Iterable<Call> {
  const { operation, k, axis, indices } = view.params;
  const rest = [...option('largest', operation === 'max', true), ...option('indices', indices, 'int32')];
  const last = axis === view.type(0).shape.length - 1;
  const call = on(view, 'topk', [view.input(1) ?? data(k)], [...option('axis', last ? -1 : axis, -1), ...rest]);
  yield { ...call, results: { is: 'list' } };
}

const plain = (method: string, ...inputs: number[]): Calls =>
  function* (view) {
    yield on(
      view,
      method,
      inputs.map((i) => view.input(i)!),
    );
  };

export const kinds: Readonly<Record<string, Calls>> = {
  activation,
  unary,
  element_wise: elementWise,
  reduce,
  convolution: kernelled('conv'),
  deconvolution: kernelled('convTranspose'),
  pooling,
  normalization,
  matrix_multiply: matrixMultiply,
  scale,
  shuffle,
  slice,
  gather,
  constant,
  concatenation,
  topk,
  identity: plain('identity'),
  shape: plain('shapeTensor'),
  ragged_softmax: plain('raggedSoftmax', 1),
  *cast(view) {
    yield on(view, 'cast', [data(view.output.dtype)]);
  },
  *softmax(view) {
    const { axis } = view.params;
    yield on(view, 'softmax', [], option('axis', axis, view.type(0).shape.length - 1));
  },
  *squeeze(view) {
    yield on(view, 'squeeze', [few(squeezed(view))]);
    yield on(view, 'squeeze', [data(squeezed(view))]);
  },
  *unsqueeze(view) {
    yield on(view, 'unsqueeze', [few(view.params.axes)]);
  },
  *select(view) {
    const [condition, a, b] = [0, 1, 2].map((i) => view.input(i)!) as [Expression, Expression, Expression];
    if (view.isTensor(2))
      yield { on: b, method: 'maskedFill', args: [condition, a], options: [], results: { is: 'one' } };
    yield { method: 'where', args: [condition, a, b], options: [], results: { is: 'one' } };
  },
  *assertion(view) {
    yield { ...on(view, 'assert', [data(view.params.message)]), results: { is: 'none' } };
  },
};

const squeezed = ({ params }: View): readonly number[] => params.axes;
