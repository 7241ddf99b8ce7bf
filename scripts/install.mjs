#!/usr/bin/env node
// Part of the published package. `npm install` runs it to compile the addon if possible; `node-tensorrt install` uses its
// functions.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonIsFresh, addonPath, compileAddon } from './install/addon.mjs';
import { setupLock, withLock } from './install/lock.mjs';
import { isMain } from './install/main.mjs';
import { cachedNvrtc, fetchNvrtc, nvrtcFor } from './install/nvrtc.mjs';
import { demand, missingPrerequisites } from './install/prerequisites.mjs';
import { reporter, SetupError } from './install/process.mjs';
import { damage } from './install/record.mjs';
import { cacheDir, cachedTensorRT, fetchTensorRT, RTX } from './install/tensorrt.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');

/**
 * Compiles the addon and, unless `fetch` is false, fetches TensorRT-RTX; with `nvrtc` also NVRTC, of that CUDA. Keeps what is
 * already there.
 * @param {{ fetch?: boolean, nvrtc?: '12.9' | '13.0', force?: boolean, quiet?: boolean, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ addon: string, library: string | null, nvrtc: string | null }>}
 * @throws {SetupError} with how to fix it
 */
export async function install({ fetch = true, nvrtc, force = false, quiet = false, env = process.env } = {}) {
  const needs = { compile: force || !addonIsFresh(root), fetch: fetch && (force || !cachedTensorRT(env)) };
  await demand({ compile: needs.compile }, env);
  const step = reporter(quiet);
  if (needs.compile) {
    const compile = () => (force || !addonIsFresh(root) ? compileAddon(root, env) : undefined);
    await step('compiling the addon', () => withLock(setupLock(root), compile));
  }
  if (needs.fetch) {
    const what = `fetching TensorRT-RTX ${RTX.version} into ${cacheDir(env)}`;
    await step(what, () => fetchTensorRT({ env, force }));
  }
  if (nvrtc && (force || !cachedNvrtc(nvrtc, env))) {
    const what = `fetching NVRTC of CUDA ${nvrtc} into ${cacheDir(env)}`;
    await step(what, () => fetchNvrtc({ cuda: nvrtc, env, force }));
  }
  return { addon: addonPath(root), library: cachedTensorRT(env), nvrtc: nvrtc ? cachedNvrtc(nvrtc, env) : null };
}

export { damage, missingPrerequisites, nvrtcFor };

/** npm's hook never makes the user's install fail: it explains what could not be done, and doctor repeats it. */
async function npmHook() {
  if (process.env.NODE_TENSORRT_SKIP_COMPILE === '1') return;
  try {
    await install({ fetch: false });
  } catch (error) {
    const text = error instanceof SetupError ? error.message : error.stack;
    process.stderr.write(`node-tensorrt: the addon was not compiled; ${text}\nThen run: npx node-tensorrt install\n`);
  }
}

if (isMain(import.meta.url)) await npmHook();
