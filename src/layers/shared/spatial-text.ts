import { formatShape, type Shape } from '../../values/dim.js';

// Methods for one spatial axis record layers with two, see one-axis.ts. Messages show what the caller passed.

let added = 0;

/** Runs `record` for a method whose caller knows nothing of the first spatial axis. */
export function withAddedAxis<T>(record: () => T): T {
  const before = added;
  added = 1;
  try {
    return record();
  } finally {
    added = before;
  }
}

/** A shape [a, b, ...spatial]. */
export const shownShape = (shape: Shape): string => formatShape([...shape.slice(0, 2), ...shape.slice(2 + added)]);

/** A list with one entry per spatial axis: a number where there is one axis. */
export const shownList = (list: readonly unknown[]): string => {
  const own = list.slice(added);
  return added === 1 && own.length === 1 ? String(own[0]) : `[${own.join(', ')}]`;
};

/** The index of a spatial axis. */
export const shownAxis = (axis: number): number => axis - added;
