import { show } from '../../errors/error.js';
import { bytesOf } from '../../values/dtype.js';
import { type Recipe, stepOf } from '../../values/recipe.js';
import { convertElements } from '../convert.js';
import { shapeText, type WeightDType } from '../dtype.js';
import { refusal } from '../format-error.js';
import { Weight } from '../weight.js';

/** A projection of an attention block. */
export interface Projection {
  /** Its weight. */
  weight: Weight;
  /** Its bias, if it has one. */
  bias?: Weight | undefined;
}

export function expectWeight(what: string, value: unknown): asserts value is Weight {
  if (!(value instanceof Weight)) throw refusal('ERR_INPUT', `${what}: expected a weight, given ${show(value)}`);
}

/** A weight and its bias, if it has one. */
export function projection(caller: string, what: string, given: unknown): Projection {
  const { weight: whole, bias } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Projection>;
  if (!(whole instanceof Weight) || !(bias === undefined || bias instanceof Weight))
    throw refusal('ERR_INPUT', `${caller}: expected { weight, bias? } as ${what}, given ${show(given)}`);
  return bias ? { weight: whole, bias } : { weight: whole };
}

/** An axis from 0, counted from the end if negative. @throws ERR_WEIGHTS_SHAPE */
export function axisOf(w: Weight, axis: number): number {
  const at = axis < 0 ? axis + w.shape.length : axis;
  if (Number.isInteger(at) && at >= 0 && at < w.shape.length) return at;
  throw refusal('ERR_WEIGHTS_SHAPE', `${w.label} of shape ${shapeText(w.shape)} has no axis ${show(axis)}`);
}

/** Elements as the file has them, also of a weight that `as` rounded. A writable copy. */
export const doubles = (w: Weight): Float64Array => w.exact();

/** As `doubles`. @throws ERR_VALUE if one is not finite */
export function finite(caller: string, w: Weight): Float64Array {
  const values = doubles(w);
  expectFinite(values, `${caller}: ${w.label}`);
  return values;
}

function expectFinite(values: Float64Array, what: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) {
      const actual = values[i]!;
      throw refusal('ERR_VALUE', `${what}: expected finite elements, element ${i} is ${actual}`, { actual });
    }
}

/** A weight from doubles, rounded to `dtype`. @param recipe how it was made from tensors of files @throws ERR_VALUE if one is not finite, ERR_WEIGHTS_CONVERT if beyond `dtype` */
export function rounded(
  values: Float64Array,
  shape: readonly number[],
  dtype: WeightDType,
  name: string,
  recipe: Recipe | undefined,
): Weight {
  expectFinite(values, name);
  const bytes = convertElements(bytesOf(values), 'float64', dtype, values.length, name);
  return new Weight({ name, dtype, shape, read: () => bytes, recipe });
}

/** Recipes for the results of a step that makes new elements of weights. */
export function recipes(
  step: string,
  of: Readonly<Record<string, Weight | undefined>>,
  options?: Readonly<Record<string, unknown>>,
): (part?: string) => Recipe | undefined {
  return (part) =>
    stepOf(step, Object.fromEntries(Object.entries(of).map(([role, w]) => [role, w?.ingredient])), options, part);
}

export function expectShape(w: Weight, shape: readonly number[]): void {
  if (w.shape.length === shape.length && w.shape.every((d, i) => d === shape[i])) return;
  throw refusal('ERR_WEIGHTS_SHAPE', `${w.label}: expected shape ${shapeText(shape)}, given ${shapeText(w.shape)}`, {
    expected: shape,
    actual: w.shape,
  });
}
