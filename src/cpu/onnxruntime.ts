import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { addon } from '../addon.js';

export type Runtime = typeof import('onnxruntime-node');

/** Whether onnxruntime-node is installed. `version` is null if it is missing or does not load; `error` says why. */
export interface OnnxruntimeState {
  version: string | null;
  error: string | null;
}

const require = createRequire(import.meta.url);
const manifest = () => require.resolve('onnxruntime-node/package.json');

/** Looks for onnxruntime-node; never throws. */
export async function onnxruntimeState(): Promise<OnnxruntimeState> {
  try {
    const { version } = JSON.parse(readFileSync(manifest(), 'utf8'));
    await loadOnnxruntime();
    return { version, error: null };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { version: null, error: code === 'MODULE_NOT_FOUND' ? 'not installed' : message };
  }
}

export async function loadOnnxruntime(): Promise<Runtime> {
  if (!isMainThread) surviveTermination();
  const module = (await import('onnxruntime-node')) as Runtime & { default?: Runtime };
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
