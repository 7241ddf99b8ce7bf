import { TensorRTError } from '../../errors/error.js';
import type { ResolvedFeed } from '../../values/feeds.js';
import type { NativeIO } from '../binding.js';

/** @throws ERR_SHAPE if a dim of a feed, or an element that shapes are computed from, is outside the profile */
export function checkInProfile({ name, shape, data }: ResolvedFeed, io: NativeIO, profile: number): void {
  const axis = outside(io.profiles, profile, shape);
  if (axis >= 0) refuse(io.profiles, profile, axis, `input '${name}' has ${shape[axis]} on axis ${axis}`, shape[axis]!);
  if (io.values.length === 0) return;
  const values = Array.from(data, Number);
  const at = outside(io.values, profile, values);
  if (at >= 0) refuse(io.values, profile, at, `element ${at} of input '${name}' is ${values[at]}`, values[at]!);
}

type Ranges = NativeIO['profiles'];

/** Index of the first number that is outside its range, or -1. */
function outside(ranges: Ranges, profile: number, given: readonly number[]): number {
  const range = ranges[profile];
  if (!range) return -1;
  const [min, , max] = range;
  for (let i = 0; i < given.length; i++) if (given[i]! < min[i]! || given[i]! > max[i]!) return i;
  return -1;
}

function refuse(ranges: Ranges, profile: number, at: number, said: string, actual: number): never {
  const [min, , max] = ranges[profile]!;
  throw new TensorRTError(
    'ERR_SHAPE',
    `${said}, but profile ${profile} was built for ${min[at]} to ${max[at]}: run in parts, or build with another profile`,
    { expected: [min[at], max[at]], actual },
  );
}
