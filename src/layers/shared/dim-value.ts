import type { Network } from '../../dsl/network.js';
import { TensorRTError } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import {
  addDims,
  ceilDivDims,
  type Dim,
  dimNames,
  floorDivDims,
  isStatic,
  maxDims,
  minDims,
  modDims,
  mulDims,
  subDims,
} from '../../values/dim.js';
import { parseDim } from '../../values/dim-parse.js';

/**
 * A size for arithmetic: `x.dim(0).mul(2).add(1)`. It can be used in any shape, and a dynamic one stays symbolic:
 * `String(x.dim(0).mul(2))` is `'2*batch'`. Nothing is recorded until a layer needs it.
 */
export class DimValue {
  /** A number, or a name or expression if dynamic. */
  readonly dim: Dim;

  constructor(dim: Dim) {
    this.dim = dim;
    Object.freeze(this);
  }

  /** The sum. @throws ERR_DIM for what is no dim */
  add(other: DimLike): DimValue {
    return this.#with('add', other, addDims);
  }
  /** The difference. @throws ERR_DIM for what is no dim */
  sub(other: DimLike): DimValue {
    return this.#with('sub', other, subDims);
  }
  /** The product. @throws ERR_DIM for what is no dim */
  mul(other: DimLike): DimValue {
    return this.#with('mul', other, mulDims);
  }
  /** `⌊a / b⌋`. */
  div(other: DimLike): DimValue {
    return this.#with('div', other, floorDivDims);
  }
  /** `⌈a / b⌉`. */
  ceilDiv(other: DimLike): DimValue {
    return this.#with('ceilDiv', other, ceilDivDims);
  }
  /** The remainder of `div`. */
  mod(other: DimLike): DimValue {
    return this.#with('mod', other, modDims);
  }
  /** The larger of both. @throws ERR_DIM for what is no dim */
  max(other: DimLike): DimValue {
    return this.#with('max', other, maxDims);
  }
  /** The smaller of both. @throws ERR_DIM for what is no dim */
  min(other: DimLike): DimValue {
    return this.#with('min', other, minDims);
  }

  /** Whether the size is known at recording time. */
  get isStatic(): boolean {
    return isStatic(this.dim);
  }

  #with(method: string, other: DimLike, combine: (a: Dim, b: Dim) => Dim): DimValue {
    const b = dimOf(other, -(2 ** 31)) ?? refuse(method, 'ERR_DIM', `expected a dim, given ${String(other)}`);
    if (b === 0 && /div|mod/i.test(method)) refuse(method, 'ERR_DIM', 'expected a divisor other than 0');
    return new DimValue(combine(this.dim, b));
  }

  /** The number, the name or the expression. */
  toString(): string {
    return `${this.dim}`;
  }

  /** JavaScript's own operators work only on static dims. @throws ERR_DIM for a dynamic one */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === 'string' || isStatic(this.dim)) return hint === 'string' ? this.toString() : (this.dim as number);
    throw new TensorRTError('ERR_DIM', `dim '${this.dim}' is dynamic: use .add(), .mul(), .div() and so on, not + * /`);
  }
}

/** A size: a number, a name or expression of dynamic dims (`'batch'`, `'2*batch'`), or the result of `x.dim(axis)`. */
export type DimLike = Dim | DimValue;

/** The dim that a value represents; undefined if it is not one. */
function dimOf(given: unknown, atLeast: number): Dim | undefined {
  const dim = given instanceof DimValue ? given.dim : given;
  if (typeof dim === 'number') return Number.isSafeInteger(dim) && dim >= atLeast ? dim : undefined;
  return typeof dim === 'string' ? parseDim(dim) : undefined;
}

/**
 * Checks one dim passed by a caller.
 * @throws ERR_SHAPE if it is not a dim, is a number below `atLeast`, or uses a name that no tensor here has
 */
export function resolveDim(net: Network, given: unknown, what: string, method: string, atLeast = 0): Dim {
  const dim = dimOf(given, atLeast);
  if (dim === undefined) {
    const numbers = atLeast > -(2 ** 31) ? `whole numbers from ${atLeast}` : 'whole numbers';
    const expected = `${numbers}, or names of dynamic dims`;
    return refuse(method, 'ERR_SHAPE', `expected ${expected}, given ${String(given)}`, { option: what, actual: given });
  }
  const missing =
    isStatic(dim) || net.tensorWithDim(dim) ? undefined : dimNames(dim).find((n) => !net.tensorWithDim(n));
  if (missing === undefined) return dim;
  const known = [...new Set(net.inputs.flatMap(({ shape }) => shape.filter((one) => typeof one === 'string')))];
  const within = known.find((one) => dimNames(one).includes(missing));
  const hint = within ? `, and '${within}' alone does not tell '${missing}': declare an input that has it` : '';
  return refuse(
    method,
    'ERR_SHAPE',
    `no dynamic dim is named '${missing}' here; known are ${known.join(', ') || 'none'}${hint}`,
    { option: what, expected: known, actual: missing },
  );
}

/** Checks a list of dims; see `resolveDim`. */
export function resolveDims(net: Network, given: readonly DimLike[], what: string, method: string, atLeast = 0): Dim[] {
  if (!Array.isArray(given)) {
    refuse(method, 'ERR_SHAPE', `expected a list of dims, given ${String(given)}`, { option: what, actual: given });
  }
  return given.map((dim) => resolveDim(net, dim, what, method, atLeast));
}
