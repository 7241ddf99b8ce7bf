import { show, TensorRTError } from '../errors/error.js';
import type { DType, TypedArray } from '../values/dtype.js';
import { encodeElements, type Scalar } from '../values/elements.js';
import { defaultRange, type Range, randomElements } from '../values/random.js';

/** A size: a whole number, or a name whose value is in `sizes`. The same name is the same size. */
export type CaseSize = number | string;

/** An input of a case: its sizes, or these with what its elements are. */
export type CaseInput =
  | readonly CaseSize[]
  | {
      shape: readonly CaseSize[];
      /** The least and the most of random elements. Default: -4 to 4 for floats, -8 to 8 for integers, 0 and 1 for bool. */
      range?: readonly [least: number, most: number] | undefined;
      /** The elements themselves, row-major: numbers, which are rounded to the dtype. */
      data?: ArrayLike<Scalar> | undefined;
    };

/** What a plugin is tested with. I: names of inputs, S: of shape inputs. */
export interface PluginCase<
  I extends string = string,
  S extends string = string,
  Attributes = Readonly<Record<string, unknown>>,
> {
  /** For messages. */
  name?: string | undefined;
  /** By name. */
  inputs: { readonly [K in I]: CaseInput };
  /** Elements of shape inputs, by name: one for rank 0, or a list. */
  shapeInputs?: { readonly [K in S]: CaseSize | readonly CaseSize[] } | undefined;
  /** Attributes of the layer. Those with a default may be left out. */
  attributes?: Attributes | undefined;
  /** Values of the named sizes. With names, edge cases change these alone, without them all sizes that are equal. */
  sizes?: Readonly<Record<string, number>> | undefined;
}

/** A case at certain sizes. */
export interface ConcreteCase {
  /** Its place in the list, from 0. */
  index: number;
  name?: string | undefined;
  /** What a generated case changed: `n = 0`. */
  edge?: string | undefined;
  inputs: Readonly<
    Record<string, { shape: readonly number[]; range?: Range | undefined; data?: ArrayLike<Scalar> | undefined }>
  >;
  shapeInputs: Readonly<Record<string, number | readonly number[]>>;
  attributes: Readonly<Record<string, unknown>>;
}

export const elementsIn = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function refuseCase(said: string, actual?: unknown): never {
  throw new TensorRTError('ERR_PARAMETER', said, { method: 'testPlugin', option: 'cases', actual });
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Sizes and their names, of every input and shape input. */
export function sizesIn({ inputs, shapeInputs = {} }: PluginCase): CaseSize[] {
  const shapes = Object.values(inputs).map((input) => (isList(input) ? input : input.shape));
  return [...shapes, ...Object.values(shapeInputs)].flat() as CaseSize[];
}

/** Checks what callers give that the plugin itself does not. */
export function checkCase(one: PluginCase, index: number): void {
  const where = `case ${index}`;
  if (typeof one !== 'object' || one === null || typeof one.inputs !== 'object' || one.inputs === null)
    refuseCase(`${where}: expected { inputs: { … } }, given ${show(one)}`, one);
  const known = ['name', 'inputs', 'shapeInputs', 'attributes', 'sizes'];
  const odd = Object.keys(one).find((key) => !known.includes(key));
  if (odd !== undefined) refuseCase(`${where}: there is no '${odd}'; there are ${known.join(', ')}`, odd);
  for (const [name, input] of Object.entries(one.inputs)) {
    const shape = isList(input) ? input : input?.shape;
    if (!isList(shape))
      refuseCase(`${where}: input '${name}': expected sizes or { shape, … }, given ${show(input)}`, input);
  }
  for (const size of sizesIn(one)) {
    const value = typeof size === 'string' ? one.sizes?.[size] : size;
    if (Number.isSafeInteger(value)) continue;
    if (typeof size === 'string' && value === undefined)
      refuseCase(`${where}: sizes has no value for '${size}'`, one.sizes);
    refuseCase(`${where}: expected whole numbers and names of sizes, given ${show(size)}`, size);
  }
}

/** More would not fit into memory several times. */
const mostElements = 2 ** 28;

function checkShape(name: string, shape: readonly number[]): void {
  const count = elementsIn(shape);
  if (shape.every((size) => size >= 0) && count <= mostElements) return;
  refuseCase(
    `input '${name}': expected sizes of 0 or more and at most ${mostElements} elements, given [${shape.join(', ')}]`,
    shape,
  );
}

/** A case with `sizes` for its names, or, if it has none, for its numbers. */
export function atSizes(
  { inputs, shapeInputs = {}, attributes = {}, name, sizes: own }: PluginCase,
  index: number,
  sizes: ReadonlyMap<CaseSize, number> = new Map(),
  edge?: string,
): ConcreteCase {
  const resolved = (size: CaseSize) => sizes.get(size) ?? (typeof size === 'string' ? own![size]! : size);
  const concrete = Object.entries(inputs).map(([input, given]) => {
    const { shape, range, data } = isList(given) ? { shape: given, range: undefined, data: undefined } : given;
    const sizes = shape.map(resolved);
    checkShape(input, sizes);
    return [input, { shape: sizes, range, data }] as const;
  });
  const values = Object.entries(shapeInputs).map(([input, given]) => {
    // A number here is an element, no size.
    const element = (size: CaseSize) => (typeof size === 'string' ? resolved(size) : size);
    return [input, isList(given) ? given.map(element) : element(given)] as const;
  });
  return {
    index,
    name,
    edge,
    inputs: Object.fromEntries(concrete),
    shapeInputs: Object.fromEntries(values),
    attributes,
  };
}

/** A tensor as it is fed. */
export interface FedTensor {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/** The elements of a case's inputs in certain dtypes. Shape inputs have their values. */
export function elementsOf(
  one: ConcreteCase,
  dtypes: Readonly<Record<string, DType>>,
  seed: number,
): Record<string, FedTensor> {
  const tensors = Object.entries(one.inputs).map(([name, { shape, range, data }]) => {
    const dtype = dtypes[name]!;
    const count = elementsIn(shape);
    if (data && data.length !== count)
      refuseCase(`${nameOf(one)}: input '${name}' [${shape.join(', ')}] has ${count} elements, given ${data.length}`);
    const elements = data
      ? encodeElements(dtype, data)
      : randomElements(dtype, count, range ?? defaultRange(dtype), seed, name);
    return [name, { dtype, shape, data: elements }] as const;
  });
  const values = Object.entries(one.shapeInputs).map(([name, given]) => {
    const dtype = dtypes[name]!;
    const list = isList(given) ? given : [given];
    return [name, { dtype, shape: isList(given) ? [list.length] : [], data: encodeElements(dtype, list) }] as const;
  });
  return Object.fromEntries([...tensors, ...values]);
}

/** `case 0 (n = 0)`. */
export const nameOf = ({ index, name, edge }: Pick<ConcreteCase, 'index' | 'name' | 'edge'>): string =>
  `case ${index}${name ? ` '${name}'` : ''}${edge ? ` with ${edge}` : ''}`;
