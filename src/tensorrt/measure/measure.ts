import { show, TensorRTError } from '../../errors/error.js';
import { dimNames } from '../../values/dim.js';
import { type Feeds, resolveFeeds } from '../../values/feeds.js';
import { abortable } from '../../values/signal.js';
import { binding, type NativeMeasurement } from '../binding.js';
import { callAddon } from '../run/call-addon.js';
import type { Context } from '../run/context.js';
import { Engine } from '../run/engine.js';
import { type MeasureOptions, type ReadMeasureOptions, readMeasureOptions } from './options.js';
import { statisticsOf, type TimeStatistics } from './statistics.js';
import { warningsOf } from './warnings.js';

/** Milliseconds of each run that counts, in the order in which they began; of `start` and `enqueueStart` since the measurement began. */
export interface RunTimes {
  /** When the host began to submit it, by the host's clock. */
  enqueueStart: Float64Array;
  /** The host's time to enqueue it. */
  enqueue: Float64Array;
  /** When it began, by the GPU's clock. */
  start: Float64Array;
  /** Copying inputs to the GPU; 0 without transfers. */
  toDevice: Float64Array;
  /** The GPU's work. */
  compute: Float64Array;
  /** Copying outputs from the GPU; 0 without transfers. */
  fromDevice: Float64Array;
  /** From its begin to its end, with the wait for the runs before it. */
  endToEnd: Float64Array;
  /** The stream it was on. */
  stream: Float64Array;
}

/** What `measure` found. The figures are defined as trtexec's. */
export interface Measurement {
  /** Runs that count. */
  runs: number;
  /** Milliseconds from the begin of the first run to the end of the last. */
  wallTime: number;
  /** Runs per second: `runs` by `wallTime`. */
  throughput: number;
  /** Copies and compute together: what one run takes. */
  latency: TimeStatistics;
  /** The host's time to submit a run. */
  enqueue: TimeStatistics;
  /** Copying all inputs to the GPU; 0 without `transfers`. */
  toDevice: TimeStatistics;
  /** The GPU's work, between two events on its stream. */
  compute: TimeStatistics;
  /** Copying all outputs from the GPU; 0 without `transfers`. */
  fromDevice: TimeStatistics;
  /** From a run's begin to its end, with the wait for the run before it. */
  endToEnd: TimeStatistics;
  /** What may have held the throughput down, and whether the times vary much. */
  warnings: readonly string[];
  /** Whether CUDA graphs were launched. */
  cudaGraph: boolean;
  /** Why not, where they were wanted. */
  graphRefused?: string | undefined;
  /** The times of every run that counts. */
  times: RunTimes;
}

const fields = ['enqueueStart', 'enqueue', 'start', 'toDevice', 'compute', 'fromDevice', 'endToEnd', 'stream'] as const;

/**
 * Measures an engine: runs without a break in native threads, timed by events of the GPU and by the host's clock, as trtexec does. Two runs of a stream are
 * under way at a time, over the same memory. The engine's own contexts are not used.
 * @throws ERR_PARAMETER, ERR_FEED, ERR_SHAPE, ERR_ABORTED, ERR_NO_GPU, ERR_ENGINE, ERR_PROFILE, ERR_OUT_OF_MEMORY, ERR_RUN, ERR_CUDA, ERR_DISPOSED
 */
export async function measure(engine: Engine, feeds: Feeds, options: MeasureOptions = {}): Promise<Measurement> {
  if (!(engine instanceof Engine))
    throw new TensorRTError('ERR_PARAMETER', `measure: expected an Engine, given ${show(engine)}`);
  const read = readMeasureOptions(options);
  const resolved = resolveFeeds(engine.inputs, feeds).feeds;
  const contexts: Context[] = [];
  try {
    for (let i = 0; i < read.streams; i++)
      contexts.push(await engine.createContext({ profile: read.profile, inFlight: 2 }));
    const io = contexts.map((context) => context.place(resolved));
    const callbacks: { cancel?(): void } = {};
    const handles = contexts.map(({ handle }) => handle);
    const run = callAddon(() => binding().measure(handles, io, read.native, callbacks));
    return measurementOf(await abortable(run, read.signal, () => callbacks.cancel?.()), read);
  } finally {
    for (const context of contexts) context.dispose();
  }
}

function measurementOf({ times: buffer, graphRefused }: NativeMeasurement, read: ReadMeasureOptions): Measurement {
  const times = timesIn(new Float64Array(buffer));
  const { percentiles, native } = read;
  const of = (values: Float64Array) => statisticsOf(values, percentiles);
  const runs = times.start.length;
  if (runs === 0) throw new TensorRTError('ERR_RUN', 'measure: no run began after the warm-up');
  const latencies = times.compute.map((compute, i) => times.toDevice[i]! + compute + times.fromDevice[i]!);
  const last = times.start.reduce((end, start, i) => Math.max(end, start + times.endToEnd[i]!), 0);
  const wallTime = last - times.start[0]!;
  const statistics = {
    latency: of(latencies),
    enqueue: of(times.enqueue),
    toDevice: of(times.toDevice),
    compute: of(times.compute),
    fromDevice: of(times.fromDevice),
    endToEnd: of(times.endToEnd),
  };
  const cudaGraph = native.graph && graphRefused === undefined;
  return {
    runs,
    wallTime,
    throughput: (1000 * runs) / wallTime,
    ...statistics,
    warnings: warningsOf(statistics, { cudaGraph, spinWait: native.spin }),
    cudaGraph,
    ...(graphRefused !== undefined && { graphRefused }),
    times,
  };
}

/** By field, in the order of `start`. */
function timesIn(all: Float64Array): RunTimes {
  const width = fields.length;
  const order = Uint32Array.from({ length: all.length / width }, (_, i) => i);
  const start = fields.indexOf('start');
  order.sort((a, b) => all[a * width + start]! - all[b * width + start]!);
  const column = (field: number) => Float64Array.from(order, (row) => all[row * width + field]!);
  return Object.fromEntries(fields.map((field, i) => [field, column(i)])) as unknown as RunTimes;
}

/** The sizes that a context's profile was tuned for, by the names of dims; of those that are names. */
export function tunedSizes(context: Context): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { io, index } of context.layout.inputs) {
    const opt = io.profiles[context.profileIndex]?.[1];
    for (const [axis, dim] of context.engine.inputs[index]!.shape.entries())
      if (opt && typeof dim === 'string' && dimNames(dim)[0] === dim) sizes[dim] ??= opt[axis]!;
  }
  return sizes;
}
