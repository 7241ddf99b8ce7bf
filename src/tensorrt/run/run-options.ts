import { readArguments } from '../../errors/boundary.js';
import { checkOptions } from '../../errors/options.js';
import { type Feeds, type ResolvedFeed, resolveFeeds } from '../../values/feeds.js';
import { checkOutputMemory, type OutputPlaces, type ResolvedOutput, resolveOutputs } from '../../values/outputs.js';
import type { Result } from '../../values/result.js';
import { checkSignal } from '../../values/signal.js';
import { checkTransfer } from '../../values/transfer.js';
import type { DeviceTensor } from './device-tensor.js';
import type { EngineIO } from './engine-io.js';

/** Options of `runSync`. */
export interface RunSyncOptions<O extends OutputPlaces | undefined = OutputPlaces | undefined> {
  /**
   * Where outputs go: `'device'` leaves all of them on the GPU, as DeviceTensors; an object says it by name, for each `'host'`
   * (default: a new array), `'device'`, a typed array, a HostTensor or a DeviceTensor. The result's data is as long as the result,
   * over the memory that was given.
   */
  outputs?: O | undefined;
  /**
   * Takes the feeds' arrays over, as `postMessage` does, and copies them after the call has returned: they, and all other arrays over
   * their buffers, are detached. Arrays that cannot be taken over (shared memory, a weight file, Node's pool of small Buffers, a large
   * result) are copied before, and stay.
   */
  transfer?: boolean | undefined;
}

/** Options of `run` for contexts and engines. */
export interface ContextRunOptions<O extends OutputPlaces | undefined = OutputPlaces | undefined>
  extends RunSyncOptions<O> {
  /**
   * Gives the run up: the promise is rejected with ERR_ABORTED at once. A run that waits is taken out of the queue; one on the GPU
   * goes on, and uses its feeds and outputs until it ends.
   */
  signal?: AbortSignal | undefined;
}

/** What a run gives for an output that goes to a place. */
export type RunResult<P> = P extends 'device' | DeviceTensor ? DeviceTensor : Result;

/** What a run gives, by output name: Results, and DeviceTensors for outputs that stay on the GPU. */
export type RunResults<O> = O extends 'device'
  ? Record<string, DeviceTensor>
  : O extends Readonly<Record<string, unknown>>
    ? { [K in keyof O]: RunResult<O[K]> } & { [name: string]: Result | DeviceTensor }
    : Record<string, Result>;

/** A checked call. */
export interface RunRequest {
  feeds: ResolvedFeed[];
  /** In the order of the engine's outputs. */
  outputs: ResolvedOutput[];
  transfer: boolean;
  signal: AbortSignal | undefined;
}

/** What runs take and give. */
export interface Runs {
  inputs: readonly EngineIO[];
  outputs: readonly EngineIO[];
  /** The input that an output may share a tensor with. */
  inPlace?(output: string): string | undefined;
}

const none: ContextRunOptions = {};
const runSyncNames = ['outputs', 'transfer'];
const runNames = [...runSyncNames, 'signal'];

/**
 * Checks what a run was given. Nothing of the caller's runs afterwards.
 * @throws ERR_PARAMETER, ERR_ABORTED, ERR_OUTPUT, ERR_FEED
 */
export function readRun(method: 'run' | 'runSync', runs: Runs, given: Feeds, options: unknown = none): RunRequest {
  const { outputs, transfer, signal } = readArguments(
    method,
    [options],
    () => {
      checkOptions(options, method === 'run' ? runNames : runSyncNames, method);
      const { outputs, transfer, signal } = options as ContextRunOptions;
      checkSignal(method, signal);
      return {
        outputs: resolveOutputs(runs.outputs, outputs),
        transfer: checkTransfer(method, transfer),
        signal,
      };
    },
    'ERR_PARAMETER',
  );
  const { feeds, sizes } = resolveFeeds(runs.inputs, given);
  readArguments(method, [options], () =>
    checkOutputMemory(runs.outputs, outputs, { feeds, sizes, transfer }, runs.inPlace),
  );
  return { feeds, outputs, transfer, signal };
}
