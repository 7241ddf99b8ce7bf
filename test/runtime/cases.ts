import type { Run, StandInOptions } from '../stand-in/harness.js';

/** A program that checks what runs do, in a process of its own: on the stand-in, and on a GPU. */
export interface RunCase {
  title: string;
  /** Asserts by itself. `check` gets the last line that it prints, as JSON. */
  program: string;
  /** Switches of the stand-in. */
  standIn?: StandInOptions;
  /** Cannot be seen without the stand-in's switches or log. */
  onStandIn?: true;
  /** Operations wait up to so many microseconds on the stand-in. Default 200. */
  delay?: number;
  /** Of random delays on the stand-in. Default: 1. */
  seeds?: readonly number[];
  /** How the process ends. Default 0. */
  code?: number;
  limitMs?: number;
  check?(run: Run<unknown>): void;
}

/** For every program: what it uses of Node and of the package, and small networks. */
export const tools = `
import assert from 'node:assert/strict';
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads';
const { hostTensor, deviceTensor, hostMemory, deviceMemory, int32, int64, uint8 } = api;
const errorOf = async (call) => { try { await call(); } catch (error) { return error; } return { code: 'none', message: '' }; };
const codeOf = async (call) => (await errorOf(call)).code;
const tick = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition) => { for (const end = Date.now() + 30_000; Date.now() < end && !(await condition()); ) await tick(5); assert(await condition(), String(condition)); };
const startWorker = (data) => new Worker(new URL('worker.mjs', import.meta.url), { workerData: data });
const messageOf = (worker) => new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
const collect = await (async () => {
  (await import('node:v8')).setFlagsFromString('--expose-gc');
  return (await import('node:vm')).runInNewContext('gc');
})();
const numbers = (count, seed = 1) => Float32Array.from({ length: count }, (_, i) => ((i * 7 + seed * 13) % 101) - 50);
const relued = (data) => data.map((one) => Math.max(one, 0));
const same = (actual, expected, what) => {
  if (ArrayBuffer.isView(expected) && Buffer.from(actual.buffer, actual.byteOffset, actual.byteLength).equals(new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength))) return;
  const at = actual.length === expected.length ? actual.findIndex((one, i) => one !== expected[i]) : -2;
  if (at !== -1) assert.fail((what ?? 'elements') + ': at ' + at + ' of ' + expected.length + ': ' + actual[at] + ', not ' + expected[at] + '; length ' + actual.length);
};
/** y = relu(x) or x, for 1 to \`most\` elements. */
const build = (name = 'relu', most = 16, options = {}) => {
  const net = network(name, { x: float32('n') });
  (name.startsWith('copy') ? net.tensor('x').identity() : net.tensor('x').relu()).output('y');
  return net.build({ profiles: [{ n: [1, most, most] }], ...options });
};
`;

/** The program as a whole. */
export const wholeProgram = ({ program }: RunCase): string => `${tools}${program}`;
