import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { serialize } from 'node:v8';
import { TensorRTError } from '../errors/error.js';
import type { Env } from '../machine/search.js';
import { packageFile } from '../package/place.js';
import { type ChildMessage, childMark, type Launch } from './sanitizer-job.js';
import { type Finding, parseSanitizer } from './sanitizer-output.js';

export const sanitizerTools = ['memcheck', 'racecheck'] as const;
export type SanitizerTool = (typeof sanitizerTools)[number];

/** What came of launches under one of its tools. */
export type SanitizerOutcome =
  | { ran: false; why: string }
  /** `launch`: the first one that showed the findings. */
  | { ran: true; findings: readonly Finding[]; launch?: number | undefined };

const variable = 'NODE_TENSORRT_COMPUTE_SANITIZER';
const executable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * The path of compute-sanitizer: what NODE_TENSORRT_COMPUTE_SANITIZER names, else in PATH, CUDA_HOME or CUDA_PATH, or
 * /usr/local/cuda. Where there is none, why.
 */
export async function findSanitizer(env: Env = process.env): Promise<{ path: string } | { why: string }> {
  const named = env[variable];
  if (named)
    return (await executable(named)) ? { path: named } : { why: `${variable} names ${named}, which cannot be run` };
  const homes = [env.CUDA_HOME, env.CUDA_PATH, '/usr/local/cuda'].filter((home) => home);
  const folders = [
    ...(env.PATH ?? '').split(delimiter).filter((folder) => folder),
    ...homes.map((home) => join(home!, 'bin')),
  ];
  for (const folder of folders) {
    const path = join(folder, 'compute-sanitizer');
    if (await executable(path)) return { path };
  }
  return {
    why: `there is no compute-sanitizer in PATH, CUDA_HOME or /usr/local/cuda; it comes with the CUDA toolkit, and ${variable} can name it`,
  };
}

/** Node does not run the TypeScript of this folder; its compiled form lies in dist/. */
const child = (): string => packageFile('dist/testing/sanitizer-child.js');

/** Fewer options than there are: releases from CUDA 11.8 on know these. */
const optionsOf = (tool: SanitizerTool) => [
  ...['--tool', tool, '--strip-paths', 'no', '--show-backtrace', 'device', '--print-limit', '50'],
  // Buffers can lie side by side. Calls of the driver that fail are told by what failed.
  ...(tool === 'memcheck' ? ['--padding', '512', '--report-api-errors', 'no'] : []),
];

interface Ended {
  stdout: string;
  messages: ChildMessage[];
  /** Of the standard error, without the child's messages. */
  stderr: string;
  end: string;
}

/** Runs launches in a process of their own under a tool, all at once; where something is found, each alone up to the first that shows it. */
export async function sanitize(
  path: string,
  tool: SanitizerTool,
  device: number,
  launches: readonly Launch[],
  limitMs: number,
): Promise<SanitizerOutcome> {
  const outcome = await runOnce(path, tool, device, launches, limitMs);
  if (!outcome.ran || outcome.findings.length === 0 || outcome.launch !== undefined) return outcome;
  for (const [index, launch] of launches.entries()) {
    const alone = await runOnce(path, tool, device, [launch], limitMs);
    if (alone.ran && alone.findings.length > 0) return { ...alone, launch: index };
  }
  return outcome;
}

async function runOnce(
  path: string,
  tool: SanitizerTool,
  device: number,
  launches: readonly Launch[],
  limitMs: number,
): Promise<SanitizerOutcome> {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  let args: string[];
  try {
    args = [...optionsOf(tool), process.execPath, child()];
  } catch (error) {
    return { ran: false, why: (error as Error).message };
  }
  const ended = await endOf(spawn(path, args, { env, detached: true }), serialize({ device, launches }), limitMs);
  const { findings, complaints, errors } = parseSanitizer(ended.stdout);
  const { messages } = ended;
  const failed = messages.find((one) => 'failed' in one)?.failed;
  const underWay = failed === undefined ? undefined : messages.findLast((one) => 'launching' in one)?.launching;
  const done = messages.find((one) => 'ended' in one);
  if (done && done.tensorrt.length > 0)
    throw new TensorRTError('ERR_INTERNAL', `TensorRT was loaded beside the kernels: ${done.tensorrt.join(', ')}`);
  // An access out of bounds ends the context, so the launch under way is the one.
  if (findings.length > 0) return { ran: true, findings, launch: launches.length === 1 ? 0 : underWay };
  if (done && errors === 0 && complaints.length === 0) return { ran: true, findings };
  const counted = errors ? `it counted ${errors} errors and printed none` : undefined;
  const why = complaints.at(-1) ?? failed ?? counted ?? (ended.stderr.trim().split('\n').at(-1) || undefined);
  return { ran: false, why: `${path} --tool ${tool} ${why ? `said: ${why}` : ended.end}` };
}

/** Gives a process its input and waits for its end, at most `limitMs`. */
function endOf(started: ChildProcess, input: Uint8Array, limitMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const ended: Ended = { stdout: '', stderr: '', messages: [], end: '' };
    let errors = '';
    // Its own group: compute-sanitizer starts processes that would outlive it.
    const timer = setTimeout(() => {
      ended.end = `took longer than ${limitMs / 1000} s`;
      process.kill(-started.pid!, 'SIGKILL');
    }, limitMs);
    const finish = (end: string) => {
      clearTimeout(timer);
      ended.end ||= end;
      for (const line of errors.split('\n')) {
        if (line.startsWith(childMark)) ended.messages.push(JSON.parse(line.slice(childMark.length)) as ChildMessage);
        else ended.stderr += `${line}\n`;
      }
      resolve(ended);
    };
    started.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      ended.stdout += chunk;
    });
    started.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    started.on('error', (error) => finish(`could not be started: ${error.message}`));
    started.on('close', (code, signal) => finish(`ended with ${signal ?? code}`));
    // It may end without reading.
    started.stdin!.on('error', () => {}).end(input);
  });
}
