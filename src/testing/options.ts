import { show, TensorRTError } from '../errors/error.js';
import { nearest } from '../errors/nearest.js';
import { capabilityOf } from '../plugin/compile.js';
import type { DType } from '../values/dtype.js';
import type { PluginCase } from './cases.js';
import type { Tolerances } from './compare.js';

/** What is compared with the reference. */
export type PluginTestBackend = 'decomposition' | 'kernel' | 'tensorrt';

export const testBackends: readonly PluginTestBackend[] = ['decomposition', 'kernel', 'tensorrt'];

/** Options of `testPlugin`. */
export interface PluginTestOptions<
  I extends string = string,
  S extends string = string,
  Attributes = Readonly<Record<string, unknown>>,
> {
  /** Shapes, elements and attributes to test with. */
  cases: readonly PluginCase<I, S, Attributes>[];
  /** Also tests every case with each of its sizes at 0, at 1, and above the kernels' blocks without being a multiple. Default: true. */
  edges?: boolean | undefined;
  /** Only rows of the definition's `types` that have these dtypes. Default: all. */
  types?: readonly { readonly [name: string]: DType }[] | undefined;
  /** Of the random inputs. Default: 0. */
  seed?: number | undefined;
  /**
   * Allowed differences as a share of the reference's root mean square: one number, or by dtype. Default: float32 1e-5, float16
   * 2e-3, bfloat16 1.6e-2; all others are exact.
   */
  tolerance?: number | Tolerances | undefined;
  /** What is compared with the reference: `decomposition`, both on the CPU backend; `kernel`, alone on a GPU; `tensorrt`, in an engine. Default: all. */
  backends?: readonly PluginTestBackend[] | undefined;
  /** Whether the kernels also run under compute-sanitizer, memcheck and racecheck; or its path. Default: true. */
  sanitizer?: boolean | string | undefined;
  /** Seconds that one of its runs may take. Default: 300. */
  sanitizerTimeout?: number | undefined;
  /** Compute capabilities to compile for where there is no GPU, such as '9.0'. Default: 8.0, 9.0 and 12.0, as far as NVRTC knows them. */
  computeCapabilities?: readonly string[] | undefined;
  /** Which GPU, from 0. Default: 0. */
  device?: number | undefined;
  /** The TensorRT, as for `build`. */
  library?: string | undefined;
  /** Gets what was checked and skipped, one line each. Default: the console. `false`: nothing is printed. */
  print?: boolean | ((line: string) => void) | undefined;
}

/** Options with their defaults. */
export interface ResolvedOptions {
  cases: readonly PluginCase[];
  edges: boolean;
  types: readonly Readonly<Record<string, DType>>[] | undefined;
  seed: number;
  tolerances: Tolerances;
  backends: readonly PluginTestBackend[];
  sanitizer: boolean | string;
  sanitizerTimeout: number;
  capabilities: readonly number[] | undefined;
  device: number;
  library: string | undefined;
  print: (line: string) => void;
}

const known = [
  ...['cases', 'edges', 'types', 'seed', 'tolerance', 'backends', 'sanitizer', 'sanitizerTimeout'],
  ...['computeCapabilities', 'device', 'library', 'print'],
];

function refuse(option: string | undefined, said: string, actual: unknown): never {
  throw new TensorRTError('ERR_PARAMETER', said, {
    method: 'testPlugin',
    ...(option !== undefined && { option }),
    actual,
  });
}

/** Checks options. @throws ERR_PARAMETER */
export function resolveOptions(given: PluginTestOptions, defaults: Tolerances): ResolvedOptions {
  if (typeof given !== 'object' || given === null) refuse(undefined, `expected options, given ${show(given)}`, given);
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    refuse(
      undefined,
      `there is no option '${key}'; ${close.length > 0 ? `did you mean ${close.join(' or ')}?` : `there are ${known.join(', ')}`}`,
      key,
    );
  }
  const check = (option: keyof PluginTestOptions, expected: string, isRight: (value: never) => boolean) => {
    const value = given[option];
    if (value !== undefined && !isRight(value as never))
      refuse(option, `expected ${expected}, given ${show(value)}`, value);
  };
  const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
  if (!Array.isArray(given.cases) || given.cases.length === 0)
    refuse('cases', `expected at least one case, given ${show(given.cases)}`, given.cases);
  check('edges', 'true or false', (value) => typeof value === 'boolean');
  check('types', 'a list of dtypes by name', (value) => Array.isArray(value));
  check('seed', 'a whole number of 0 or more', isWhole);
  check(
    'tolerance',
    'a share, or shares by dtype',
    (value: unknown) =>
      isShare(value) || (typeof value === 'object' && value !== null && Object.values(value).every(isShare)),
  );
  check(
    'backends',
    `a list of ${testBackends.join(', ')}`,
    (value: unknown) => Array.isArray(value) && value.every((one) => testBackends.includes(one)),
  );
  check(
    'sanitizer',
    'true, false or a path',
    (value: unknown) => typeof value === 'boolean' || typeof value === 'string',
  );
  check('sanitizerTimeout', 'seconds', (value) => isShare(value) && value > 0);
  check(
    'computeCapabilities',
    "a list such as ['9.0']",
    (value: unknown) => Array.isArray(value) && value.every((one) => /^\d+\.\d$/.test(one)),
  );
  check('device', 'the number of a GPU', isWhole);
  check(
    'print',
    'true, false or a function',
    (value: unknown) => typeof value === 'boolean' || typeof value === 'function',
  );
  const { tolerance, print = true } = given;
  return {
    cases: given.cases as readonly PluginCase[],
    edges: given.edges ?? true,
    types: given.types,
    seed: given.seed ?? 0,
    tolerances:
      typeof tolerance === 'number'
        ? Object.fromEntries(Object.keys(defaults).map((dtype) => [dtype, tolerance]))
        : { ...defaults, ...tolerance },
    backends: given.backends ?? testBackends,
    sanitizer: given.sanitizer ?? true,
    sanitizerTimeout: given.sanitizerTimeout ?? 300,
    capabilities: given.computeCapabilities?.map(capabilityOf),
    device: given.device ?? 0,
    library: given.library,
    print: typeof print === 'function' ? print : print ? (line) => console.log(line) : () => {},
  };
}
