import { TensorRTError } from '../../errors/error.js';
import type { ResolvedFeed } from '../../values/feeds.js';
import type { NativeIO } from '../binding.js';

/** @throws ERR_SHAPE if a dim of a feed, or an element that shapes are computed from, is outside the profile */
export function checkInProfile({ name, shape, data }: ResolvedFeed, io: NativeIO, profile: number): void {
  checkRange(io.profiles, profile, shape, (size, axis) => `input '${name}' has ${size} on axis ${axis}`);
  if (io.values.length === 0) return;
  const values = Array.from(data, Number);
  checkRange(io.values, profile, values, (value, i) => `element ${i} of input '${name}' is ${value}`);
}

function checkRange(
  ranges: NativeIO['profiles'],
  profile: number,
  given: readonly number[],
  what: (value: number, index: number) => string,
): void {
  const [min, , max] = ranges[profile] ?? [[], [], []];
  const at = given.findIndex((value, i) => value < min[i]! || value > max[i]!);
  if (at < 0) return;
  throw new TensorRTError(
    'ERR_SHAPE',
    `${what(given[at]!, at)}, but profile ${profile} was built for ${min[at]} to ${max[at]}: run in parts, or build with another profile`,
    { expected: [min[at], max[at]], actual: given[at] },
  );
}
