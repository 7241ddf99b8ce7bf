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
  structureOf,
  subDims,
} from '../dsl/dim.js';
import { parseDim } from '../dsl/dim-parse.js';
import { TensorRTError } from '../dsl/errors.js';
import type { Network } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { refuse } from './common.js';
import { concatenation } from './concatenation.js';
import { constantTensor } from './constant.js';
import { type ElementWiseOperation, elementWise } from './element_wise.js';
import { gather } from './gather.js';
import { shape } from './shape.js';

/**
 * A size in arithmetic: `x.dim(0).mul(2).add(1)`. It goes wherever a shape is asked for, and stays symbolic where dynamic:
 * `String(x.dim(0).mul(2))` is `'2*batch'`. Nothing is recorded until a layer needs it.
 */
export class DimValue {
  /** A number, or a name or expression where dynamic. */
  readonly dim: Dim;

  constructor(dim: Dim) {
    this.dim = dim;
    Object.freeze(this);
  }

  add(other: DimLike): DimValue {
    return this.#with('add', other, addDims);
  }
  sub(other: DimLike): DimValue {
    return this.#with('sub', other, subDims);
  }
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
  /** The rest of `div`. */
  mod(other: DimLike): DimValue {
    return this.#with('mod', other, modDims);
  }
  max(other: DimLike): DimValue {
    return this.#with('max', other, maxDims);
  }
  min(other: DimLike): DimValue {
    return this.#with('min', other, minDims);
  }

  /** Whether the size is known while recording. */
  get isStatic(): boolean {
    return isStatic(this.dim);
  }

  #with(method: string, other: DimLike, combine: (a: Dim, b: Dim) => Dim): DimValue {
    const b = dimOf(other, -(2 ** 31)) ?? refuse(method, 'ERR_DIM', `expected a dim, given ${String(other)}`);
    if (b === 0 && /div|mod/i.test(method)) refuse(method, 'ERR_DIM', 'expected a divisor other than 0');
    return new DimValue(combine(this.dim, b));
  }

  toString(): string {
    return `${this.dim}`;
  }

  /** JavaScript's own operators take static dims only. @throws ERR_DIM for a dynamic one */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === 'string' || isStatic(this.dim)) return hint === 'string' ? this.toString() : (this.dim as number);
    throw new TensorRTError('ERR_DIM', `dim '${this.dim}' is dynamic: use .add(), .mul(), .div() and so on, not + * /`);
  }
}

/** A size: a number, a name or expression of dynamic dims (`'batch'`, `'2*batch'`), or what `x.dim(axis)` gave. */
export type DimLike = Dim | DimValue;

/** The dim that was meant; undefined where it is none. */
function dimOf(given: unknown, atLeast: number): Dim | undefined {
  const dim = given instanceof DimValue ? given.dim : given;
  if (typeof dim === 'number') return Number.isSafeInteger(dim) && dim >= atLeast ? dim : undefined;
  return typeof dim === 'string' ? parseDim(dim) : undefined;
}

/**
 * Checks one dim that a caller gave.
 * @throws ERR_SHAPE where it is none, is a number below `atLeast`, or has a name that no tensor here has
 */
export function resolveDim(net: Network, given: unknown, what: string, method: string, atLeast = 0): Dim {
  const dim = dimOf(given, atLeast);
  if (dim === undefined) {
    const expected = `whole numbers from ${atLeast}, or names`;
    return refuse(method, 'ERR_SHAPE', `${what}: expected ${expected}, given ${String(given)}`, { actual: given });
  }
  const missing =
    isStatic(dim) || net.tensorWithDim(dim) ? undefined : dimNames(dim).find((n) => !net.tensorWithDim(n));
  if (missing === undefined) return dim;
  const known = [...new Set(net.inputs.flatMap((t) => t.shape.flatMap(dimNames)))];
  return refuse(
    method,
    'ERR_SHAPE',
    `${what}: no dynamic dim is named '${missing}' here; known are ${known.join(', ') || 'none'}`,
    { expected: known, actual: missing },
  );
}

/** Checks a list of dims; see `resolveDim`. */
export function resolveDims(net: Network, given: readonly DimLike[], what: string, method: string, atLeast = 0): Dim[] {
  if (!Array.isArray(given)) {
    refuse(method, 'ERR_SHAPE', `${what}: expected a list of dims, given ${String(given)}`, { actual: given });
  }
  return given.map((dim) => resolveDim(net, dim, what, method, atLeast));
}

/** The dims as an int64 tensor of rank 1, which TensorRT computes at run time from the shapes of other tensors. */
export function shapeTensor(net: Network, dims: readonly Dim[], method: string): Tensor {
  const parts: Tensor[] = [];
  for (let i = 0; i < dims.length; i++) {
    const from = i;
    while (isStatic(dims[i] ?? '')) i++;
    if (i > from) parts.push(int64(net, dims.slice(from, i) as number[], method));
    if (i < dims.length) parts.push(sizeTensor(net, dims[i]!, method));
  }
  if (parts.length === 0) return int64(net, [], method);
  if (parts.length === 1) return parts[0]!;
  return net.record(concatenation, { method, inputs: parts, params: { axis: 0 } })[0]!;
}

const int64 = (net: Network, values: readonly number[], method: string): Tensor =>
  constantTensor(net, BigInt64Array.from(values, BigInt), 'int64', method);

/** What is computed already, as far as it may be used where the next layer is. */
const computed = new WeakMap<Network, Map<string, Tensor>>();

function remember(net: Network, key: string, make: () => Tensor): Tensor {
  const map = computed.get(net) ?? new Map<string, Tensor>();
  computed.set(net, map);
  const known = map.get(key);
  if (known && net.isOpen(known)) return known;
  const tensor = make();
  map.set(key, tensor);
  return tensor;
}

/** One dim as an int64 tensor of shape [1]. */
function sizeTensor(net: Network, dim: Dim, method: string): Tensor {
  if (isStatic(dim)) return int64(net, [dim], method);
  return remember(net, dim, () => {
    const source = net.tensorWithDim(dim);
    if (source) return elementOfShape(net, source, source.shape.indexOf(dim), method);
    const part = (d: Dim) => sizeTensor(net, d, method);
    const combine = (operation: ElementWiseOperation, a: Tensor, b: Tensor) =>
      net.record(elementWise, { method, inputs: [a, b], params: { operation } })[0]!;
    const structure = structureOf(dim);
    if (structure.kind === 'name') return refuse(method, 'ERR_SHAPE', `no tensor here has the dim '${dim}'`);
    if (structure.kind === 'operation') {
      const [a, b] = structure.args;
      switch (structure.op) {
        case 'floor':
          return combine('floor_div', part(a), part(b));
        case 'ceil':
          return combine('floor_div', part(subDims(addDims(a, b), 1)), part(b));
        case 'mod':
          return combine('sub', part(a), combine('prod', combine('floor_div', part(a), part(b)), part(b)));
        default:
          return combine(structure.op, part(a), part(b));
      }
    }
    const product = (size: number, factors: readonly string[]) => {
      const all = [...factors.map(part), ...(size === 1 && factors.length > 0 ? [] : [part(size)])];
      return all.reduce((a, b) => combine('prod', a, b));
    };
    // A positive term comes first, so that the others are added to it or subtracted.
    const terms = structure.terms.toSorted((a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0));
    return terms
      .map(({ coefficient, factors }, i) => ({
        tensor: product(i === 0 ? coefficient : Math.abs(coefficient), factors),
        operation: coefficient < 0 ? ('sub' as const) : ('sum' as const),
      }))
      .reduce((a, b) => ({ ...a, tensor: combine(b.operation, a.tensor, b.tensor) })).tensor;
  });
}

function elementOfShape(net: Network, source: Tensor, axis: number, method: string): Tensor {
  const sizes = remember(
    net,
    `shape of ${source.id}`,
    () => net.record(shape, { method, inputs: [source], params: {} })[0]!,
  );
  const index = constantTensor(net, Int32Array.of(axis), 'int32', method);
  return net.record(gather, {
    method,
    inputs: [sizes, index],
    params: { mode: 'default', axis: 0, elementWiseDims: 0 },
  })[0]!;
}
