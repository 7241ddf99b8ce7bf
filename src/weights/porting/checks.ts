import { show } from '../../errors/error.js';
import { shapeText, type WeightDType } from '../dtype.js';
import { refusal } from '../format-error.js';
import { Weight, weight } from '../weight.js';

/** A projection of an attention block. */
export interface Projection {
  weight: Weight;
  bias?: Weight;
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

// A writable copy, even if the weight is float64 already.
export function doubles(w: Weight): Float64Array {
  const values = Float64Array.from(w.as('float64').data as Float64Array);
  w.check();
  return values;
}

/** A weight from doubles, rounded to `dtype`. */
export const rounded = (values: Float64Array, shape: readonly number[], dtype: WeightDType, name: string): Weight =>
  weight(values, shape, 'float64', name).as(dtype);

export function expectShape(w: Weight, shape: readonly number[]): void {
  if (w.shape.length === shape.length && w.shape.every((d, i) => d === shape[i])) return;
  throw refusal('ERR_WEIGHTS_SHAPE', `${w.label}: expected shape ${shapeText(shape)}, given ${shapeText(w.shape)}`, {
    expected: shape,
    actual: w.shape,
  });
}
