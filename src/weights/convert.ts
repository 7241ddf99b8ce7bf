import { binding } from './binding.js';
import { type WeightDType, weightBytes } from './dtype.js';
import { refusal } from './format-error.js';

/**
 * Converts `count` elements into new memory; see `Weight.as`.
 * @throws ERR_WEIGHTS_CONVERT if an integer dtype cannot hold an element exactly, or no conversion exists
 */
export function convertElements(
  source: Uint8Array,
  from: WeightDType,
  to: WeightDType,
  count: number,
  label: string,
): Uint8Array {
  if (to === 'float4e2m1' || to === 'float8e8m0') {
    throw refusal(
      'ERR_WEIGHTS_CONVERT',
      `${label}: ${from} cannot be converted to ${to}; only files that hold it give it`,
    );
  }
  const target = new Uint8Array(weightBytes(to, count));
  const misfit = binding().convert(source, from, target, to, count);
  if (misfit >= 0) {
    throw refusal('ERR_WEIGHTS_CONVERT', `${label}: element ${misfit} does not fit ${to} exactly`);
  }
  return target;
}
