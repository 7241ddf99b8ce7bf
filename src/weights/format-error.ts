import { TensorRTError } from '../dsl/errors.js';

/** The error of a file that does not keep to its format. */
export const malformed = (
  file: string,
  problem: string,
  details?: { expected?: unknown; actual?: unknown },
): TensorRTError => new TensorRTError('ERR_WEIGHTS_FORMAT', `${file}: ${problem}`, details);
