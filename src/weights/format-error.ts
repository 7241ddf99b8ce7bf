import { captureCallSite, locate } from '../errors/call-site.js';
import { type ErrorDetails, TensorRTError } from '../errors/error.js';

/** Makes the error for a problem with a file. */
export type Malformed = (problem: string) => TensorRTError;

/** The error for a file that breaks its format. */
export const malformed = (
  file: string,
  problem: string,
  details?: { expected?: unknown; actual?: unknown },
): TensorRTError => new TensorRTError('ERR_WEIGHTS_FORMAT', `${file}: ${problem}`, details);

/** The error for a caller's mistake, with the caller's file and line. */
export const refusal = (code: string, message: string, details: ErrorDetails = {}): TensorRTError =>
  new TensorRTError(code, message, { source: locate(captureCallSite()), ...details });
