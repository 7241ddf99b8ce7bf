import { show, TensorRTError } from './error.js';

// Callers' code can throw anything, also what cannot be looked at: a revoked proxy, an error whose getters throw.

/** Whether it is an error of this package. */
export function isOurs(value: unknown): value is TensorRTError {
  try {
    return value instanceof TensorRTError;
  } catch {
    return false;
  }
}

/** What was thrown, as a message may say it. */
export function thrown(value: unknown): string {
  try {
    if (value instanceof Error && typeof value.message === 'string') return value.message;
  } catch {
    // Shown below, as far as it goes.
  }
  return show(value);
}
