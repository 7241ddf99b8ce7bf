import { expect } from 'vitest';
import { TensorRTError } from '../src/index.js';

/** The error of a refused call. A call that is not refused, or throws another error, fails the test. */
export function refusal(call: () => unknown): TensorRTError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorRTError);
    return error as TensorRTError;
  }
  throw new Error('nothing was refused');
}
