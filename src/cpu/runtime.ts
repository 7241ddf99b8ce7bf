import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { addon } from '../addon.js';
import { resolveModule } from '../package/place.js';

// Not in onnxruntime.ts: the package's declarations lead there, and must not need those of an optional package.
export type Runtime = typeof import('onnxruntime-node');

/** No literal, so that bundlers leave it out: it loads a file of its own. */
const packageName: string = 'onnxruntime-node';

/** Path of onnxruntime-node's package.json. */
export const manifest = (): string => resolveModule(`${packageName}/package.json`);

export async function loadOnnxruntime(): Promise<Runtime> {
  if (!isMainThread) surviveTermination();
  const module = (await import(/* @vite-ignore */ packageName)) as Runtime & { default?: Runtime };
  return module.default ?? module;
}

/** Else a worker thread that is ended while it loads or calls onnxruntime takes the whole process with it. */
function surviveTermination(): void {
  try {
    const { swallowUnthrowable } = addon<{ swallowUnthrowable(path: string): boolean }>();
    const bin = join(dirname(manifest()), 'bin');
    for (const version of readdirSync(bin).filter((name) => name.startsWith('napi-')))
      swallowUnthrowable(join(bin, version, process.platform, process.arch, 'onnxruntime_binding.node'));
  } catch {
    // Without onnxruntime the import says so; without the addon the CPU backend works all the same.
  }
}
