import { readArguments } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';

/** Options of `writeTritonRepository`. */
export interface TritonOptions {
  /** The model's name, and its folder's. Default: the engine file's, without extension; `model` for an engine in memory. */
  name?: string | undefined;
  /** Version, a whole number from 1. Default 1. */
  version?: number | undefined;
  /**
   * Whether Triton may put requests together along the first dim. Default: where that is dynamic in all inputs and outputs, under
   * one name as far as names are known, and no input is a shape tensor.
   */
  batching?: boolean | undefined;
  /** Most microseconds that a request waits for others. Default 0: Triton takes what is there. */
  maxQueueDelay?: number | undefined;
  /** Copies of the model per GPU, each with contexts and streams of its own. Default 1. */
  instances?: number | undefined;
  /** Indices of GPUs. Default: all that Triton sees. */
  gpus?: readonly number[] | undefined;
  /** Run each profile once before requests are taken. Default true. */
  warmup?: boolean | undefined;
  /** Capture CUDA graphs: `true` for the sizes that each profile was tuned for, or batch sizes. Default false. */
  cudaGraphs?: boolean | readonly number[] | undefined;
  /** Paths of the plugin libraries that the engine needs, which are copied beside it. */
  plugins?: readonly string[] | undefined;
  /** For a file without metadata: the TensorRT library that loads it. Default: the best one found. */
  library?: string | undefined;
}

const whole = (value: unknown, least: number, most = 2 ** 31 - 1): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const listOf = (value: unknown, test: (one: unknown) => boolean): boolean => Array.isArray(value) && value.every(test);

const checks: Readonly<Record<keyof TritonOptions, readonly [expected: string, test: (value: unknown) => boolean]>> = {
  name: [
    'a name without slashes that does not begin with a dot',
    (value) => typeof value === 'string' && /^[^./\\\0][^/\\\0]{0,199}$/.test(value),
  ],
  version: ['a whole number of at least 1', (value) => whole(value, 1)],
  batching: ['true or false', (value) => typeof value === 'boolean'],
  maxQueueDelay: ['a whole number of microseconds', (value) => whole(value, 0)],
  instances: ['a whole number of at least 1', (value) => whole(value, 1)],
  gpus: ['indices of GPUs', (value) => listOf(value, (one) => whole(one, 0))],
  warmup: ['true or false', (value) => typeof value === 'boolean'],
  cudaGraphs: [
    'true, false or batch sizes',
    (value) => typeof value === 'boolean' || listOf(value, (one) => whole(one, 1)),
  ],
  library: ['a path', (value) => typeof value === 'string' && value !== ''],
  plugins: ['paths', (value) => listOf(value, (one) => typeof one === 'string' && one !== '')],
};

/** @throws ERR_PARAMETER */
export function readTritonOptions(given: TritonOptions): TritonOptions {
  return readArguments('triton', [given], () => {
    checkOptions(given, Object.keys(checks), 'triton');
    const options = { ...given };
    for (const [option, value] of Object.entries(options)) {
      const [expected, test] = checks[option as keyof TritonOptions];
      if (value === undefined || test(value)) continue;
      refuse('triton', 'ERR_PARAMETER', `expected ${expected}, given ${show(value)}`, { option, actual: value });
    }
    return options;
  });
}
