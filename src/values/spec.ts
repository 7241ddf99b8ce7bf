import { captureCallSite, locate } from '../errors/call-site.js';
import { show, TensorRTError } from '../errors/error.js';
import { type Dim, dimNames, isDimName, isUnknown, rangeOfDim, type Shape } from './dim.js';
import { parseDim } from './dim-parse.js';
import { type DType, dtypes } from './dtype.js';

/** The dtype and shape of a tensor. */
export interface ValueType {
  /** Dtype of its elements. */
  dtype: DType;
  /** Its sizes: numbers, and names or expressions where dynamic. */
  shape: Shape;
}

/** TensorRT's limit on the number of axes (`Dims::MAX_DIMS`). */
export const maxRank = 8;
const maxSize = 2 ** 31 - 1;

/** Whether a shape's sizes, but for zeros, multiply to more than a number holds exactly: strides would overflow. */
export function isVast(shape: Shape): boolean {
  let count = 1;
  for (const dim of shape) if (typeof dim === 'number' && dim > 0) count *= dim;
  return count > Number.MAX_SAFE_INTEGER;
}

/** The canonical form of an expression over names; undefined if it is none, or never above 0. */
function expression(text: string): Dim | undefined {
  const dim = parseDim(text);
  if (typeof dim !== 'string' || isUnknown(dim)) return undefined;
  const sizes = Object.fromEntries(dimNames(dim).map((name) => [name, [1, maxSize] as const]));
  return rangeOfDim(dim, sizes)[1] > 0 ? dim : undefined;
}

/** One dim of a spec: a whole number from 0 to 2^31 − 1, a name, or an expression over names. Undefined if it is none. */
export function readDim(dim: unknown): Dim | undefined {
  if (typeof dim === 'number') return Number.isInteger(dim) && dim >= 0 && dim <= maxSize ? dim + 0 : undefined;
  if (typeof dim !== 'string') return undefined;
  return isDimName(dim) ? dim : expression(dim);
}

/** Why something is no dim. */
export const noDim = (dim: unknown): string =>
  `expected a whole number from 0 to ${maxSize}, a name (letters, digits, _) or an expression such as 'past + tokens', given ${show(dim)}`;

function checkDim(dim: unknown, where: string): Dim {
  const known = readDim(dim);
  if (known !== undefined) return known;
  throw new TensorRTError('ERR_SHAPE', `${where}: ${noDim(dim)}`, {
    actual: dim,
    source: locate(captureCallSite()),
  });
}

/**
 * A tensor's dtype and shape. A dim may be an expression over names: `'past + tokens'`, `'2*h'`, `'floor(n / 2)'`.
 * @throws ERR_DTYPE for an unknown dtype, ERR_SHAPE for a bad dim or more than 8 of them
 */
export function spec(dtype: DType, dims: readonly Dim[]): ValueType {
  if (!dtypes.includes(dtype)) {
    throw new TensorRTError('ERR_DTYPE', `expected one of ${dtypes.join(', ')}, given ${show(dtype)}`, {
      actual: dtype,
      source: locate(captureCallSite()),
    });
  }
  if (!Array.isArray(dims)) {
    throw new TensorRTError('ERR_SHAPE', `${dtype}: expected a list of dims, given ${show(dims)}`, {
      actual: dims,
      source: locate(captureCallSite()),
    });
  }
  if (dims.length > maxRank) {
    throw new TensorRTError('ERR_SHAPE', `${dtype}: TensorRT takes at most ${maxRank} dims, given ${dims.length}`, {
      source: locate(captureCallSite()),
    });
  }
  const shape = dims.map((dim, i) => checkDim(dim, `${dtype} dim ${i}`));
  if (isVast(shape)) {
    throw new TensorRTError('ERR_SHAPE', `${dtype}: expected less than 2^53 elements, given ${show(dims)}`, {
      actual: dims,
      source: locate(captureCallSite()),
    });
  }
  return { dtype, shape };
}

/** Makes the type of an input: `float32('batch', 3, 224, 224)`. A name stands for a dynamic dim. */
export type Spec = (...dims: Dim[]) => ValueType;

/** 32-bit IEEE float. Dims are numbers, or names and expressions over them (`'2*h'`) if dynamic; the same name means the same size. */
export const float32: Spec = (...dims) => spec('float32', dims);
/** 16-bit IEEE float. */
export const float16: Spec = (...dims) => spec('float16', dims);
/** bfloat16. */
export const bfloat16: Spec = (...dims) => spec('bfloat16', dims);
/** 8-bit float E4M3. */
export const float8e4m3: Spec = (...dims) => spec('float8e4m3', dims);
/** 64-bit signed integer. */
export const int64: Spec = (...dims) => spec('int64', dims);
/** 32-bit signed integer. */
export const int32: Spec = (...dims) => spec('int32', dims);
/** 8-bit signed integer. */
export const int8: Spec = (...dims) => spec('int8', dims);
/** 4-bit signed integer, packed two to a byte. */
export const int4: Spec = (...dims) => spec('int4', dims);
/** 8-bit unsigned integer. */
export const uint8: Spec = (...dims) => spec('uint8', dims);
/** Boolean, one byte each. */
export const bool: Spec = (...dims) => spec('bool', dims);
