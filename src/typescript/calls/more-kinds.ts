import {
  type Call,
  data,
  type Entry,
  type Expression,
  float32Text,
  given,
  list,
  object,
  option,
} from '../expression.js';
import { type Calls, on } from './kinds.js';
import type { View } from './view.js';

// Kinds that most networks do not have.

const number = (name: string, value: number, fallback?: number) =>
  fallback !== undefined && Math.fround(value) === Math.fround(fallback) ? [] : option(name, float32Text(value));

const quantization = (method: string, fallback: string): Calls =>
  function* (view) {
    const { axis, blockShape, to } = view.params;
    yield on(
      view,
      method,
      [],
      [
        ...given('scale', view.input(1)),
        ...given('zeroPoint', view.input(2)),
        ...option('axis', axis, -1),
        ...option('blockShape', blockShape ?? undefined),
        ...option('to', to, fallback),
      ],
    );
  };

/** Options of an attention with this mask and scale. */
export function attentionOptions(view: View, mask: Expression | undefined, scale: readonly Entry[]): Entry[] {
  const p = view.params;
  const quantize = p.quantizeTo
    ? [['quantize', object([...option('to', p.quantizeTo), ...given('scale', view.input(4))])] as const]
    : [];
  return [
    ...given('mask', mask),
    ...option('causal', p.causalKind === 'upper_left' ? true : p.causalKind, 'none'),
    ...scale,
    ...option('normalization', p.normalization, 'softmax'),
    ...option('decomposable', p.decomposable, true),
    ...quantize,
    ...option('metadata', p.metadata ?? undefined),
    ...option('ranks', p.ranks ?? undefined),
    ...option('queryForm', p.queryForm, 'padded_bhnd'),
    ...option('keyValueForm', p.keyValueForm, 'padded_bhnd'),
    ...given('queryLengths', view.input(5)),
    ...given('keyValueLengths', view.input(6)),
  ];
}

function* attention(view: View): Iterable<Call> {
  yield on(
    view,
    'attention',
    [view.input(1)!, view.input(2)!],
    attentionOptions(view, view.input(3), option('scale', 1)),
  );
}

function* resize(view: View): Iterable<Call> {
  const p = view.params;
  yield on(
    view,
    'resize',
    [],
    [
      ...option('mode', p.mode, 'nearest'),
      ...option('scales', p.scales?.map(float32Text)),
      ...given('sizes', view.input(1) ?? (p.sizes ? data(p.sizes) : undefined)),
      ...option('coordinateTransformation', p.coordinateTransformation, 'asymmetric'),
      ...option('selector', p.selector, 'formula'),
      ...option('nearestRounding', p.nearestRounding, 'floor'),
      ...number('cubicCoeff', p.cubicCoeff, -0.75),
      ...option('excludeOutside', p.excludeOutside, false),
    ],
  );
  // PyTorch's form, where the factors are kept.
  const modes: Record<string, string> = { nearest: 'nearest', linear: 'bilinear', cubic: 'bicubic' };
  const spatial = view.type(0).shape.length - 2;
  const linear = ['linear', 'bilinear', 'trilinear'][spatial - 1] ?? 'bilinear';
  const mode = p.mode === 'nearest' && p.nearestRounding === 'half_up' ? 'nearest-exact' : modes[p.mode];
  const align = option('alignCorners', p.coordinateTransformation === 'align_corners', false);
  const named = option('mode', p.mode === 'linear' ? linear : mode, 'nearest');
  const factors: number[] | undefined = p.factors?.slice(2);
  if (factors) {
    const one = factors.every((factor) => factor === factors[0]) ? factors[0] : factors;
    yield on(view, 'interpolate', [], [...option('scaleFactor', one), ...named, ...align]);
  }
}

function* fill(view: View): Iterable<Call> {
  const { operation, dtype, shape, alpha, beta } = view.params;
  const sizes = view.input(0) ?? data(shape);
  const [from, step] = [view.input(1) ?? data(float32Text(alpha)), view.input(2) ?? data(float32Text(beta))];
  const kind = option('dtype', dtype, 'float32');
  const make = (method: string, args: readonly Expression[], options: Call['options']): Call => ({
    on: { is: 'net' },
    method,
    args,
    options,
    results: { is: 'one' },
  });
  if (operation === 'linspace') {
    if (shape?.length === 1 && alpha !== null && Number.isInteger(beta) && Number.isInteger(alpha)) {
      const options = [...option('start', alpha, 0), ...option('step', beta, 1), ...option('dtype', dtype, 'int32')];
      yield make('arange', [data(alpha + shape[0] * beta)], options);
    }
    yield make('fill', [sizes], [...given('alpha', from), ...given('beta', step), ...kind]);
    yield make('fill', [sizes], [...option('alpha', alpha), ...option('beta', beta), ...kind]);
    return;
  }
  const names = operation === 'random_uniform' ? ['randomUniform', 'low', 'high'] : ['randomNormal', 'mean', 'std'];
  const isDefault = alpha === 0 && beta === 1;
  const range = isDefault ? [] : [...given(names[1]!, from), ...given(names[2]!, step)];
  yield make(names[0]!, [sizes], [...range, ...kind]);
  yield make(names[0]!, [sizes], [...option(names[1]!, alpha), ...option(names[2]!, beta), ...kind]);
}

function* prelu(view: View): Iterable<Call> {
  const slope = view.weight('slope');
  if (slope) {
    yield on(view, 'prelu', [], view.operands({ weight: ['slope'] }));
    yield on(view, 'prelu', [], given('slope', slope));
  } else yield on(view, 'prelu', [], given('slope', view.input(1)));
}

function* moe(view: View): Iterable<Call> {
  const { activation, swiglu, quantize } = view.params;
  const names = ['experts', 'scores', 'gate', 'up', 'down', 'gateBias', 'upBias', 'downBias'];
  const clipped = swiglu && [
    ...option('limit', swiglu.limit, Number.POSITIVE_INFINITY),
    ...option('alpha', swiglu.alpha, 1),
    ...option('beta', swiglu.beta, 0),
  ];
  const scaled = quantize && [
    ...option('to', quantize.to),
    ...given('scale', view.input(9)),
    ...option('blockShape', quantize.blockShape ?? undefined),
    ...option('scaleType', quantize.scaleType ?? undefined),
  ];
  yield on(
    view,
    'moe',
    [],
    [
      ...names.flatMap((name, i) => given(name, view.input(1 + i))),
      ...option('activation', activation, 'silu'),
      ...(clipped ? [['swiglu', object(clipped)] as const] : []),
      ...(scaled ? [['quantize', object(scaled)] as const] : []),
    ],
  );
}

function* nms(view: View): Iterable<Call> {
  const { format, topKBoxLimit, indices } = view.params;
  const call = on(
    view,
    'nms',
    [view.input(1)!],
    [
      ...given('maxOutputBoxesPerClass', view.input(2)),
      ...given('iouThreshold', view.input(3)),
      ...given('scoreThreshold', view.input(4)),
      ...option('format', format, 'corner_pairs'),
      ...option('topKBoxLimit', topKBoxLimit, 5000),
      ...option('indices', indices, 'int32'),
    ],
  );
  yield { ...call, results: { is: 'list' } };
}

function* dynamicQuantize(view: View): Iterable<Call> {
  const { blockShape, to, scaleType } = view.params;
  const rest = [...option('to', to, 'float4e2m1'), ...given('doubleScale', view.input(1))];
  const type = option('scaleType', scaleType, to === 'float4e2m1' ? 'float8e4m3' : 'float8e8m0');
  const list = { is: 'list' } as const;
  const axis = blockShape.findIndex((size: number) => size !== 1);
  const last = axis === blockShape.length - 1;
  const form = (options: Call['options']): Call => ({ ...on(view, 'dynamicQuantize', [], options), results: list });
  yield form([...rest, ...type]);
  yield form([...option('axis', last ? -1 : axis, -1), ...option('blockSize', blockShape[axis]), ...rest, ...type]);
  yield form([...option('blockShape', blockShape), ...rest, ...type]);
}

export const moreKinds: Readonly<Record<string, Calls>> = {
  quantize: quantization('quantize', 'int8'),
  dequantize: quantization('dequantize', 'float32'),
  attention,
  resize,
  fill,
  parametric_relu: prelu,
  moe,
  nms,
  dynamic_quantize: dynamicQuantize,
  *cumulative(view) {
    const { axis, exclusive, reverse } = view.params;
    const last = axis === view.type(0).shape.length - 1;
    const rest = [...option('exclusive', exclusive, false), ...option('reverse', reverse, false)];
    yield on(view, 'cumsum', [], [...option('axis', last ? -1 : axis, -1), ...rest]);
  },
  *reverse_sequence(view) {
    const { batchAxis, sequenceAxis } = view.params;
    const axes = [...option('batchAxis', batchAxis, 1), ...option('sequenceAxis', sequenceAxis, 0)];
    yield on(view, 'reverseSequence', [view.input(1)!], axes);
  },
  *grid_sample(view) {
    const { interpolation, sampleMode, alignCorners } = view.params;
    const mode = ({ linear: 'bilinear', cubic: 'bicubic' } as Record<string, string>)[interpolation] ?? interpolation;
    const outside: Record<string, string> = { fill: 'zeros', clamp: 'border', reflect: 'reflection' };
    yield on(
      view,
      'gridSample',
      [view.input(1)!],
      [
        ...option('mode', mode, 'bilinear'),
        ...option('paddingMode', outside[sampleMode], 'zeros'),
        ...option('alignCorners', alignCorners, false),
      ],
    );
  },
  *lrn(view) {
    const { window, alpha, beta, k } = view.params;
    const rest = [...number('alpha', alpha, 1e-4), ...number('beta', beta, 0.75), ...number('k', k, 1)];
    yield on(view, 'localResponseNorm', [], [...option('size', window), ...rest]);
  },
  *one_hot(view) {
    const { depth, axis } = view.params;
    const last = axis === view.type(0).shape.length;
    const at = option('axis', last ? -1 : axis, -1);
    const values = view.input(1)!;
    const dtype = view.type(1).dtype;
    if (!view.isTensor(1)) {
      yield on(view, 'oneHot', [data(depth)], [...at, ...option('dtype', dtype, 'float32')]);
      yield on(
        view,
        'oneHot',
        [data(depth)],
        [...at, ...given('values', values), ...option('dtype', dtype, 'float32')],
      );
    }
    yield on(view, 'oneHot', [data(depth)], [...at, ...given('values', values)]);
  },
  *padding(view) {
    const { prePadding, postPadding } = view.params;
    const [[top, left], [bottom, right]] = [prePadding, postPadding] as [number[], number[]];
    const sides = [left, right, top, bottom];
    const all = sides.every((side) => side === left);
    if (all) yield on(view, 'pad', [], option('padding', left));
    yield on(view, 'pad', [], option('padding', sides));
    yield on(view, 'pad', [], [...option('prePadding', prePadding), ...option('postPadding', postPadding)]);
  },
  *scatter(view) {
    const { mode, axis } = view.params;
    const rest = [...option('mode', mode, 'element'), ...option('axis', axis, 0)];
    yield on(view, 'scatter', [view.input(1)!, view.input(2)!], rest);
  },
  *non_zero(view) {
    yield on(view, 'nonZero', [], option('indices', view.params.indices, 'int32'));
  },
  *einsum(view) {
    const { equation } = view.params;
    const tensors = view.inputs() as Expression[];
    yield { on: view.x, method: 'einsum', args: [data(equation), ...tensors.slice(1)], results: { is: 'one' } };
    yield { method: 'einsum', args: [data(equation), list(tensors)], options: [], results: { is: 'one' } };
  },
  *rotary_embedding(view) {
    const { interleaved, rotaryDim } = view.params;
    yield on(
      view,
      'rotaryEmbedding',
      [],
      [
        ...given('cos', view.input(1)),
        ...given('sin', view.input(2)),
        ...given('positions', view.input(3)),
        ...option('interleaved', interleaved, false),
        ...option('rotaryDim', rotaryDim, 0),
      ],
    );
  },
  *kv_cache_update(view) {
    const rest = [
      ...option('updateForm', view.params.updateForm, 'padded_bhnd'),
      ...given('updateLengths', view.input(3)),
    ];
    yield on(view, 'kvCacheUpdate', [view.input(1)!, view.input(2)!], rest);
  },
  *dist_collective(view) {
    const { operation, reduceOperation, root, groups, ranks } = view.params;
    yield on(
      view,
      'distCollective',
      [],
      [
        ...option('operation', operation),
        ...(reduceOperation === 'none' ? [] : option('reduce', reduceOperation, 'sum')),
        ...(root < 0 ? [] : option('root', root, 0)),
        ...option('groups', groups, []),
        ...option('ranks', ranks, groups.length || 1),
      ],
    );
  },
};
