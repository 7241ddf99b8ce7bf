import { z } from 'zod';
import { type CpuGraph, type CpuValue, defineLayer, type Fail, type InferredValue } from '../../dsl/define-layer.js';
import { nameProblem } from '../../dsl/name.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { type Dim, divideExactly, formatShape, isStatic, meet } from '../../values/dim.js';
import { type AttentionForm, attentionForms, rankOf } from '../shared/attention-form.js';
import { blindQueries } from '../shared/blind-queries.js';
import { scalar } from '../shared/constants.js';
import { floats, requireDType } from '../shared/dtypes.js';
import { constantTensor } from '../shared/lift.js';
import type { ConstantData } from '../shared/literal.js';
import { type Named, positive } from '../shared/parameters.js';
import { cpuQuantize } from '../shared/quantization.js';
import { recordKind } from '../shared/record-kind.js';
import { liftRank } from '../shared/record-shuffle.js';
import { remember } from '../shared/remember.js';
import { broadcastDim, requireRank } from '../shared/shapes.js';

/** TensorRT's CausalMaskKind. */
const causalKinds = ['none', 'upper_left', 'lower_right'] as const;
/** Where a causal mask begins: at the first key, or so that the last query sees the last key. @useDeclaredType */
export type CausalKind = (typeof causalKinds)[number];
const quantizedTo = ['float8e4m3', 'int8'] as const;

/** Inputs: query, key, value, mask, scale of the quantized normalization, lengths of queries, lengths of keys. */
export const attention = defineLayer({
  kind: 'attention',
  params: z.strictObject({
    normalization: z.enum(['softmax', 'none']),
    causalKind: z.enum(causalKinds),
    decomposable: z.boolean(),
    quantizeTo: z.enum(quantizedTo).nullable(),
    metadata: z.string().max(4000).nullable(),
    ranks: positive.nullable(),
    queryForm: z.enum(attentionForms),
    keyValueForm: z.enum(attentionForms),
  }),
  infer({ input, inputs, params: p, fail }) {
    const [query, key, value] = [input(0), input(1), input(2)];
    requireDType(query.dtype, floats, fail, 'query');
    requireForm(query, p.queryForm, 'query', fail);
    for (const [name, tensor] of Object.entries({ key, value })) {
      requireForm(tensor, p.keyValueForm, name, fail);
      if (tensor.dtype !== query.dtype) {
        fail('ERR_DTYPE', `expected ${query.dtype}, as the query has, given ${tensor.dtype}`, { option: name });
      }
    }
    requireFit(query, key, value, p, fail);
    const [mask, scale, queryLengths, keyLengths] = inputs.slice(3);
    if (mask) requireMask(mask, query, key, p, fail);
    if (Boolean(scale) !== Boolean(p.quantizeTo))
      fail('ERR_INPUT', 'expected both a dtype and a scale', { option: 'quantize' });
    if (scale) requireRank(scale.shape, 0, 1, fail, 'quantize.scale');
    requireLengths(queryLengths, p.queryForm, 'queryLengths', fail);
    requireLengths(keyLengths, p.keyValueForm, 'keyValueLengths', fail, p.keyValueForm === 'padded_bhnd');
    return { dtype: query.dtype, shape: [...query.shape.slice(0, -1), value.shape.at(-1)!] };
  },
  cpu(g, layer) {
    const { input, inputs, inputTypes, outputTypes, params: p } = layer;
    if (p.queryForm !== 'padded_bhnd' || p.keyValueForm !== 'padded_bhnd')
      throw new Error('packed forms run on a GPU only');
    if ((p.ranks ?? 1) > 1) throw new Error(`${p.ranks} devices are needed, the CPU backend is one`);
    const [query, key, value] = [0, 1, 2].map((i) => g.cast(input(i), 'float32')) as [CpuValue, CpuValue, CpuValue];
    const [heads, groups] = [inputTypes[0]!.shape[1]!, inputTypes[1]!.shape[1]!];
    const [k, v] = [key, value].map((x) => (heads === groups ? x : repeatHeads(g, x, query)));
    let scores = g.op('MatMul', [query, g.op('Transpose', [k!], { perm: [0, 1, 3, 2] })]);
    const [mask, scale, , keyLengths] = inputs.slice(3);
    const blocked = g.constant('float32', [], [Number.NEGATIVE_INFINITY]);
    if (mask) {
      scores =
        inputTypes[3]!.dtype === 'bool'
          ? g.op('Where', [mask, scores, blocked])
          : g.op('Add', [scores, g.cast(mask, 'float32')]);
    }
    const sizes = g.op('Shape', [scores]);
    if (p.causalKind !== 'none') scores = g.op('Where', [causalMask(g, sizes, p.causalKind), scores, blocked]);
    if (keyLengths) {
      const lengths = g.op('Unsqueeze', [g.cast(keyLengths, 'int64'), g.constant('int64', [3], [1, 2, 3])]);
      scores = g.op('Where', [g.op('Less', [range(g, sizes, 3), lengths]), scores, blocked]);
    }
    let weights = p.normalization === 'softmax' ? g.op('Softmax', [scores], { axis: -1 }) : scores;
    if (scale && p.quantizeTo) {
      const wide = g.cast(scale, 'float32');
      const narrow = g.cast(cpuQuantize(g, weights, wide, p.quantizeTo), p.quantizeTo);
      weights = g.op('Mul', [g.cast(narrow, 'float32'), wide]);
    }
    return g.cast(g.op('MatMul', [weights, v!]), outputTypes[0]!.dtype);
  },
});

interface Forms {
  queryForm: AttentionForm;
  keyValueForm: AttentionForm;
}

/** Axis of the tokens; heads come before it in the padded form and after it in the packed form. */
const tokensAxis = (form: AttentionForm): number => (form === 'padded_bhnd' ? 2 : 0);

function requireForm({ shape }: InferredValue, form: AttentionForm, what: string, fail: Fail): void {
  if (shape.length === rankOf(form)) return;
  const expected = form === 'padded_bhnd' ? '[batch, heads, tokens, size]' : '[tokens, heads, size]';
  fail('ERR_RANK', `expected ${expected}, given ${formatShape(shape)}`, { option: what, expected, actual: shape });
}

function differ(a: Dim, b: Dim): boolean {
  meet(a, b);
  return isStatic(a) && isStatic(b) && a !== b;
}

function requireFit(q: InferredValue, k: InferredValue, v: InferredValue, forms: Forms, fail: Fail): void {
  const misfit = (what: string, a: InferredValue, b: InferredValue): never =>
    fail('ERR_SHAPE', `${what} ${formatShape(a.shape)} and ${formatShape(b.shape)}`, {
      expected: a.shape,
      actual: b.shape,
    });
  if (differ(q.shape.at(-1)!, k.shape.at(-1)!)) misfit('query and key differ in the size of their heads:', q, k);
  if (k.shape.slice(0, -1).some((dim, i) => differ(dim, v.shape[i]!)))
    misfit('key and value differ before their last axis:', k, v);
  if (forms.queryForm === 'padded_bhnd' && forms.keyValueForm === 'padded_bhnd' && differ(q.shape[0]!, k.shape[0]!)) {
    misfit('query and key differ in the batch:', q, k);
  }
  const [heads, groups] = [q.shape[1]!, k.shape[1]!];
  if (isStatic(heads) && isStatic(groups) && !divideExactly(heads, groups)) {
    misfit("the query's heads are no multiple of the key's:", q, k);
  }
}

function requireMask(
  mask: InferredValue,
  q: InferredValue,
  k: InferredValue,
  p: Forms & { causalKind: CausalKind },
  fail: Fail,
): void {
  requireDType(mask.dtype, ['bool', q.dtype], fail, 'mask');
  if (p.causalKind !== 'none')
    fail('ERR_PARAMETER', 'TensorRT takes a mask or a causal one, given both', { option: 'causal' });
  const expected: Dim[] = [
    q.shape[0]!,
    q.shape[1]!,
    q.shape[tokensAxis(p.queryForm)]!,
    k.shape[tokensAxis(p.keyValueForm)]!,
  ];
  const fits =
    mask.shape.length === 4 && mask.shape.every((dim, i) => dim === 1 || broadcastDim(dim, expected[i]!) !== undefined);
  if (!fits) {
    fail('ERR_SHAPE', `expected ${formatShape(expected)} or ones in it, given ${formatShape(mask.shape)}`, {
      option: 'mask',
      expected,
      actual: mask.shape,
    });
  }
}

function requireLengths(
  lengths: InferredValue | null | undefined,
  form: AttentionForm,
  what: string,
  fail: Fail,
  allowed = false,
): void {
  const packed = form === 'packed_nhd';
  if (!lengths && packed) fail('ERR_INPUT', `the packed form needs them`, { option: what });
  if (!lengths) return;
  if (!packed && !allowed) fail('ERR_INPUT', `expected none in the padded form`, { option: what });
  requireDType(lengths.dtype, ['int32'], fail, what);
  requireRank(lengths.shape, 1, 1, fail, what);
}

/** Repeats every head of keys or values for the query heads that share it. */
function repeatHeads(g: CpuGraph, x: CpuValue, query: CpuValue): CpuValue {
  const count = (value: CpuValue) => g.op('Gather', [g.op('Shape', [value]), g.constant('int64', [], [1])]);
  const heads = range(g, g.op('Shape', [query]), 1);
  return g.op('Gather', [x, g.op('Div', [g.op('Mul', [heads, count(x)]), count(query)])], { axis: 1 });
}

/** 0, 1, … up to the size of an axis. */
function range(g: CpuGraph, sizes: CpuValue, axis: number): CpuValue {
  const number = (v: number) => g.constant('int64', [], [v]);
  return g.op('Range', [number(0), g.op('Gather', [sizes, number(axis)]), number(1)]);
}

/** True where query i may attend to key j: j ≤ i, or j ≤ i + keys − queries. */
function causalMask(g: CpuGraph, sizes: CpuValue, kind: CausalKind): CpuValue {
  const number = (v: number) => g.constant('int64', [], [v]);
  const size = (axis: number) => g.op('Gather', [sizes, number(axis)]);
  let rows = g.op('Unsqueeze', [range(g, sizes, 2), g.constant('int64', [1], [1])]);
  if (kind === 'lower_right') rows = g.op('Add', [rows, g.op('Sub', [size(3), size(2)])]);
  return g.op('LessOrEqual', [range(g, sizes, 3), rows]);
}

export interface AttentionOptions extends Named {
  /**
   * Broadcasts to [batch, heads, queries, keys], as in NumPy: bool, true where a query may look; or added to the scores, in
   * the dtype of the query. The result of a query that sees no key is 0, as in PyTorch.
   */
  mask?: Tensor | ConstantData | undefined;
  /**
   * Whether queries look at no later keys. `upper_left` (which true means): query i sees keys up to i. `lower_right`: the
   * last query sees all keys, as in generation with a cache. Default false.
   */
  causal?: boolean | CausalKind | undefined;
  /** Factor of the scores. Default: 1 / √size, as PyTorch's scaled_dot_product_attention. */
  scale?: number | undefined;
  /** Default `softmax`. */
  normalization?: 'softmax' | 'none' | undefined;
  /** Whether TensorRT may use several kernels if it has no fused one. Default true. */
  decomposable?: boolean | undefined;
  /** Quantizes the normalization's result: the dtype, and a scale of rank 0 or 1 in the query's dtype. */
  quantize?: { to: (typeof quantizedTo)[number]; scale: Tensor | ConstantData } | undefined;
  /** Text for the engine inspector; from TensorRT 10.15 on. */
  metadata?: string | undefined;
  /** Number of devices that share the work; from TensorRT 10.16 on. */
  ranks?: number | undefined;
  /** Layout of the query; `packed_nhd` from TensorRT 11 on. Default `padded_bhnd`. */
  queryForm?: AttentionForm | undefined;
  /** Layout of key and value. Default `padded_bhnd`. */
  keyValueForm?: AttentionForm | undefined;
  /** Of the packed query: tokens before each batch and in all, int32 [batch + 1]. */
  queryLengths?: Tensor | ConstantData | undefined;
  /** Of packed keys, as `queryLengths`; of padded ones, the keys of each batch, int32 [batch]. From TensorRT 11 on. */
  keyValueLengths?: Tensor | ConstantData | undefined;
}

const method = 'attention';

/** Scales the scores through the query, because TensorRT's layer does not scale them. */
function scaled(query: Tensor, given: number | undefined): Tensor {
  const size = query.shape.at(-1);
  const scale = given ?? (typeof size === 'number' ? 1 / Math.sqrt(size) : undefined);
  if (typeof scale !== 'number' || !Number.isFinite(scale)) {
    return refuse(
      method,
      'ERR_PARAMETER',
      `expected a number, given ${String(given)} for heads of size ${String(size)}`,
      { option: 'scale' },
    );
  }
  return scale === 1 || !floats.includes(query.dtype) ? query : query.mul(scale);
}

const methods = {
  /**
   * Attention of this tensor's queries to keys and values, like PyTorch's scaled_dot_product_attention:
   * `softmax(scale · q · kᵀ + mask) · v`. Query [batch, heads, queries, size], key and value [batch, heads, keys,
   * size]; keys and values may have fewer heads, which queries then share. float32, float16, bfloat16. TensorRT runs it
   * as one kernel if it has one; before 10.14, and where values have another size than keys, it is made from
   * multiplications and softmax.
   * With softmax, the result of a query that sees no key is 0, as in PyTorch; where one is possible, layers after the attention select it.
   * `quantize` was compared with ONNX's QuantizeLinear after the softmax, not with a TensorRT kernel. TensorRT kind: attention.
   * @returns [batch, heads, queries, size of the values]
   * @throws ERR_SHAPE, ERR_RANK, ERR_DTYPE where tensors do not fit; ERR_PARAMETER, ERR_INPUT
   */
  attention(this: TensorSource, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
    const { network } = this.tensor();
    const { causal = false, quantize, name } = options;
    const causalKind = causal === true ? 'upper_left' : causal === false ? 'none' : causal;
    const { normalization = 'softmax', queryForm = 'padded_bhnd', keyValueForm = 'padded_bhnd' } = options;
    const lift = (given: Tensor | ConstantData | undefined, dtype: Tensor['dtype'] | undefined, rank?: number) =>
      given === undefined ? null : constantTensor(network, given, dtype, method, rank);
    const query = scaled(this.tensor(), options.scale);
    const boolean = typeof [options.mask].flat(8)[0] === 'boolean';
    const given = lift(options.mask, boolean ? 'bool' : query.dtype, 4);
    const mask = given && remember(network, `${given.id} of rank 4`, () => liftRank(given, 4, method));
    const scale = lift(quantize?.scale, query.dtype);
    const [queryLengths, keyValueLengths] = [
      lift(options.queryLengths, 'int32'),
      lift(options.keyValueLengths, 'int32'),
    ];
    const recordAttention = (naming: { name?: string | undefined }): Tensor =>
      network.record(attention, {
        method,
        ...naming,
        inputs: [query, key, value, mask, scale, queryLengths, keyValueLengths],
        params: {
          normalization,
          causalKind,
          decomposable: options.decomposable ?? true,
          quantizeTo: quantize?.to ?? null,
          metadata: options.metadata ?? null,
          ranks: options.ranks ?? null,
          queryForm,
          keyValueForm,
        },
      })[0]!;
    if (normalization !== 'softmax') return recordAttention({ name });
    const visibility = {
      query,
      key,
      queryForm,
      keyValueForm,
      mask,
      maskElements: given?.elements,
      queryLengths,
      keyValueLengths,
    };
    // Parts are named after the layer, whose name is the last one's.
    const scope = nameProblem(name) === undefined ? (name as string) : 'attention';
    const blind = network.scope(scope, () => blindQueries({ ...visibility, lowerRight: causalKind === 'lower_right' }));
    if (!blind) return recordAttention({ name });
    const [zero, attended] = network.scope(scope, () => [
      scalar(network, query.dtype, 0, query.rank, method),
      recordAttention({}),
    ]) as [Tensor, Tensor];
    return recordKind(network, 'select', {
      method,
      name,
      hint: 'attention',
      inputs: [blind, zero, attended],
      params: {},
    });
  },
};

export { methods as attentionMethods };
export type AttentionMethods = typeof methods;
