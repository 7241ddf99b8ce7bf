import { type Call, data, type Entry, type Expression, option } from '../expression.js';
import { attentionOptions } from './more-kinds.js';
import type { View } from './view.js';

// Calls that record several layers, which the recorder noted to be of one call. What their options were it did not note,
// so the likely ones are tried.

/** Methods without options. */
const plain = new Set(
  'silu swish relu6 hardSwish mish logSigmoid rsqrt isfinite log2 log1p trunc square sign exp2 expm1 glu logSoftmax softmin relu'.split(
    ' ',
  ),
);

const binary = new Set(
  'add sub mul div pow maximum minimum eq ne gt ge lt le floorDiv mod fmod remainder trueDivide logicalAnd logicalOr logicalXor'.split(
    ' ',
  ),
);

/** What several layers take from outside, in the order in which they take it. */
function takenFrom(views: readonly View[]): Expression[] {
  const own = new Set(views.flatMap(({ node }) => node.outputs.map(({ id }) => id)));
  const ids = views.flatMap(({ node }) => node.inputs.filter((id): id is number => id !== null && !own.has(id)));
  return [...new Set(ids)].map((id) => ({ is: 'tensor', id }));
}

/** Constants among the layers, as arguments. */
const constantsOf = (views: readonly View[]): Expression[] =>
  views.filter(({ node }) => node.kind === 'constant').flatMap((view) => view.operand() ?? []);

function* linear(views: readonly View[]): Iterable<Call> {
  const product = views.find(({ node }) => node.kind === 'matrix_multiply');
  const [weight, bias] = views.filter(({ node }) => node.kind === 'constant');
  if (!product || !weight) return;
  const operands: Entry[] = [
    ['weight', weight.weight('value')!],
    ...(bias ? [['bias', bias.weight('value')!] as const] : []),
  ];
  const rest = option('useFp32Acc', product.params.useFp32Acc, product.useFp32Acc);
  const options = [...product.spread(operands), ...rest];
  yield { on: product.x, method: 'linear', args: [], options, results: { is: 'one' } };
}

function* matmul(views: readonly View[]): Iterable<Call> {
  const last = views.at(-1)!;
  if (last.node.kind !== 'matrix_multiply') return;
  const { operationA, operationB, useFp32Acc } = last.params;
  const operands = [...takenFrom(views), ...constantsOf(views)];
  const flag = (name: string, operation: string) => (operation === 'transpose' ? option(name, true) : []);
  const options = [
    ...flag('transposeA', operationA),
    ...flag('transposeB', operationB),
    ...option('useFp32Acc', useFp32Acc, last.useFp32Acc),
  ];
  for (const [a, b] of pairs(operands)) yield { on: a, method: 'matmul', args: [b], options, results: { is: 'one' } };
}

function* pairs(operands: readonly Expression[]): Iterable<[Expression, Expression]> {
  const tensors = operands.filter(({ is }) => is === 'tensor');
  for (const a of tensors) for (const b of operands) if (a !== b || operands.length === 1) yield [a, b];
}

/** Dims of the result where sizes are computed at run time. */
function* byShape(method: string, views: readonly View[]): Iterable<Call> {
  const [x] = takenFrom(views).slice(-1);
  for (const on of [...takenFrom(views)].reverse().concat(x ?? [])) {
    const dims = [data(views.at(-1)!.output.shape)];
    yield { on, method, args: dims, options: [], results: { is: 'one' } };
  }
}

function* masked(views: readonly View[]): Iterable<Call> {
  const taken = takenFrom(views);
  for (const value of constantsOf(views)) {
    for (const x of taken) {
      for (const mask of taken) {
        if (x === mask) continue;
        yield { on: x, method: 'maskedFill', args: [mask, value], options: [], results: { is: 'one' } };
        yield { method: 'where', args: [mask, x, value], options: [], results: { is: 'one' } };
        yield { method: 'where', args: [mask, value, x], options: [], results: { is: 'one' } };
      }
    }
  }
}

/** An axis taken at an index, or a part of one. */
function* along(method: string, views: readonly View[]): Iterable<Call> {
  const [x] = takenFrom(views);
  const first = views[0]!;
  if (!x || method !== 'select') return;
  const { start } = views.find(({ node }) => node.kind === 'slice')?.params ?? {};
  const index = constantsOf(views)[0];
  for (let axis = 0; axis < first.type(0).shape.length; axis++) {
    const at = start ? data(start[axis]) : index;
    if (at) yield { on: x, method, args: [data(axis), at], options: [], results: { is: 'one' } };
  }
}

/** Attention, whose scale is a multiplication before it and whose queries that see nothing are selected after it. */
function* attention(views: readonly View[]): Iterable<Call> {
  const view = views.find(({ node }) => node.kind === 'attention');
  if (!view) return;
  const made = new Map(views.flatMap((one) => one.node.outputs.map(({ id }) => [id, one] as const)));
  const behind = (index: number): Expression | undefined => {
    const id = view.node.inputs[index];
    let one = id === null || id === undefined ? undefined : made.get(id);
    while (one && one.node.kind !== 'constant' && one.node.inputs[0] !== undefined) {
      const next = made.get(one.node.inputs[0]!);
      if (!next) return one.x;
      one = next;
    }
    return one ? one.operand() : view.input(index);
  };
  const query = behind(0)!;
  const scaled = made.get(view.node.inputs[0]!);
  const factors = constantsOf(views).filter((one) => one.is === 'data');
  const scales: Entry[][] = scaled
    ? [[], ...factors.map((factor): Entry[] => [['scale', factor]])]
    : [option('scale', 1), []];
  const [key, value] = [view.input(1)!, view.input(2)!];
  for (const scale of scales) {
    for (const mask of [behind(3), view.input(3)]) {
      const options = attentionOptions(view, mask, scale);
      yield { on: query, method: 'attention', args: [key, value], options, results: { is: 'one' } };
    }
  }
}

/** Calls of `method` that may record all of these layers. */
export function* several(method: string, views: readonly View[]): Iterable<Call> {
  if (method === 'linear') yield* linear(views);
  else if (method === 'attention') yield* attention(views);
  else if (method === 'matmul') yield* matmul(views);
  else if (plain.has(method)) {
    const taken = takenFrom(views);
    if (taken.length === 1) yield { on: taken[0]!, method, args: [], options: [], results: { is: 'one' } };
  } else if (binary.has(method)) {
    const operands = [...takenFrom(views), ...constantsOf(views)];
    for (const [a, b] of pairs(operands)) yield { on: a, method, args: [b], options: [], results: { is: 'one' } };
  } else if (['reshape', 'view', 'expand'].includes(method)) yield* byShape(method, views);
  else if (method === 'maskedFill' || method === 'where') yield* masked(views);
  else yield* along(method, views);
}
