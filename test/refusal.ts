import { expect } from 'vitest';
import { TensorRTError } from '../src/index.js';

/** The error with which a call is refused; a call that is not, or that throws another one, fails the test. */
export function refusal(call: () => unknown): TensorRTError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorRTError);
    return error as TensorRTError;
  }
  throw new Error('nothing was refused');
}
