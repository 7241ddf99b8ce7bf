import type { Profile, ProfileBound, ProfileRange } from '../../tensorrt/compile/profiles.js';
import { defaultRanges } from '../../tensorrt/compile/profiles.js';
import { refuseArgument } from './exit.js';

/** What `--dims` gives: ranges or sizes by the names of dims. */
export type Dims = Record<string, ProfileRange>;

const expected = 'name=size or name=min:opt:max, such as batch=1:8:64';

/**
 * For `--dims batch=1:8:64,height=224`, which may be repeated. An input that shapes are computed from takes an element, or all elements with an
 * x between them: `sizes=1x1:8x8:64x64`.
 */
export function parseDims(text: string, before: Dims = {}): Dims {
  const dims = { ...before };
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    if (at < 1) refuseArgument(expected, part);
    const bounds = part
      .slice(at + 1)
      .split(':')
      .map((bound) => boundOf(bound, part));
    if (bounds.length !== 1 && bounds.length !== 3) refuseArgument(expected, part);
    const [only] = bounds;
    dims[part.slice(0, at)] = bounds.length === 3 || typeof only !== 'number' ? three(bounds) : only;
  }
  return dims;
}

const three = (bounds: readonly ProfileBound[]): ProfileRange =>
  bounds.length === 3 ? bounds : [bounds[0]!, bounds[0]!, bounds[0]!];

function boundOf(text: string, part: string): ProfileBound {
  const sizes = text.split('x').map((one) => (/^-?\d+$/.test(one) ? Number(one) : Number.NaN));
  if (!sizes.every(Number.isSafeInteger)) refuseArgument(expected, part);
  return sizes.length === 1 ? sizes[0]! : sizes;
}

/** For `--profile batch=1:1:1`, each of which is a profile. */
export const parseProfile = (text: string, before: readonly Dims[] = []): Dims[] => [...before, parseDims(text)];

/** Build's `profiles`: those of `--profile`, each with the dims of `--dims` that it does not name itself. */
export function profilesOf(dims: Dims | undefined, profiles: readonly Dims[] | undefined): Profile[] | undefined {
  if (!dims && !profiles) return undefined;
  return (profiles ?? [{}]).map((profile) => ({ ...dims, ...profile }));
}

type Inputs = Parameters<typeof defaultRanges>[0];

/** A warning of a build as the command line says it: by its flags. */
export function inFlags(message: string, inputs: Inputs): string {
  if (message !== defaultRanges(inputs)) return message;
  return defaultRanges(inputs, (names) => `--dims ${names.map((name) => `${name}=min:opt:max`).join(',')}`)!;
}

/** The sizes of one run: what `--dims batch=8` says, or opt of a range. */
export function sizesOf(dims: Dims | undefined): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const [name, range] of Object.entries(dims ?? {})) {
    const size = typeof range === 'number' ? range : range[1];
    if (typeof size === 'number') sizes[name] = size;
  }
  return sizes;
}
