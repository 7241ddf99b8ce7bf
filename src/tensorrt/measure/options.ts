import { readArguments } from '../../errors/boundary.js';
import { show } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import { checkSignal } from '../../values/signal.js';
import type { NativeMeasureOptions } from '../binding.js';

/** How to measure. Defaults are those of TensorRT 11's trtexec. */
export interface MeasureOptions {
  /** Milliseconds of runs that do not count. Default 200. */
  warmUp?: number | undefined;
  /** Least milliseconds to measure. Default 3000. */
  duration?: number | undefined;
  /** Fewest runs of each stream. Default 10. */
  iterations?: number | undefined;
  /** Contexts that run beside each other, each with streams of its own. Default 1. */
  streams?: number | undefined;
  /** A thread for each stream; else one submits them all in turn. Default false. */
  threads?: boolean | undefined;
  /** Launches a CUDA graph in place of `enqueueV3`, if the network can be captured. Default true. */
  cudaGraph?: boolean | undefined;
  /** Asks the GPU without a break whether a run has ended, in place of sleeping until it has. Default true. */
  spinWait?: boolean | undefined;
  /** Copies inputs to the GPU and outputs from it in each run. Default false. */
  transfers?: boolean | undefined;
  /** Milliseconds to rest between runs. Default 0. */
  idle?: number | undefined;
  /** Index of the optimization profile. Default 0. */
  profile?: number | undefined;
  /** Percents of `percentiles`. Default 90, 95 and 99. */
  percentiles?: readonly number[] | undefined;
  /** Ends the measurement; the promise is rejected with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
}

/** Checked, with defaults. */
export interface ReadMeasureOptions {
  native: NativeMeasureOptions;
  streams: number;
  profile: number;
  percentiles: readonly number[];
  signal: AbortSignal | undefined;
}

/** @internal */
export const measureOptionNames = [
  'warmUp',
  'duration',
  'iterations',
  'streams',
  'threads',
  'cudaGraph',
  'spinWait',
  'transfers',
  'idle',
  'profile',
  'percentiles',
  'signal',
] as const;

function fail(option: string, expected: string, actual: unknown): never {
  refuse('measure', 'ERR_PARAMETER', `expected ${expected}, given ${show(actual)}`, { option, actual });
}

function milliseconds(option: string, given: unknown): number {
  if (typeof given === 'number' && given >= 0 && given <= 1e9) return given;
  return fail(option, 'milliseconds, 0 to 1000000000', given);
}

function whole(option: string, given: unknown, from: number, to: number): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= from && given <= to) return given;
  return fail(option, `a whole number from ${from} to ${to}`, given);
}

function flag(option: string, given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  return fail(option, 'true or false', given);
}

function percents(given: unknown): readonly number[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'number' && one >= 0 && one <= 100))
    return [...given];
  return fail('percentiles', 'numbers from 0 to 100', given);
}

/** @throws ERR_PARAMETER, ERR_ABORTED */
export const readMeasureOptions = (given: unknown): ReadMeasureOptions =>
  readArguments(
    'measure',
    [given],
    () => {
      checkOptions(given, measureOptionNames, 'measure');
      const {
        warmUp = 200,
        duration = 3000,
        iterations = 10,
        streams = 1,
        idle = 0,
        profile = 0,
        ...rest
      } = given as MeasureOptions;
      const {
        threads = false,
        cudaGraph = true,
        spinWait = true,
        transfers = false,
        percentiles = [90, 95, 99],
      } = rest;
      checkSignal('measure', rest.signal);
      return {
        native: {
          warmUp: milliseconds('warmUp', warmUp),
          duration: milliseconds('duration', duration),
          iterations: whole('iterations', iterations, 1, 2 ** 31 - 1),
          idle: milliseconds('idle', idle),
          threads: flag('threads', threads),
          graph: flag('cudaGraph', cudaGraph),
          spin: flag('spinWait', spinWait),
          transfers: flag('transfers', transfers),
        },
        streams: whole('streams', streams, 1, 64),
        profile: profile as number,
        percentiles: percents(percentiles),
        signal: rest.signal,
      };
    },
    'ERR_PARAMETER',
  );
