import { inspect } from 'node:util';
import {
  addDims,
  ceilDivDims,
  type Dim,
  floorDivDims,
  maxDims,
  minDims,
  mulDims,
  subDims,
  unknownDim,
} from '../values/dim.js';
import { refusePlugin, shown } from './fault.js';
import type { Operation } from './recipe.js';

/** What a size is made of. `run` tells the runs of rules apart. */
export type SizeNode =
  | { op: 'dim'; input: number; axis: number; text: string; dim: Dim; run: object }
  | { op: 'value'; input: number; element: number; text: string; dim: Dim; run: object }
  | { op: 'size'; output: number; opt: Operand; upper: Operand; text: string; dim: Dim; run: object }
  | { op: Operation; a: Operand; b: Operand; depth: number };

/** A known whole number, or what is made of unknown ones. */
export type Operand = number | SizeNode;

const helpersFor = 'use add(), sub(), mul(), floorDiv(), ceilDiv(), min(), max(), equal() and less() of the rule';

/**
 * A size that is not known while recording. It stands for a whole number in shapes, grids, blocks, bytes and arguments, and in
 * the helpers of a rule: `mul(x.shape[0], 2)`. JavaScript's own operators on it throw ERR_PLUGIN.
 */
export class Size {
  readonly #node: SizeNode;

  /** @internal */
  constructor(node: SizeNode) {
    this.#node = node;
    Object.freeze(this);
  }

  /** @internal */
  static node(size: Size): SizeNode {
    return size.#node;
  }

  /** @throws ERR_PLUGIN */
  [Symbol.toPrimitive](): never {
    return refusePlugin(`${textOf(this.#node)} is dynamic here, so it is no number yet: ${helpersFor}`);
  }
}

// Not in the class: its declaration would need @types/node.
Object.defineProperty(Size.prototype, inspect.custom, {
  value(this: Size): string {
    return `Size(${textOf(Size.node(this))})`;
  },
});

/** A size for arithmetic: a whole number up to 2^53, or a size that only the run knows. */
export type SizeLike = number | bigint | Size;

/** A size as messages show it. */
export function textOf(operand: Operand, depth = 3): string {
  if (typeof operand === 'number') return String(operand);
  if ('text' in operand) return operand.text;
  if (depth === 0) return '…';
  return `${nameOf[operand.op]}(${textOf(operand.a, depth - 1)}, ${textOf(operand.b, depth - 1)})`;
}

/** The helper that makes each operation. */
const nameOf: Readonly<Record<Operation, string>> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  sub: 'sub',
  equal: 'equal',
  less: 'less',
  floorDiv: 'floorDiv',
  ceilDiv: 'ceilDiv',
};

/** The operand that a value stands for; throws where it is none. `what`: its place, for the message. */
export function operandOf(value: unknown, what: string): Operand {
  if (value instanceof Size) return Size.node(value);
  const number = typeof value === 'bigint' && BigInt.asIntN(54, value) === value ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number + 0;
  const hint = value === undefined ? '; has the tensor that axis?' : '';
  return refusePlugin(`${what}: expected a whole number below 2^53 or a size, given ${shown(value)}${hint}`, {
    actual: value,
  });
}

/** A size or a number for callers. */
export const sizeOf = (operand: Operand): number | Size => (typeof operand === 'number' ? operand : new Size(operand));

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

/** TensorRT's operations over int64; undefined where it would divide by 0. */
export function operate(op: Operation, a: bigint, b: bigint): bigint | undefined {
  switch (op) {
    case 'sum':
      return wrap(a + b);
    case 'prod':
      return wrap(a * b);
    case 'max':
      return a > b ? a : b;
    case 'min':
      return a < b ? a : b;
    case 'sub':
      return wrap(a - b);
    case 'equal':
      return a === b ? 1n : 0n;
    case 'less':
      return a < b ? 1n : 0n;
    default: {
      if (b === 0n) return undefined;
      const quotient = a / b;
      const isExact = quotient * b === a;
      const isNegative = a < 0n !== b < 0n;
      if (isExact) return wrap(quotient);
      return op === 'floorDiv' ? (isNegative ? quotient - 1n : quotient) : isNegative ? quotient : quotient + 1n;
    }
  }
}

/** 1 if `a < b`, else 0, of whole numbers. */
const lessDims = (a: Dim, b: Dim): Dim => minDims(1, maxDims(0, subDims(b, a)));

const dimOperations: Readonly<Record<Operation, (a: Dim, b: Dim) => Dim>> = {
  sum: addDims,
  prod: mulDims,
  max: maxDims,
  min: minDims,
  sub: subDims,
  equal: (a, b) => subDims(1, minDims(1, subDims(maxDims(a, b), minDims(a, b)))),
  less: lessDims,
  floorDiv: floorDivDims,
  ceilDiv: ceilDivDims,
};

/** Letters of a dim. Products of many sums have very many terms. */
const longestDim = 2000;

/** Turns sizes into the network's dims; one that would be very long is a dim that nobody knows. */
export function dimReader(): (operand: Operand) => Dim {
  const known = new Map<SizeNode, Dim>();
  const read = (operand: Operand): Dim => {
    if (typeof operand === 'number') return operand;
    if ('dim' in operand) return operand.dim;
    let dim = known.get(operand);
    if (dim === undefined) {
      dim = dimOperations[operand.op](read(operand.a), read(operand.b));
      if (typeof dim === 'string' && dim.length > longestDim) dim = unknownDim('plugin');
      known.set(operand, dim);
    }
    return dim;
  };
  return read;
}

/** Sizes are read recursively. */
const deepest = 2000;
const depthOf = (operand: Operand): number => (typeof operand !== 'number' && 'depth' in operand ? operand.depth : 0);

/** One operation: a number where both operands are known. @throws ERR_PLUGIN for a division by 0 and numbers beyond 2^53 */
export function combine(op: Operation, a: Operand, b: Operand): Operand {
  const dividesByZero = b === 0 && (op === 'floorDiv' || op === 'ceilDiv');
  if (dividesByZero) refusePlugin(`${nameOf[op]}(${textOf(a)}, 0) divides by 0`);
  if (typeof a !== 'number' || typeof b !== 'number') {
    const depth = Math.max(depthOf(a), depthOf(b)) + 1;
    if (depth > deepest) refusePlugin(`a size is made of more than ${deepest} operations, one on the other`);
    return { op, a, b, depth };
  }
  // Exact below 2^106, before int64 would wrap.
  const exact = op === 'prod' ? BigInt(a) * BigInt(b) : operate(op, BigInt(a), BigInt(b))!;
  const result = Number(exact);
  if (!Number.isSafeInteger(result)) refusePlugin(`${nameOf[op]}(${a}, ${b}) is beyond 2^53`);
  return result;
}

/** A size as rules get it. */
export type AnySize = number | Size;

/** Of two sizes. */
export type SizeOperation = (a: SizeLike, b: SizeLike) => AnySize;
/** Of two sizes or more. */
export type SizesOperation = (a: SizeLike, b: SizeLike, ...others: SizeLike[]) => AnySize;

/** Arithmetic on sizes: int64, as TensorRT does it. Plain numbers where all operands are known. */
export interface SizeHelpers {
  /** The sum. */
  readonly add: SizesOperation;
  /** The product. */
  readonly mul: SizesOperation;
  /** The smallest. */
  readonly min: SizesOperation;
  /** The largest. */
  readonly max: SizesOperation;
  /** a − b */
  readonly sub: SizeOperation;
  /** ⌊a / b⌋ */
  readonly floorDiv: SizeOperation;
  /** ⌈a / b⌉ */
  readonly ceilDiv: SizeOperation;
  /** 1 if a = b, else 0. */
  readonly equal: SizeOperation;
  /** 1 if a < b, else 0. */
  readonly less: SizeOperation;
}

const helper =
  (op: Operation): SizesOperation =>
  (...operands) => {
    const name = nameOf[op];
    const takesMany = op === 'sum' || op === 'prod' || op === 'min' || op === 'max';
    if (operands.length < 2 || (operands.length > 2 && !takesMany)) {
      refusePlugin(`${name}() takes 2 ${takesMany ? 'sizes or more' : 'sizes'}, given ${operands.length}`);
    }
    const checked = operands.map((operand) => operandOf(operand, `${name}()`));
    return sizeOf(checked.reduce((a, b) => combine(op, a, b)));
  };

export const sizeHelpers: SizeHelpers = Object.freeze({
  add: helper('sum'),
  mul: helper('prod'),
  min: helper('min'),
  max: helper('max'),
  sub: helper('sub'),
  floorDiv: helper('floorDiv'),
  ceilDiv: helper('ceilDiv'),
  equal: helper('equal'),
  less: helper('less'),
});
