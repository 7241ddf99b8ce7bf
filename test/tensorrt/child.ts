import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ended {
  code: number | null;
  /** Set if a signal ended it: SIGSEGV, SIGABRT, or SIGKILL if it ran too long. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

const api = JSON.stringify(new URL('../../src/index.js', import.meta.url).href);
const networks = JSON.stringify(new URL('./networks.js', import.meta.url).href);

/** Imports for a child's program: the package, and this folder's networks. */
export const prelude = `import * as api from ${api};
import { chain, unbuildable } from ${networks};
const { network, float32, loadWeights, loadEngine } = api;
`;

/** Worker threads start here, because Node does not run TypeScript there: `new Worker(new URL('worker.mjs', import.meta.url))`. */
const worker = `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};
register();
await import('./main.mts');
`;

export interface ChildOptions {
  flags?: string[];
  env?: NodeJS.ProcessEnv;
  limitMs?: number;
}

/** Runs TypeScript in its own process. */
export async function runChild(program: string, { flags = [], ...options }: ChildOptions = {}): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'child-'));
  const file = join(folder, 'main.mts');
  writeFileSync(file, prelude + program);
  writeFileSync(join(folder, 'worker.mjs'), worker);
  try {
    return await runFile(file, { ...options, flags: [...flags, '--import', 'tsx'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a file in its own process. */
export function runFile(file: string, options: ChildOptions = {}): Promise<Ended> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...(options.flags ?? []), file], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 60_000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, ms: performance.now() - began });
    });
  });
}

/** The last line a child printed, parsed as JSON; fails with all of its output if it did not exit normally. */
export function resultOf<T>({ code, signal, stdout, stderr }: Ended): T {
  if (code !== 0) throw new Error(`the child ended with ${signal ?? code}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}
