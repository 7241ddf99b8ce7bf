import type { Fail } from '../../dsl/define-layer.js';

/** Converts a negative axis to count from the front. Axes out of range are left for `resolveAxis` to refuse. */
export const wrapAxis = (axis: number, rank: number): number =>
  axis < 0 && axis >= -rank && Number.isInteger(axis) ? axis + rank : axis;

/** One axis or several as a list, counted from the front. Anything else is left for the schema to refuse. */
export const axisList = (axes: number | readonly number[], rank: number): number[] =>
  typeof axes === 'number'
    ? [wrapAxis(axes, rank)]
    : Array.isArray(axes)
      ? axes.map((axis) => wrapAxis(axis, rank))
      : (axes as never);

/** The index of an axis that may be negative. */
export function resolveAxis(axis: number, rank: number, fail: Fail, what = 'axis'): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    fail(
      'ERR_AXIS',
      `expected a whole number from ${-rank} to ${rank - 1} for a tensor of rank ${rank}, given ${String(axis)}`,
      { option: what, actual: axis },
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Parameters count axes from the front: methods see to that, a network's JSON may not. */
export function requireFront(axes: readonly number[], fail: Fail): void {
  const back = axes.find((axis) => axis < 0);
  if (back !== undefined) fail('ERR_AXIS', `expected axes counted from the front, given ${back}`, { actual: back });
}

/** Sorted indices of several axes. Refuses repeated ones. */
export function resolveAxes(axes: readonly number[], rank: number, fail: Fail): number[] {
  const resolved = axes.map((axis) => resolveAxis(axis, rank, fail, 'axes'));
  if (new Set(resolved).size !== resolved.length)
    fail('ERR_AXIS', `expected each axis once, given [${axes.join(', ')}]`, { option: 'axes' });
  return resolved.sort((a, b) => a - b);
}
