import { captureCallSite, locate } from './call-site.js';
import { TensorRTError } from './error.js';

/** For `Symbol.toPrimitive` of what is no number: JavaScript's operators would make NaN of it without a word. */
export function asText(hint: string, text: string, remedy: string): string {
  if (hint !== 'number') return text;
  throw new TensorRTError('ERR_INPUT', `${text} is not a number: ${remedy}`, { source: locate(captureCallSite()) });
}

/** What stands for JavaScript's operators. */
export const methodsForOperators = '.mul(2) stands for * 2, and .add, .sub, .div, .lt and .gt for the others';
