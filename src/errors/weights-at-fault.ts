import type { TensorRTError, WeightOperand } from './error.js';

const deepest = 3;

/** Weights that came from files, among arguments: in options, and in lists and plain objects inside them. */
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

/** Adds to an error the weights of files that the call was given: those whose roles the message says; without any, all, unless a parameter is at fault. */
export function nameWeights(error: TensorRTError, args: readonly unknown[]): void {
  if (error.weights) return;
  const given: WeightOperand[] = [];
  try {
    for (const arg of args) weightsIn(arg, '', 0, given);
  } catch {
    // What cannot be read (a getter that throws, a revoked proxy) names nothing.
    return;
  }
  const words = new Set(error.message.split(/[^\w.]+/).map((word) => word.replace(/\.$/, '')));
  const named = given.filter(({ role }) => words.has(role));
  const weights = named.length > 0 || error.code === 'ERR_PARAMETER' ? named : given;
  if (weights.length > 0) error.nameWeights(weights);
}
