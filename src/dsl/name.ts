import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';

/** TensorRT allows 4096 bytes including the final zero, and parts of a layer append to its name. */
const maxBytes = 3000;

/** Why a text is not a valid name; undefined if it is one. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return `expected a name, given ${show(name)}`;
  if (name.includes('\0')) return `expected a name without NUL, given ${show(name)}`;
  if (/\p{Surrogate}/u.test(name)) return `expected a name in Unicode, given half a surrogate pair in ${show(name)}`;
  if (Buffer.byteLength(name) > maxBytes) return `expected a name of at most ${maxBytes} bytes, given ${show(name)}`;
  return undefined;
}

/** @throws ERR_NAME */
export function checkName(name: unknown, what: string): void {
  const problem = nameProblem(name);
  if (problem) refuse(what, 'ERR_NAME', problem, { value: name, actual: name });
}
