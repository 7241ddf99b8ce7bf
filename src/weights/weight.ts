import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { asText } from '../errors/primitive.js';
import {
  bytesOf,
  copyOfBytes,
  type HalfArray,
  isGone,
  numbersIn,
  type TypedArray,
  withoutHalves,
} from '../values/dtype.js';
import { type Ingredient, type Origin, originOf, type Recipe, stepOf } from '../values/recipe.js';
import { mappingOf, type StoredAt } from '../values/weight.js';
import type { ByteSource } from './byte-source.js';
import { checkOverflow, conversion, convertElements, type Overflow } from './convert.js';
import {
  arrayDType,
  checkDType,
  elementCount,
  shapeText,
  viewElements,
  type WeightDType,
  weightBits,
  weightBytes,
} from './dtype.js';
import { refusal } from './format-error.js';
import { joinElements, splitElements, transposeElements } from './rearrange.js';

/** What a weight is made of. */
interface Parts {
  name: string;
  dtype: WeightDType;
  shape: readonly number[];
  /** Row-major little-endian bytes; called on first use. */
  read(): Uint8Array;
  /** Absent for elements in another order or number than the file's, which its name there no longer stands for. */
  file?: string | undefined;
  /** What the file has, as long as `file` is there. */
  stored?: StoredAt | undefined;
  /** For messages, if it is not made of name and file. */
  label?: string | undefined;
  /** What the bytes are a view of; absent if they outlive the file. */
  source?: Pick<ByteSource, 'check'> | undefined;
  /** Whether callers may have the array that `read` returns. */
  isGiven?: boolean | undefined;
  /** Makes the weight anew from parts that callers cannot change; see `settled`. */
  settle?: (() => Weight) | undefined;
  /** The weight of which this is rounded. */
  before?: (() => Weight) | undefined;
  /** How it was made from tensors of files; by default it is a tensor of `file`. */
  recipe?: Recipe | undefined;
}

/** Options of `as`. */
export interface AsOptions {
  /**
   * What a finite element beyond the largest of float32, float16, bfloat16 or float8e5m2 becomes: `refuse`, the default,
   * throws when the elements are read; `infinity` is what PyTorch makes of it.
   */
  overflow?: Overflow | undefined;
}

/** Options of `Weight.concat`. */
export interface WeightConcatOptions {
  /** Default 0; negative from the end. */
  axis?: number | undefined;
  /** Default: the first one's. */
  name?: string | undefined;
}

/** A weight for each of a tuple's sizes; a list for one size, or if their number is not known. */
export type WeightParts<Sizes> = Sizes extends readonly unknown[]
  ? { -readonly [Index in keyof Sizes]: Weight }
  : Weight[];

/** A tensor from a weight file, or your own. Immutable: transformations return new weights. */
export class Weight {
  /** Full name in the file. */
  readonly name: string;
  /** Dtype of its elements. */
  readonly dtype: WeightDType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Path of the file; undefined for a weight that is none of a file's, also if it is a transposed one or part of one. */
  readonly file: string | undefined;
  /** @internal */
  readonly stored: StoredAt | undefined;
  /** For messages: `conv1.weight of lenet.safetensors`. */
  readonly label: string;
  readonly #read: () => Uint8Array;
  readonly #source: Pick<ByteSource, 'check'> | undefined;
  readonly #before: (() => Weight) | undefined;
  readonly #isGiven: boolean;
  readonly #settle: (() => Weight) | undefined;
  readonly #recipe: Recipe | undefined;
  #data: TypedArray | undefined;

  /** @internal Use `loadWeights`, or `weight` for one's own elements. */
  constructor({
    name,
    dtype,
    shape,
    read,
    file,
    stored,
    label,
    source,
    before,
    settle,
    recipe,
    isGiven = false,
  }: Parts) {
    this.name = name;
    this.dtype = dtype;
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.file = file;
    this.stored = file === undefined ? undefined : stored;
    this.label = label ?? (file ? `${name} of ${file}` : name);
    this.#read = read;
    this.#source = source;
    this.#before = before;
    this.#isGiven = isGiven;
    this.#settle = settle;
    this.#recipe = recipe;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape) ?? 0;
  }

  /** Bytes the elements take. */
  get byteLength(): number {
    return weightBytes(this.dtype, this.size);
  }

  /**
   * Row-major elements: float16 and bfloat16 as their bits (Uint16Array), int64 as BigInt64Array, bool and the 8-bit
   * floats as Uint8Array, 4-bit types packed. A view of the mapped file; a copy only if the file holds them
   * misaligned, compressed, strided or big-endian. Writing to it changes neither the file nor other processes.
   * @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED (the file was changed), ERR_WEIGHTS_FORMAT (broken compressed data)
   */
  get data(): TypedArray {
    const data = this.#data ?? this.#elements();
    this.check();
    this.#data = data;
    return data;
  }

  /** The elements as bytes; shares memory with `data`. */
  get bytes(): Uint8Array {
    return bytesOf(this.data);
  }

  /** @internal How it was made from tensors of files; undefined for elements that come from none. */
  get recipe(): Recipe | undefined {
    const { name, file, shape } = this;
    return this.#recipe ?? (file === undefined ? undefined : { source: name, file, shape });
  }

  /** @internal The recipe with its elements, as the graph keeps it. */
  get origin(): Origin | undefined {
    const { recipe } = this;
    return recipe && originOf(recipe, this.data);
  }

  /** @internal Itself as part of another weight's recipe. */
  get ingredient(): Ingredient {
    return this.recipe ?? (() => this.#constant());
  }

  /** Elements of no file: those from before they were rounded, and how. */
  #constant(): Recipe {
    const { dtype, shape } = this;
    if (!this.#before) return { dtype, shape, constant: copyOfBytes(this.peek()) };
    const exact = { dtype: 'float64', shape, constant: copyOfBytes(this.exact()) };
    return { step: 'as', of: { weight: exact }, with: { dtype, overflow: 'infinity' }, part: 'weight' };
  }

  /** @internal The elements as bytes, without keeping a copy that had to be made. */
  peek(): Uint8Array {
    const data = this.#data ?? this.#elements();
    this.check();
    return bytesOf(data);
  }

  /** They may be a copy of what the file holds: check afterwards. */
  #elements(): TypedArray {
    try {
      return viewElements(this.dtype, this.#read());
    } catch (error) {
      // Of an array that is gone no view can be made; why it is gone says more.
      this.check();
      throw error;
    }
  }

  /** @internal Like `as`, but converting anew whenever the elements are read. */
  converting(dtype: WeightDType, overflow: Overflow = 'refuse'): Weight {
    checkDType(dtype);
    if (dtype === this.dtype) return this;
    return this.#with({
      dtype,
      recipe: this.#step('as', { dtype, overflow }),
      read: () => convertElements(this.peek(), this.dtype, dtype, this.size, this.label, overflow),
    });
  }

  /** Throws if the elements can no longer be trusted: call it after a long read. @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED */
  check(): void {
    this.#source?.check();
    if (this.#data && isGone(this.#data)) throw gone(this.label);
  }

  /** @internal The weight as it is now: with a copy of its elements if callers have them in an array, not in a file. */
  settled(): Weight {
    if (!this.#data && this.#settle) return this.#settle();
    if (this.#data ? mappingOf(this.#data) : this.#source || !this.#isGiven) return this;
    const copy = copyOfBytes(bytesOf(this.data));
    return this.#with({ read: () => copy, source: undefined, isGiven: false });
  }

  /**
   * The same elements in another dtype, rounded to nearest even. float8e4m3 saturates at ±448, as in PyTorch since 2.12,
   * ONNX and TensorRT; float4e2m1 at ±6, float8e8m0 at 2^127, and int4 takes the nearest of -8..7. In the floats that have
   * an infinity, a finite element beyond the largest is refused when the elements are read; see `AsOptions`. Folding
   * (`foldBatchNorm`, `batchNorm` and so on) uses the elements from before. A copy, unless the dtype is the same.
   * @throws ERR_WEIGHTS_CONVERT if an integer dtype cannot hold an element exactly, or one is NaN and the dtype has none
   */
  as(dtype: WeightDType, options: AsOptions = {}): Weight {
    checkDType(dtype);
    checkOptions(options, ['overflow'], 'as');
    const { overflow = 'refuse' } = options;
    checkOverflow(overflow);
    if (dtype === this.dtype) return this;
    const read = conversion(this.bytes, this.dtype, dtype, this.size, this.label, overflow);
    this.check();
    // What was rounded and is widened again stays rounded.
    const narrower = weightBits[dtype] <= weightBits[this.dtype];
    return this.#with({
      dtype,
      read,
      recipe: this.#step('as', { dtype, overflow }),
      source: undefined,
      isGiven: false,
      before: narrower ? () => this.#unrounded() : undefined,
    });
  }

  /** @internal All elements as float64, in memory of their own: from before `as` rounded them. */
  exact(): Float64Array {
    const found = this.#unrounded();
    const { data } = found.as('float64');
    const values = found.dtype === 'float64' ? data.slice() : data;
    found.check();
    return values as Float64Array;
  }

  #unrounded(): Weight {
    return this.#before?.() ?? this;
  }

  /** All elements as float32, for reading in code. @throws ERR_WEIGHTS_CONVERT if a float64 element is beyond it */
  toFloat32(): Float32Array {
    return this.as('float32').data as Float32Array;
  }

  /** The same elements under another shape; one dim may be -1. No copy. @throws ERR_WEIGHTS_SHAPE */
  reshape(dims: readonly number[]): Weight {
    this.#expectList('reshape', dims);
    const known = dims.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
    const shape = dims.map((d) => (d === -1 ? this.size / known : d));
    const whole = shape.every((d) => Number.isSafeInteger(d) && d >= 0) && dims.filter((d) => d === -1).length < 2;
    if (!whole || elementCount(shape) !== this.size) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} has ${this.size} elements, which cannot be reshaped to ${shapeText(dims)}`,
        { expected: dims, actual: this.shape },
      );
    }
    return this.#with({
      shape,
      read: () => this.bytes,
      before: this.#then((w) => w.reshape(shape)),
      recipe: this.#step('reshape', { shape }),
    });
  }

  /** Dimensions in another order, all reversed by default: NumPy's `transpose`. A copy. @throws ERR_WEIGHTS_SHAPE */
  transpose(perm: readonly number[] = this.shape.map((_, i) => this.shape.length - 1 - i)): Weight {
    this.#expectList('transpose', perm);
    const rank = this.shape.length;
    const axes = perm.map((axis) => (axis < 0 ? axis + rank : axis));
    if (axes.length !== rank || this.shape.some((_, i) => !axes.includes(i))) {
      throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: ${shapeText(perm)} is not a permutation of its ${rank} axes`);
    }
    const moved = transposeElements(this.bytes, this.dtype, this.shape, axes);
    this.check();
    return this.#with({
      ...this.#derived,
      shape: axes.map((axis) => this.shape[axis]!),
      read: () => moved,
      source: undefined,
      isGiven: false,
      before: this.#then((w) => w.transpose(axes)),
      recipe: this.#step('transpose', { perm: axes }),
    });
  }

  /**
   * Pieces along an axis: PyTorch's `split`. No copy along axis 0.
   * @param sizes the size of each piece, or one size for all; the last may then be smaller
   * @throws ERR_WEIGHTS_SHAPE
   */
  split<const Sizes extends number | readonly number[]>(sizes: Sizes, axis?: number): WeightParts<Sizes>;
  split(sizes: number | readonly number[], axis = 0): Weight[] {
    const at = axis < 0 ? axis + this.shape.length : axis;
    const length = this.shape[at];
    if (length === undefined) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} of shape ${shapeText(this.shape)} cannot be split along axis ${show(axis)}: it has ${this.shape.length} axes`,
      );
    }
    if (typeof sizes === 'number') return this.split(this.#equalSizes(sizes, length), axis);
    this.#expectList('split', sizes);
    const sum = sizes.reduce((a, b) => a + b, 0);
    if (length !== sum || !sizes.every((s) => Number.isSafeInteger(s) && s >= 0)) {
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `${this.label} of shape ${shapeText(this.shape)} cannot be split into ${shapeText(sizes)} along axis ${axis}: they sum to ${sum}, the axis has ${length} elements`,
        { expected: sizes, actual: this.shape },
      );
    }
    const { buffer } = this.data;
    const pieces = splitElements(this.bytes, this.dtype, this.shape, sizes, at);
    this.check();
    let to = 0;
    return pieces.map((bytes, i) => {
      const from = to;
      to += sizes[i]!;
      return this.#with({
        ...this.#derived,
        shape: this.shape.map((d, k) => (k === at ? sizes[i]! : d)),
        read: () => bytes,
        before: this.#then((w) => w.split(sizes, at)[i]!),
        recipe: this.#step('slice', { axis: at, from, to }),
        ...(bytes.buffer !== buffer && { source: undefined, isGiven: false }),
      });
    });
  }

  /**
   * Joins weights along an axis: PyTorch's `cat`. Nothing is copied before the elements are read.
   * @throws ERR_WEIGHTS_SHAPE if dtypes or the sizes of other axes differ
   */
  static concat(parts: readonly Weight[], options: WeightConcatOptions = {}): Weight {
    if (!Array.isArray(parts) || !parts.every((part) => part instanceof Weight))
      throw refusal('ERR_INPUT', `Weight.concat: expected a list of weights, given ${show(parts)}`);
    const list: readonly Weight[] = [...parts];
    const [first] = list;
    const { axis = 0, name = first?.name ?? '' } = options ?? {};
    const at = axis < 0 && first ? axis + first.shape.length : axis;
    const rest = (w: Weight) => shapeText([w.dtype, ...w.shape.filter((_, i) => i !== at)]);
    if (!first || list.some((w) => !(w.shape[at]! >= 0) || rest(w) !== rest(first)))
      throw refusal(
        'ERR_WEIGHTS_SHAPE',
        `Weight.concat: cannot join ${list.map(String).join(' and ') || 'nothing'} along axis ${show(axis)}`,
      );
    const total = list.reduce((sum, w) => sum + w.shape[at]!, 0);
    return new Weight({
      name,
      label: name === first.name ? first.label : name,
      dtype: first.dtype,
      shape: first.shape.map((d, i) => (i === at ? total : d)),
      read: () =>
        joinElements(
          list.map((w) => w.peek()),
          first.dtype,
          list.map((w) => w.shape),
          at,
        ),
      source: { check: () => list.forEach((w) => void w.check()) },
      settle: () =>
        Weight.concat(
          list.map((w) => w.settled()),
          { axis: at, name },
        ),
      before: () =>
        Weight.concat(
          list.map((w) => weight(w.exact(), w.shape, 'float64', w.name)),
          { axis: at, name },
        ),
      recipe: stepOf('concat', Object.fromEntries(list.map((w, i) => [String(i), w.ingredient])), { axis: at }),
    });
  }

  /** @internal The same elements under another name. */
  named(name: string): Weight {
    return this.#with({ name, label: undefined, read: () => this.peek() });
  }

  /** Name, dtype and shape, in one line. */
  toString(): string {
    return `${this.dtype} ${shapeText(this.shape)} ${this.label}`;
  }

  /** Throws where an operator such as `*` asks for a number. @throws ERR_INPUT */
  [Symbol.toPrimitive](hint: string): string {
    return asText(hint, this.toString(), 'make it a net.constant, or compute with its elements, .toFloat32()');
  }

  #expectList(method: string, values: unknown): void {
    if (Array.isArray(values) && values.every((v) => typeof v === 'number')) return;
    throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: ${method}: expected a list of numbers, given ${show(values)}`);
  }

  #equalSizes(size: number, length: number): number[] {
    if (!Number.isSafeInteger(size) || size < 1)
      throw refusal('ERR_WEIGHTS_SHAPE', `${this.label}: split: expected a size of at least 1, given ${size}`);
    if (length === 0) return [0];
    return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
  }

  /** What elements moved or left out are of. */
  get #derived(): Pick<Parts, 'file' | 'label'> {
    return { file: undefined, label: this.label };
  }

  /** The recipe of what is made of this weight. */
  #step(step: string, options: Readonly<Record<string, unknown>>): Recipe | undefined {
    const { recipe } = this;
    return recipe && stepOf(step, { weight: recipe }, options);
  }

  /** What is done to this weight, done to the one before rounding. */
  #then(change: (before: Weight) => Weight): (() => Weight) | undefined {
    const before = this.#before;
    return before && (() => change(before()));
  }

  /** This weight with some parts changed. A copy sets no source: it stays readable after dispose. */
  #with(changed: Partial<Parts> & Pick<Parts, 'read'>): Weight {
    const { name, dtype, shape, file, stored, label, recipe } = this;
    const [source, before] = [this.#source, this.#before];
    return new Weight({ name, dtype, shape, file, stored, label, source, before, recipe, isGiven: true, ...changed });
  }
}

const gone = (label: string) =>
  refusal('ERR_DISPOSED', `the elements of ${label} are gone: their array was detached, or its buffer shrank`);

/**
 * Makes a weight of your own, e.g. a computed one beside those of a file.
 * @param elements row-major, in the form of `Weight.data`, or a Float16Array
 * @param shape one-dimensional by default
 * @param dtype by default what the array stands for; needed for Uint16Array (float16, bfloat16 or uint16) and packed types
 * @throws ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE
 */
export function weight(
  elements: TypedArray | HalfArray,
  shape: readonly number[] = [elements?.length],
  dtype?: WeightDType,
  name = 'weight',
): Weight {
  if (!ArrayBuffer.isView(elements) || !Array.isArray(shape))
    throw refusal(
      'ERR_INPUT',
      `weight: expected a typed array and a shape, given ${show(elements)} and ${show(shape)}`,
    );
  if (isGone(elements))
    throw refusal('ERR_INPUT', `${name}: the array is detached: its buffer was transferred, or shrank`);
  const type = dtype ?? arrayDType(elements);
  const data = withoutHalves(elements);
  if (type === undefined) {
    throw refusal('ERR_WEIGHTS_DTYPE', `A ${data.constructor?.name} may hold several dtypes: expected one to be named`);
  }
  checkDType(type);
  const holds = numbersIn(elements);
  if (holds !== undefined && holds !== type) {
    throw refusal(
      'ERR_WEIGHTS_DTYPE',
      `${name}: expected elements of ${type}, given a ${elements.constructor.name}; convert it with weight(data, shape, '${holds}').as('${type}')`,
      { expected: type, actual: holds },
    );
  }
  const count = elementCount(shape);
  const fits = shape.every((d) => Number.isSafeInteger(d) && d >= 0) && count !== undefined;
  if (!fits || weightBytes(type, count) !== data.byteLength) {
    throw refusal(
      'ERR_WEIGHTS_SHAPE',
      `${name}: shape ${shapeText(shape)} of ${type} does not fit ${data.byteLength} bytes`,
      { expected: shape, actual: data.byteLength },
    );
  }
  const read = () => {
    if (isGone(data)) throw gone(name);
    return bytesOf(data);
  };
  return new Weight({ name, dtype: type, shape, read, isGiven: true });
}
