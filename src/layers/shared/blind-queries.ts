// Queries of an attention that see no key. TensorRT's softmax over such a row is NaN, PyTorch's result is 0.

import { Tensor } from '../../dsl/tensor.js';
import { addDims, type Dim, isNonNegative, isStatic, isStaticShape, subDims } from '../../values/dim.js';
import type { TypedArray } from '../../values/dtype.js';
import { type AttentionForm, rankOf } from './attention-form.js';
import { recordConstant } from './constants.js';
import { DimValue } from './dim-value.js';
import { toLiteral } from './literal.js';
import { recordShuffle } from './record-shuffle.js';
import { remember } from './remember.js';

const method = 'attention';

/** What decides which keys a query sees. */
export interface Visibility {
  query: Tensor;
  key: Tensor;
  queryForm: AttentionForm;
  keyValueForm: AttentionForm;
  /** Of rank 4. */
  mask: Tensor | null;
  /** The mask's elements, if it is a constant. */
  maskElements: TypedArray | undefined;
  /** Whether query i sees no key after i + keys − queries. In `upper_left` all see the first key. */
  lowerRight: boolean;
  queryLengths: Tensor | null;
  keyValueLengths: Tensor | null;
}

/** True for queries that see no key: a bool that broadcasts with the result. Undefined if there can be none. */
export function blindQueries(v: Visibility): Tensor | undefined {
  const { query, key, mask, keyValueLengths: lengths } = v;
  if (!fits(v)) return undefined;
  if (v.queryForm === 'packed_nhd') return blindTokens(v);
  if (mask && lengths && v.keyValueForm === 'padded_bhnd') return underLengths(mask, key, lengths);
  if (mask) return byMask(mask, v.maskElements);
  if (v.keyValueForm === 'packed_nhd' && v.lowerRight) {
    const index = along(query.network.arange(size(query.shape[2]!)), 2);
    return index.lt(along(counts(v)!.neg().add(size(query.shape[2]!)), 0));
  }
  const outside = v.lowerRight ? beforeAllKeys(query, key) : undefined;
  const empty = mayBeEmpty(v) ? along(counts(v)!.lt(1), 0) : undefined;
  return empty && outside ? empty.logicalOr(outside) : (empty ?? outside);
}

/** The attention itself refuses what does not fit. */
function fits({ query, key, queryForm, keyValueForm, mask, queryLengths, keyValueLengths }: Visibility): boolean {
  return (
    (key as unknown) instanceof Tensor &&
    query.rank === rankOf(queryForm) &&
    key.rank === rankOf(keyValueForm) &&
    (!mask || (mask.rank === 4 && (mask.dtype === 'bool' || mask.dtype === query.dtype))) &&
    [queryLengths, keyValueLengths].every((lengths) => !lengths || (lengths.rank === 1 && lengths.dtype === 'int32'))
  );
}

const size = (dim: Dim) => new DimValue(dim);

/** A list along one of four axes. */
const along = (list: Tensor, axis: 0 | 2 | 3): Tensor => {
  const shape = [1, 1, 1, 1];
  shape[axis] = axis === 0 ? 0 : -1;
  return recordShuffle(list, { method, reshape: shape });
};

/** True for keys that a query sees. */
const flagsOf = (mask: Tensor): Tensor => (mask.dtype === 'bool' ? mask : mask.gt(Number.NEGATIVE_INFINITY));

/** True where no element along the axis is. */
const none = (flags: Tensor, axis: number): Tensor => flags.cast('int32').max({ axis, keepDims: true }).lt(1);

const ruledOut: Readonly<Record<string, (element: unknown) => boolean>> = {
  bool: (element) => element === 0,
  float32: (element) => element === Number.NEGATIVE_INFINITY,
  float16: (element) => element === 0xfc00,
  bfloat16: (element) => element === 0xff80,
};

function byMask(mask: Tensor, elements: TypedArray | undefined): Tensor | undefined {
  const [keys] = mask.shape.slice(-1);
  if (keys === 0) return undefined;
  if (elements && isStaticShape(mask.shape)) {
    const isOut = ruledOut[mask.dtype]!;
    const width = mask.shape[3]!;
    const rows = new Uint8Array(elements.length / width).map((_, row) => {
      for (let i = row * width; i < (row + 1) * width; i++) if (!isOut(elements[i])) return 0;
      return 1;
    });
    return rows.includes(1) ? constant(mask, rows, [...mask.shape.slice(0, 3), 1]) : undefined;
  }
  return remember(mask.network, `blind by ${mask.id}`, () => {
    // Flags first: on TensorRT 10.6 the largest of nothing but −∞ is not −∞.
    const seen = flagsOf(mask);
    return keys === 1 ? seen.logicalNot() : none(seen, 3);
  });
}

/** A mask beside the number of keys of every batch. */
function underLengths(mask: Tensor, key: Tensor, lengths: Tensor): Tensor {
  return remember(mask.network, `blind by ${mask.id} in ${lengths.id} of ${key.shape[2]}`, () => {
    const seen = flagsOf(mask);
    const exists = along(key.network.arange(size(key.shape[2]!)), 3).lt(along(lengths, 0));
    return none(seen.logicalAnd(exists), 3);
  });
}

/** Of the lower right kind: the first queries, if there are more than keys. */
function beforeAllKeys(query: Tensor, key: Tensor): Tensor | undefined {
  const [queries, keys] = [query.shape[2]!, key.shape[2]!];
  const offset = subDims(keys, queries);
  if (isNonNegative(offset)) return undefined;
  if (isStatic(queries) && isStatic(keys)) {
    const rows = Uint8Array.from({ length: queries }, (_, i) => Number(i < queries - keys));
    return constant(query, rows, [1, 1, queries, 1]);
  }
  return along(query.network.arange(size(keys), { start: size(offset) }), 2).lt(0);
}

const constant = ({ network }: Tensor, rows: Uint8Array, shape: readonly Dim[]): Tensor =>
  recordConstant(network, toLiteral(rows, { dtype: 'bool', shape: shape as number[] }, method), { method });

/** Keys of every batch, if they are told. */
function counts({ keyValueLengths: lengths, keyValueForm }: Visibility): Tensor | undefined {
  if (!lengths || keyValueForm === 'padded_bhnd') return lengths ?? undefined;
  return ends(lengths).sub(starts(lengths));
}

const starts = (lengths: Tensor): Tensor => lengths.narrow(0, 0, size(addDims(lengths.shape[0]!, -1)));
const ends = (lengths: Tensor): Tensor => lengths.narrow(0, 1, size(addDims(lengths.shape[0]!, -1)));

/** Whether a batch may have no keys. */
function mayBeEmpty({ keyValueLengths, keyValueForm }: Visibility): boolean {
  if (!keyValueLengths) return false;
  const known = keyValueLengths.elements && Array.from(keyValueLengths.elements, Number);
  if (!known) return true;
  const each = keyValueForm === 'padded_bhnd' ? known : known.slice(1).map((end, i) => end - known[i]!);
  return each.some((count) => count < 1);
}

/** Of packed queries: those whose batch has no keys, or none for them. A mask for packed queries is not defined by TensorRT. */
function blindTokens(v: Visibility): Tensor | undefined {
  const { query, key, queryLengths, mask, lowerRight } = v;
  if (!queryLengths || mask || !(lowerRight || mayBeEmpty(v))) return undefined;
  const token = query.network.arange(size(query.shape[0]!));
  const [start, end] = [starts(queryLengths).unsqueeze(1), ends(queryLengths).unsqueeze(1)];
  const keys = counts(v)?.unsqueeze(1) ?? size(key.shape[2]!);
  const inside = token.lt(end).logicalAnd(token.ge(start));
  const seen = lowerRight ? token.ge(end.sub(keys)) : (keys as Tensor).gt(0);
  return recordShuffle(none(inside.logicalAnd(seen), 0), { method, reshape: [-1, 1, 1] });
}
