import type { Fail } from '../../dsl/define-layer.js';
import { locate, mark } from '../../errors/call-site.js';
import { type ErrorDetails, TensorRTError } from '../../errors/error.js';

/** Throws what a layer method finds wrong before it records anything, with the caller's place. */
export function refuse(method: string, code: string, message: string, facts: ErrorDetails = {}): never {
  const { expected, actual } = facts;
  throw new TensorRTError(code, `${method}: ${message}`, { source: locate(mark()), expected, actual });
}

/** `refuse` for what checks within inference, too. */
export const refusing =
  (method: string): Fail =>
  (code, message, facts) =>
    refuse(method, code, message, facts);
