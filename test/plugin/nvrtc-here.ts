import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../../src/addon.js';
import type { Env } from '../../src/machine/search.js';
import { findNvrtc } from '../../src/plugin/nvrtc.js';

/** What npm test found or fetched. */
export async function realNvrtc(): Promise<{ path: string; version: string; include: string }> {
  const found = (await findNvrtc()).find((one) => one.refused === undefined && one.include !== null);
  if (!found) throw new Error('no NVRTC here: npm test fetches one, and so does npx node-tensorrt install --nvrtc');
  return found as { path: string; version: string; include: string };
}

/** The real NVRTC, and a cache of kernels of its own. */
export async function ownCache(folder: string): Promise<Env> {
  return { ...process.env, NODE_TENSORRT_NVRTC: (await realNvrtc()).path, NODE_TENSORRT_CACHE: folder };
}

/** Counts what reaches NVRTC until `stop`. */
export function countCompilations(): { options: string[][]; stop(): void } {
  const native = addon<{ compileKernel(path: string, request: { options: string[] }): unknown }>();
  const original = native.compileKernel;
  const options: string[][] = [];
  native.compileKernel = (path, request) => {
    options.push(request.options);
    return original(path, request);
  };
  return {
    options,
    stop: () => {
      native.compileKernel = original;
    },
  };
}

export function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
