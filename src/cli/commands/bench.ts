import { Command, Option } from 'commander';
import { TensorRTError } from '../../errors/error.js';
import type { Measurement, RunTimes } from '../../tensorrt/measure/measure.js';
import type { TimeStatistics } from '../../tensorrt/measure/statistics.js';
import type { Engine } from '../../tensorrt/run/engine.js';
import type { ProfileReport } from '../../tensorrt/run/profile.js';
import { reasonOf, writeFileWhole } from '../../write-file.js';
import { addBuildFlags } from '../shared/build-flags.js';
import { type Dims, sizesOf } from '../shared/dims.js';
import { addExamples, interruption, refuseArgument } from '../shared/exit.js';
import { readInputs } from '../shared/inputs.js';
import { loadNetwork } from '../shared/model-file.js';
import { errorColors, escapeForTerminal, note, print, printJson, table } from '../shared/output.js';
import { buildBars, waitBar } from '../shared/progress.js';
import { isModule } from '../shared/side.js';
import { logTo, modelBuildOptions } from './build.js';
import { addEngineFlags, openEngine, refuseDevice } from './run.js';

interface Flags extends Record<string, unknown> {
  input?: string[];
  set?: Record<string, string>;
  dims?: Dims;
  library?: string;
  device?: number;
  allowHostCode?: boolean;
  optimizationProfile?: number;
  warmUp: number;
  duration: number;
  iterations: number;
  streams: number;
  threads?: boolean;
  cudaGraph: boolean;
  spinWait: boolean;
  transfers?: boolean;
  idle: number;
  percentiles?: number[];
  profile?: boolean;
  layers?: boolean;
  exportTimes?: string;
  json?: boolean;
}

const metrics = [
  ['latency', 'host latency'],
  ['endToEnd', 'end to end'],
  ['enqueue', 'enqueue'],
  ['toDevice', 'copies in'],
  ['compute', 'GPU compute'],
  ['fromDevice', 'copies out'],
] as const;

async function engineFor(file: string, flags: Flags, signal: AbortSignal): Promise<Engine> {
  if (!isModule(file)) return await openEngine(file, flags);
  refuseDevice(flags);
  const network = await loadNetwork(file, flags.set);
  using bars = buildBars();
  const { onProgress } = bars;
  return await network.build({
    ...modelBuildOptions({ ...flags, profile: undefined }),
    signal,
    onLog: logTo(network, flags.json),
    ...(onProgress && { onProgress }),
  });
}

async function bench(file: string, flags: Flags): Promise<void> {
  using interrupt = interruption();
  const { signal } = interrupt;
  using engine = await engineFor(file, flags, signal);
  const { measure, tunedSizes } = await import('../../tensorrt/measure/measure.js');
  const profile = flags.optimizationProfile ?? 0;
  using context = await engine.createContext({ profile });
  const dims = { ...tunedSizes(context), ...sizesOf(flags.dims) };
  const feeds = await readInputs(flags.input ?? [], engine.inputs, dims);
  const { warmUp, duration, iterations, streams, threads, cudaGraph, spinWait, transfers, idle, percentiles } = flags;
  using _bar = waitBar('measuring', warmUp + duration);
  const settings = {
    warmUp,
    duration,
    iterations,
    streams,
    threads,
    cudaGraph,
    spinWait,
    transfers,
    idle,
    percentiles,
    profile,
  };
  const found = await measure(engine, feeds, { ...settings, signal });
  const layers = flags.profile ? await context.profile(feeds) : undefined;
  _bar[Symbol.dispose]();
  const information = flags.layers ? await engine.inspect() : undefined;
  if (flags.exportTimes !== undefined) await writeTimes(flags.exportTimes, found.times);
  const { times: _, ...summary } = found;
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  const { library, size } = engine;
  if (flags.json) {
    printJson({
      engine: { file, library, bytes: size },
      inputs,
      settings,
      ...summary,
      ...(layers && { profile: layers }),
      ...(information && { layers: information }),
    });
  } else {
    print(summaryText(found));
    if (layers) print(`\n${profileText(layers)}`);
    if (information) print(`\n${layersText(information.Layers)}`);
  }
  if (found.graphRefused !== undefined) warn(`without a CUDA graph: ${found.graphRefused}`);
  for (const one of found.warnings) warn(one);
}

const warn = (text: string): void => note(`${errorColors.yellow('warning:')} ${escapeForTerminal(text)}`);

const ms = (value: number): string => (value === 0 ? '0' : value < 10 ? value.toFixed(4) : value.toFixed(3));

function summaryText(found: Measurement): string {
  const percents = Object.keys(found.compute.percentiles);
  const row = (name: string, one: TimeStatistics) => [
    name,
    ...[one.min, one.max, one.mean, one.median, ...percents.map((percent) => one.percentiles[percent]!)].map(ms),
    `${one.variation.toFixed(1)}%`,
  ];
  const head = ['milliseconds', 'min', 'max', 'mean', 'median', ...percents.map((percent) => `${percent}%`), 'cv'];
  const rows = metrics.filter(([field]) => found[field].max > 0).map(([field, name]) => row(name, found[field]));
  const right = head.map((_, i) => i).slice(1);
  const how = found.cudaGraph ? 'CUDA graph' : 'no CUDA graph';
  return [
    `${found.throughput.toFixed(found.throughput < 100 ? 3 : 1)} runs per second (${found.runs} in ${(found.wallTime / 1000).toFixed(3)} s, ${how})`,
    table(head, rows, { breaks: [0], right }),
  ].join('\n');
}

function profileText({ layers, runs, totalMs }: ProfileReport): string {
  const rows = layers.map(({ name, ms: time, percent }) => [name, time.toFixed(4), `${percent.toFixed(1)}%`]);
  rows.push(['all', totalMs.toFixed(4), '']);
  return table([`layer (mean of ${runs} runs)`, 'ms', 'of all'], rows, { breaks: [0], right: [1, 2] });
}

function layersText(layers: readonly (string | Record<string, unknown>)[]): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const rows = layers.map((layer) =>
    typeof layer === 'string' ? [layer, '', ''] : [text(layer.Name), text(layer.LayerType), text(layer.TacticName)],
  );
  return table(['layer', 'type', 'kernel'], rows, { breaks: [0, 2] });
}

/** All times as one JSON object of a list per field, milliseconds. @throws ERR_SAVE */
async function writeTimes(path: string, times: RunTimes): Promise<void> {
  const lists = Object.entries(times).map(
    ([name, list]) => `${JSON.stringify(name)}:${JSON.stringify(Array.from(list as Float64Array))}`,
  );
  try {
    await writeFileWhole(path, (append) => append(Buffer.from(`{${lists.join(',\n')}}\n`)));
  } catch (cause) {
    throw new TensorRTError('ERR_SAVE', `could not write the times to ${path}: ${reasonOf(cause)}`, { cause });
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || value === Number.POSITIVE_INFINITY)
    refuseArgument('a number of at least 0', text);
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) refuseArgument('a whole number of at least 1', text);
  return value;
}

const percents = (text: string): number[] => text.split(',').map(number);

/** `node-tensorrt bench lenet.engine` */
export function benchCommand(): Command {
  const group = 'Measuring:';
  const flag = (flags: string, about: string, parse?: (text: string) => unknown, initial?: unknown) => {
    const option = new Option(flags, about).helpGroup(group);
    if (parse) option.argParser(parse);
    return initial === undefined ? option : option.default(initial);
  };
  const command = new Command('bench')
    .description("measure an engine, or a network that a module exports, as NVIDIA's trtexec does")
    .argument('<file>', 'an engine, or a module as for build');
  addEngineFlags(command)
    .option('--json', 'print the figures as one JSON object')
    .addOption(flag('--warm-up <ms>', 'milliseconds of runs that do not count', number, 200))
    .addOption(flag('--duration <ms>', 'least milliseconds to measure', number, 3000))
    .addOption(flag('--iterations <n>', 'fewest runs of each stream', count, 10))
    .addOption(flag('--streams <n>', 'contexts that run beside each other', count, 1))
    .addOption(flag('--threads', 'a thread for each stream'))
    .addOption(flag('--no-cuda-graph', 'enqueue by TensorRT in place of launching a CUDA graph'))
    .addOption(flag('--no-spin-wait', 'sleep until a run has ended in place of asking without a break'))
    .addOption(flag('--transfers', 'copy inputs to the GPU and outputs from it in each run'))
    .addOption(flag('--idle <ms>', 'milliseconds to rest between runs', number, 0))
    .addOption(flag('--percentiles <n,…>', 'percents to tell', percents, [90, 95, 99]))
    .addOption(flag('--profile', "also each layer's time, by TensorRT's profiler, in runs of their own"))
    .addOption(
      flag(
        '--layers',
        "also TensorRT's description of the layers; of engines built with --profiling-verbosity detailed with kernels",
      ),
    )
    .addOption(flag('--export-times <file>', 'write all times as JSON'));
  addBuildFlags(command).action(bench);
  return addExamples(command, [
    ['node-tensorrt bench lenet.engine', 'random inputs of the sizes that the engine was tuned for'],
    ['node-tensorrt bench resnet.engine --dims batch=64 --transfers --streams 2 --threads', 'with copies, two streams'],
    [
      'node-tensorrt bench bert.ts --dims batch=1:8:32,tokens=128 --profile',
      'builds it first, and prints the time of each layer, too',
    ],
    ['node-tensorrt bench lenet.engine --json --export-times times.json', 'for scripts'],
  ]);
}
