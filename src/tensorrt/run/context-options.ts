import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import type { DType, TypedArray } from '../../values/dtype.js';
import type { NativeContextOptions } from '../binding.js';
import { DeviceTensor } from './device-tensor.js';
import { memoryOf } from './memory.js';
import { type RtxOptions, readRtxOptions } from './rtx-options.js';

/** A tensor inside the network, as it was in a run. */
export interface DebugTensor {
  /** Name of the tensor. */
  name: string;
  /** Its dtype. */
  dtype: DType;
  /** Its sizes in this run. */
  shape: readonly number[];
  /** Row-major elements, as results have them. */
  data: TypedArray;
}

/** How a context with `cudaGraph` keeps its graphs. */
export interface CudaGraphOptions {
  /** Most graphs that are kept, one for every set of shapes and memory; the one that has been unused the longest goes. Default 8. */
  limit?: number | undefined;
}

/** Options of `engine.createContext`. */
export interface ContextOptions {
  /** Index of the optimization profile. Default 0. */
  profile?: number | undefined;
  /**
   * Runs that may be on the GPU at a time, 1 to 8: with 2, a run's feeds are copied while the one before computes. Each has buffers of
   * its own. Default 1.
   */
  inFlight?: number | undefined;
  /** Runs that may wait; one more is rejected with ERR_QUEUE_FULL. Default 10,000. */
  maxQueued?: number | undefined;
  /**
   * Captures runs as CUDA graphs, and replays them where shapes and memory are the same again. A network that cannot be captured runs
   * without them; a warning says so once. Default false.
   */
  cudaGraph?: boolean | CudaGraphOptions | undefined;
  /**
   * Activation memory: `'own'` (default) is enough for every profile, `'profile'` for this one; `'shared'` is one memory for all
   * contexts of the engine that ask for it, which take turns; a DeviceTensor of `engine.memorySizes[profile]` bytes is used as it is.
   */
  memory?: 'own' | 'profile' | 'shared' | DeviceTensor | undefined;
  /** Priority of the context's stream, as CUDA counts: lower is more urgent, 0 the least. Default 0. */
  priority?: number | undefined;
  /** Streams beside its own that TensorRT may use. Default: what it chooses. */
  auxStreams?: number | undefined;
  /** Gets every tensor that `tensor.debug()` marked, in each run, before its promise settles. If it throws, the run is rejected with ERR_CALLBACK. */
  onDebug?: ((tensor: DebugTensor) => void) | undefined;
  /** What only TensorRT-RTX has; elsewhere ERR_UNSUPPORTED. */
  rtx?: RtxOptions | undefined;
}

/** Checked, with defaults. */
export interface ReadContextOptions {
  native: Omit<NativeContextOptions, 'onDebug'>;
  maxQueued: number;
  onDebug: ContextOptions['onDebug'];
}

export const defaultInFlight = 1;
export const defaultMaxQueued = 10_000;

const names = ['profile', 'inFlight', 'maxQueued', 'cudaGraph', 'memory', 'priority', 'auxStreams', 'onDebug', 'rtx'];

function fail(option: string, expected: string, actual: unknown): never {
  refuse('createContext', 'ERR_PARAMETER', `expected ${expected}, given ${show(actual)}`, { option, actual });
}

function whole(option: string, given: unknown, from: number, to = Number.MAX_SAFE_INTEGER): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= from && given <= to) return given;
  const range = to === Number.MAX_SAFE_INTEGER ? `of ${from} or more` : `from ${from} to ${to}`;
  return fail(option, `a whole number ${range}`, given);
}

function graphsOf(given: unknown): number {
  if (typeof given === 'boolean') return given ? 8 : 0;
  if (typeof given !== 'object' || given === null) fail('cudaGraph', 'true, false or { limit }', given);
  checkOptions(given, ['limit'], 'createContext');
  const { limit = 8 } = given as CudaGraphOptions;
  return whole('limit', limit, 1, 1024);
}

function memoryFor(given: unknown): NativeContextOptions['memory'] {
  if (given === 'own' || given === 'profile' || given === 'shared') return given;
  if (!(given instanceof DeviceTensor)) fail('memory', "'own', 'profile', 'shared' or a DeviceTensor", given);
  return memoryOf(given).handle;
}

/** @throws ERR_PARAMETER, ERR_DISPOSED; ERR_PROFILE if the profile is no number, `checkProfile` has the rest */
export function readContextOptions(given: unknown): ReadContextOptions {
  return readArguments(
    'createContext',
    [given],
    () => {
      checkOptions(given, names, 'createContext');
      const options = given as ContextOptions;
      const { profile = 0, inFlight = defaultInFlight, maxQueued = defaultMaxQueued, cudaGraph = false } = options;
      const { memory = 'own', priority = 0, auxStreams, onDebug } = options;
      const rtx = readRtxOptions(options.rtx);
      if (onDebug !== undefined && typeof onDebug !== 'function') fail('onDebug', 'a function', onDebug);
      return {
        native: {
          profile,
          inFlight: whole('inFlight', inFlight, 1, 8),
          graphs: graphsOf(cudaGraph),
          memory: memoryFor(memory),
          priority: whole('priority', priority, -128, 127),
          ...(auxStreams !== undefined && { auxStreams: whole('auxStreams', auxStreams, 0, 64) }),
          ...(rtx && { rtx }),
        },
        maxQueued: whole('maxQueued', maxQueued, 0),
        onDebug,
      };
    },
    'ERR_PARAMETER',
  );
}

/** @throws ERR_PROFILE */
export function checkProfile(profile: unknown, count: number): void {
  const profiles = Math.max(1, count);
  if (Number.isInteger(profile) && (profile as number) >= 0 && (profile as number) < profiles) return;
  throw new TensorRTError(
    'ERR_PROFILE',
    `profile: expected a whole number from 0 to ${profiles - 1}, given ${show(profile)}`,
  );
}
