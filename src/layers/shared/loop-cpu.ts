import type { CpuGraph, CpuValue } from '../../dsl/define-layer.js';
import type { ValueType } from '../../values/spec.js';

/** Writes the loop; a watched one has another state before the others: whether another iteration would follow. */
export type LoopWriter = (
  trips: CpuValue | null,
  start: CpuValue | null,
  state: readonly CpuValue[],
  options: { collects: boolean; watched: boolean },
) => CpuValue[];

/** The most iterations of a loop whose number only the run knows: nothing stops onnxruntime from outside. Tests lower it. */
export const loopLimit = { trips: 1_000_000 };

/** A loop that fails where it would go on after `loopLimit.trips`. */
export function stoppedLoop(
  g: CpuGraph,
  loopOf: LoopWriter,
  count: CpuValue | null,
  start: CpuValue | null,
  initial: readonly CpuValue[],
  lengths: readonly (CpuValue | null)[],
): CpuValue[] {
  const most = g.constant('int64', [], [loopLimit.trips]);
  const from = start ?? g.constant('bool', [], [1]);
  const states = initial.length;
  let goesOn: CpuValue;
  let results: CpuValue[];
  if (count || lengths.length === 0) {
    const trips = count ? g.op('Min', [count, most]) : most;
    [goesOn, ...results] = loopOf(trips, from, initial, { collects: true, watched: true }) as [CpuValue, ...CpuValue[]];
    if (count) goesOn = g.op('And', [goesOn, g.op('Greater', [count, most])]);
  } else {
    // Values beyond the lengths would be kept for nothing, so a second loop goes on without them.
    const longest = g.op('Min', [g.op('Max', lengths), most]);
    const [on, ...first] = loopOf(longest, from, initial, { collects: true, watched: true });
    const second = loopOf(most, on!, first.slice(0, states), { collects: false, watched: true });
    [goesOn, ...results] = second as [CpuValue, ...CpuValue[]];
    results.push(...first.slice(states));
  }
  const text = `it ran ${loopLimit.trips.toLocaleString('en-US')} iterations, the most that the CPU backend runs where only the run decides how many, and would go on: correct 'while', or give a count`;
  const ended = g.op('Not', [goesOn]);
  return results.map((value) => g.guard(value, ended, text));
}

/** Cuts or zero-pads to a length along axis 0. */
export function resized(g: CpuGraph, value: CpuValue, length: CpuValue, { dtype }: ValueType): CpuValue {
  const int64 = (...values: number[]) => g.constant('int64', [values.length], values);
  const size = g.op('Unsqueeze', [length, int64(0)]);
  const rest = g.op('Slice', [g.op('Shape', [value]), int64(1), int64(2 ** 31 - 1)]);
  const shape = g.op('Concat', [size, rest], { axis: 0 });
  const zeros = g.op('Expand', [g.cast(g.constant('bool', [], [0]), dtype), shape]);
  const filled = g.op('Concat', [value, zeros], { axis: 0 });
  return g.op('Slice', [filled, int64(0), size]);
}

/** The same, last element along axis 0 first. */
export function flipped(g: CpuGraph, value: CpuValue): CpuValue {
  const int64 = (v: number) => g.constant('int64', [1], [v]);
  return g.op('Slice', [value, int64(-1), int64(-(2 ** 53)), int64(0), int64(-1)]);
}
