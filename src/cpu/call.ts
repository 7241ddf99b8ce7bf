import { readArguments } from '../errors/boundary.js';
import { TensorRTError } from '../errors/error.js';
import { bytesOf } from '../values/dtype.js';
import { type Feeds, type InputType, type ResolvedFeed, resolveFeeds } from '../values/feeds.js';
import {
  checkOutputMemory,
  type OutputPlaces,
  type ResolvedOutput,
  resolveOutputs,
  writeResult,
} from '../values/outputs.js';
import { isOnHost } from '../values/placed.js';
import type { Result } from '../values/result.js';
import { checkSignal } from '../values/signal.js';
import { checkTransfer, takeOver } from '../values/transfer.js';

/** Those of a run on the GPU. */
export interface CpuRunOptions {
  outputs?: OutputPlaces | undefined;
  transfer?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** A checked call. */
export interface CpuCall {
  feeds: ResolvedFeed[];
  sizes: Record<string, number>;
  places: ResolvedOutput[];
  signal: AbortSignal | undefined;
}

function refuse(what: string): never {
  throw new TensorRTError(
    'ERR_CPU_BACKEND',
    `${what} on a GPU, and the CPU backend has none: give an array or a HostTensor`,
  );
}

/** @throws ERR_FEED, ERR_OUTPUT, ERR_PARAMETER, ERR_ABORTED, ERR_CPU_BACKEND for what is on a GPU */
export function readCall(
  { inputs, outputs }: Record<'inputs' | 'outputs', readonly InputType[]>,
  given: Feeds,
  options: CpuRunOptions,
): CpuCall {
  const { signal } = options;
  checkSignal('run', signal);
  const isTransfer = checkTransfer('run', options.transfer);
  const places = readArguments('run', [options], () => resolveOutputs(outputs, options.outputs), 'ERR_OUTPUT');
  const { feeds, sizes } = resolveFeeds(inputs, given);
  for (const { name, placed } of feeds) if (placed && !isOnHost(placed)) refuse(`input '${name}' is`);
  for (const [i, place] of places.entries()) {
    const isOnGpu = typeof place === 'object' && place.tensor && !isOnHost(place.tensor);
    if (place === 'device' || isOnGpu) refuse(`output '${outputs[i]!.name}' is to stay`);
  }
  checkOutputMemory(outputs, places, { feeds, sizes, transfer: isTransfer });
  return { feeds: isTransfer ? takeOver(feeds) : feeds, sizes, places, signal };
}

/** The result in the place that was given for it. @throws ERR_OUTPUT */
export function placeResult(name: string, result: Result, place: ResolvedOutput): Result {
  if (typeof place === 'string') return result;
  const to = place.array ? place.array : isOnHost(place.tensor) ? place.tensor.data : undefined;
  return to ? writeResult(name, result.dtype, result.shape, bytesOf(result.data), to) : result;
}
