import type { Fail } from '../../dsl/define-layer.js';
import { type Dim, formatShape, isStatic, meet, type Shape, unknownDim } from '../../values/dim.js';
import { of } from './dtypes.js';

export function requireRank(shape: Shape, atLeast: number, atMost: number, fail: Fail, what?: string): void {
  if (shape.length < atLeast || shape.length > atMost) {
    const range =
      atLeast === atMost ? `rank ${atLeast}` : atMost >= 8 ? `rank ${atLeast} or more` : `rank ${atLeast} to ${atMost}`;
    fail('ERR_RANK', `${of(what)}expected ${range}, given rank ${shape.length} ${formatShape(shape)}`, {
      option: what,
      expected: [atLeast, atMost],
      actual: shape.length,
    });
  }
}

/** The size of two axes after broadcasting; undefined if they do not fit. */
export function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (isStatic(a) && isStatic(b)) return undefined;
  meet(a, b, true);
  return isStatic(a) ? a : isStatic(b) ? b : unknownDim('broadcast');
}

/** Broadcasts two shapes of equal rank. */
export function broadcastShapes(a: Shape, b: Shape, fail: Fail): Dim[] {
  if (a.length !== b.length) {
    fail('ERR_RANK', `expected one rank, given ${formatShape(a)} and ${formatShape(b)}`, { expected: a, actual: b });
  }
  return a.map((dim, i) => {
    const size = broadcastDim(dim, b[i]!);
    if (size === undefined)
      fail(
        'ERR_SHAPE',
        `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: axis ${i} has ${String(dim)} and ${String(b[i])}`,
        { expected: a, actual: b },
      );
    return size!;
  });
}
