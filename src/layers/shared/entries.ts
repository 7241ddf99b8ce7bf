import { Tensor } from '../../dsl/tensor.js';
import { isRecord } from '../../values/record.js';

/** Whether a value is an object of entries: no tensor, no list. */
export const isEntries = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && !(value instanceof Tensor);
