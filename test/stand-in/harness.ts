import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Ended, resultOf, runChild } from '../tensorrt/child.js';
import { driver, kernels, nvrtc, type Release, tensorRT } from './compile.js';

export interface StandInOptions {
  /** Default `10.6.0`. */
  release?: Release;
  /** C++ with `extern "C" int kernel_NAME(Launch const&)`: what kernels of that name do; see cuda/kernel.h. */
  kernels?: string;
  /** Of the GPU; default `9.0`. */
  capability?: string;
  /** A driver from before CUDA 12.4. */
  without?: 'cuFuncGetParamInfo';
  /** `NAME:700@3`: the third launch of kernel NAME fails so; see cuda/modules.cc. */
  fail?: string;
  env?: Record<string, string>;
  limitMs?: number;
}

/** A line of the log: a callback of TensorRT's, or a call of the driver's. */
export interface LogLine {
  at: 'tensorrt' | 'cuda' | 'nvrtc';
  thread: number;
  call: string;
  /** Whether a CUDA context was current. */
  context?: boolean;
  layer?: string;
  /** Number of the plugin object; every object has another. */
  object?: number;
  /** Of a launch. */
  kernel?: string;
  grid?: number[];
  block?: number[];
  /** Bytes of the arguments, in hexadecimal. */
  args?: string[];
  result?: number | boolean;
  text?: string;
  [key: string]: unknown;
}

export interface Run<T> {
  result: T;
  log: LogLine[];
  ended: Ended;
}

/** Compiles the stand-ins, which takes a minute where they are not in the cache: for `beforeAll`, outside a test's time. */
export const prepare = (...releases: Release[]): Promise<unknown> =>
  Promise.all([driver(), nvrtc(), ...releases.map(tensorRT)]);
/** Limit for `beforeAll(() => prepare(…), compiling)`. */
export const compiling = 600_000;

/** The environment of a process that finds the stand-ins and nothing else. */
export async function standInEnv(options: StandInOptions = {}): Promise<NodeJS.ProcessEnv> {
  const [library, cuda, compiler, host] = await Promise.all([
    tensorRT(options.release ?? '10.6.0'),
    driver(options.without),
    nvrtc(),
    options.kernels ? kernels(options.kernels) : '',
  ]);
  return {
    LD_LIBRARY_PATH: dirname(cuda),
    NODE_TENSORRT_LIBRARY: library,
    NODE_TENSORRT_NVRTC: compiler,
    STANDIN_KERNELS: host,
    STANDIN_CAPABILITY: options.capability ?? '9.0',
    STANDIN_FAIL: options.fail ?? '',
    ...options.env,
  };
}

/**
 * Runs a program in a process of its own, against the stand-ins. Its last line of output is the result, as JSON. It may use the
 * package as `api`, and `network`, `float32`, `loadEngine`.
 */
export async function runStandIn<T>(program: string, options: StandInOptions = {}): Promise<Run<T>> {
  const { ended, log } = await endStandIn(program, options);
  return { result: resultOf<T>(ended), log, ended };
}

/** The same for a program that may crash. */
export async function endStandIn(program: string, options: StandInOptions = {}): Promise<Omit<Run<never>, 'result'>> {
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-'));
  const file = join(folder, 'log');
  try {
    const env = { ...(await standInEnv(options)), NODE_TENSORRT_CACHE: join(folder, 'cache'), STANDIN_LOG: file };
    const ended = await runChild(program, { env: { ...env, ...options.env }, limitMs: options.limitMs });
    return { ended, log: readLog(file) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const readLog = (file: string): LogLine[] =>
  (existsSync(file) ? readFileSync(file, 'utf8') : '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** What lives in a stand-in driver; see cuda/counters.h. */
export const counted = [
  ...(['allocations', 'bytes', 'pinned', 'pinnedBytes'] as const),
  ...(['streams', 'events', 'graphs', 'execs'] as const),
];
export type Counters = Record<(typeof counted)[number], number>;

/** Reads the file that STANDIN_COUNTERS names: at any time, also while the process runs. */
export function readCounters(file: string): Counters {
  const bytes = readFileSync(file);
  return Object.fromEntries(counted.map((name, i) => [name, Number(bytes.readBigInt64LE(i * 8))])) as Counters;
}

/** The calls of the callbacks in order, runs of one call written once: `supportsFormatCombination×6`. */
export function callsOf(log: readonly LogLine[]): string[] {
  const calls: { call: string; times: number }[] = [];
  for (const { call } of log) {
    const last = calls.at(-1);
    if (last?.call === call) last.times++;
    else calls.push({ call, times: 1 });
  }
  return calls.map(({ call, times }) => (times > 1 ? `${call}×${times}` : call));
}

/** Numbers of the plugin objects that were made and not destroyed. */
export function livingObjects(log: readonly LogLine[]): number[] {
  const numbers = (call: string) => log.filter((line) => line.call === call).map(({ object }) => object as number);
  const destroyed = new Set(numbers('destroyed'));
  return numbers('made').filter((object) => !destroyed.has(object));
}
