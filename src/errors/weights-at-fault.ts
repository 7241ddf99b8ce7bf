import { currentCall } from './call-site.js';
import type { Refusal, WeightOperand } from './facts.js';

const deepest = 3;

/** Finds weights from files among arguments: in options, and in lists and plain objects inside them. */
function weightsIn(value: unknown, role: string, depth: number, found: WeightOperand[]): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  const { name, file, dtype, shape } = value as Partial<WeightOperand>;
  if (typeof file === 'string' && typeof name === 'string' && Array.isArray(shape)) {
    found.push({ role: role || 'weight', name, file, dtype, shape });
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || prototype === Object.prototype || Array.isArray(value);
  if (depth === deepest || !isPlain) return;
  for (const [key, inner] of Object.entries(value)) weightsIn(inner, role ? `${role}.${key}` : key, depth + 1, found);
}

/**
 * The weights from files that an error is about, among those passed to the current call: those of the options at fault.
 * If no option is at fault, all of them, unless a parameter is.
 */
export function weightsAtFault(
  code: string,
  { option, options = [], involved = [] }: Refusal = {},
): WeightOperand[] | undefined {
  const given: WeightOperand[] = [];
  try {
    for (const arg of currentCall.args) weightsIn(arg, '', 0, given);
  } catch {
    // A value that cannot be read (a getter that throws, a revoked proxy) has no weights to name.
    return undefined;
  }
  const all = [...(option === undefined ? [] : [option]), ...options, ...involved];
  const named = given.filter(({ role }) => all.some((one) => role === one || role.startsWith(`${one}.`)));
  const weights = named.length > 0 || code === 'ERR_PARAMETER' ? named : given;
  return weights.length > 0 ? weights : undefined;
}
