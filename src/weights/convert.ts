import { show } from '../errors/error.js';
import { binding } from './binding.js';
import { type WeightDType, weightBytes } from './dtype.js';
import { refusal } from './format-error.js';

/** What a finite element beyond a dtype's largest becomes. */
export type Overflow = 'refuse' | 'infinity';

/** Largest numbers of the dtypes that have an infinity beyond them. The other floats saturate. */
const largest: Partial<Record<WeightDType, number>> = {
  float32: (2 - 2 ** -23) * 2 ** 127,
  float16: 65504,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float8e5m2: 57344,
};

/** @throws ERR_INPUT */
export function checkOverflow(overflow: unknown): asserts overflow is Overflow {
  if (overflow !== 'refuse' && overflow !== 'infinity')
    throw refusal('ERR_INPUT', `overflow: expected 'refuse' or 'infinity', given ${show(overflow)}`);
}

/**
 * Converts `count` elements into new memory at once, and returns what hands them out; see `Weight.as`. An overflow is
 * refused there, and not before: folding reads the elements from before the conversion.
 * @throws ERR_WEIGHTS_CONVERT if an integer dtype cannot hold an element exactly, or one is NaN and the dtype has none
 */
export function conversion(
  source: Uint8Array,
  from: WeightDType,
  to: WeightDType,
  count: number,
  label: string,
  overflow: Overflow = 'refuse',
): () => Uint8Array {
  const target = new Uint8Array(weightBytes(to, count));
  const misfit = binding().convert(source, from, target, to, count);
  const top = largest[to];
  if (misfit < 0 || (top !== undefined && overflow === 'infinity')) return () => target;
  if (top === undefined)
    throw refusal(
      'ERR_WEIGHTS_CONVERT',
      `${label}: element ${misfit} does not fit ${to}${to.startsWith('float') ? '' : ' exactly'}`,
    );
  const value = valueAt(source, from, misfit);
  return () => {
    throw refusal(
      'ERR_WEIGHTS_CONVERT',
      `${label}: element ${misfit} is ${value}, expected at most ${top} in magnitude for ${to}; with overflow 'infinity' it becomes infinite, as in PyTorch`,
    );
  };
}

/** One element of at least 8 bits. */
function valueAt(source: Uint8Array, from: WeightDType, index: number): number {
  const element = source.subarray(weightBytes(from, index), weightBytes(from, index + 1));
  const double = new Uint8Array(8);
  binding().convert(element, from, double, 'float64', 1);
  return new Float64Array(double.buffer)[0]!;
}

/** Converts `count` elements into new memory. @throws ERR_WEIGHTS_CONVERT if an element does not fit, or overflows */
export const convertElements = (...args: Parameters<typeof conversion>): Uint8Array => conversion(...args)();
