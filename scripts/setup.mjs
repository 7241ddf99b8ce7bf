#!/usr/bin/env node
// Makes a fresh checkout usable: dependencies, addon, dist/, a TensorRT. Skips what is already done.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { addonIsFresh, compileAddon } from './install/addon.mjs';
import { readOr, writeAtomic } from './install/files.mjs';
import { setupLock, withLock } from './install/lock.mjs';
import { cachedNvrtc, fetchNvrtc, NVRTC, nvrtcFor } from './install/nvrtc.mjs';
import { demand, nodeIsOld } from './install/prerequisites.mjs';
import { reporter, SetupError } from './install/process.mjs';
import { cacheDir, cachedTensorRT, fetchTensorRT, RTX } from './install/tensorrt.mjs';
import { dependenciesAreFresh, installDependencies } from './lib/dependencies.mjs';
import { compileDist, distIsFresh } from './lib/dist.mjs';
import { isMain } from './lib/main.mjs';

const LOCATION = ['TENSORRT_ROOT', 'NODE_TENSORRT_LIBRARY', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX'];
const NVRTC_LOCATION = ['NODE_TENSORRT_NVRTC', 'CUDA_HOME', 'CUDA_PATH', ...LOCATION.slice(2)];

const foundPath = (root) => join(root, 'build', 'tensorrt.json');
const nvrtcPath = (root) => join(root, 'build', 'nvrtc.json');
const location = (env, names = LOCATION) => names.map((name) => env[name] ?? null);

/** Whether a TensorRT that can build here is already known, without searching. */
function tensorrtIsKnown(root, env, rtx) {
  if (env.NODE_TENSORRT_DOWNLOAD === '0' || cachedTensorRT(env) || (env.NODE_TENSORRT_LIBRARY && !rtx)) return true;
  try {
    const found = JSON.parse(readOr(foundPath(root), 'null'));
    const { size, mtimeMs } = statSync(found.path);
    const known = { path: found.path, flavor: found.flavor, size, mtimeMs, location: location(env) };
    return JSON.stringify(found) === JSON.stringify(known) && (!rtx || found.flavor === 'rtx1');
  } catch {
    return false;
  }
}

/** Finds a TensorRT that can build here and remembers it; false if there is none. */
async function searchTensorRT(root, env, rtx) {
  const { findTensorRT } = await import(pathToFileURL(join(root, 'dist', 'tensorrt', 'library', 'find.js')).href);
  const found = (await findTensorRT({ env })).find((one) => one.usableFor.build && (!rtx || one.flavor === 'rtx1'));
  if (!found) return false;
  const { size, mtimeMs } = statSync(found.path);
  writeAtomic(
    foundPath(root),
    JSON.stringify({ path: found.path, flavor: found.flavor, size, mtimeMs, location: location(env) }),
  );
  return true;
}

/** Whether an NVRTC with its headers is already known, without searching. */
function nvrtcIsKnown(root, env) {
  if (env.NODE_TENSORRT_DOWNLOAD === '0' || Object.keys(NVRTC).some((cuda) => cachedNvrtc(cuda, env))) return true;
  try {
    const found = JSON.parse(readOr(nvrtcPath(root), 'null'));
    const { size, mtimeMs } = statSync(found.path);
    const known = { path: found.path, size, mtimeMs, location: location(env, NVRTC_LOCATION) };
    return JSON.stringify(found) === JSON.stringify(known);
  } catch {
    return false;
  }
}

/** Finds an NVRTC with its headers and remembers it; else fetches one. */
async function obtainNvrtc(root, env, step, onWait) {
  const compiled = (...path) => import(pathToFileURL(join(root, 'dist', ...path)).href);
  const { findNvrtc } = await compiled('plugin', 'nvrtc.js');
  const { cudaInfo } = await compiled('tensorrt', 'library', 'find.js');
  const { driver } = await cudaInfo();
  const found = (await findNvrtc({ env, driver })).find((one) => one.refused === undefined && one.include !== null);
  if (found) {
    const { size, mtimeMs } = statSync(found.path);
    const known = { path: found.path, size, mtimeMs, location: location(env, NVRTC_LOCATION) };
    return writeAtomic(nvrtcPath(root), JSON.stringify(known));
  }
  const cuda = nvrtcFor(driver);
  await step(`fetching NVRTC of CUDA ${cuda} into ${cacheDir(env)}`, () => fetchNvrtc({ cuda, env, onWait }));
}

const pending = (root, env, rtx, nvrtc) => ({
  dependencies: !dependenciesAreFresh(root),
  addon: !addonIsFresh(root),
  dist: !distIsFresh(root),
  tensorrt: !tensorrtIsKnown(root, env, rtx),
  nvrtc: nvrtc && !nvrtcIsKnown(root, env),
});

/**
 * Sets the checkout up. `rtx` requires TensorRT-RTX, which the tests' expectations are for, and `nvrtc` NVRTC.
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, quiet?: boolean, rtx?: boolean, nvrtc?: boolean }} options
 * @throws {SetupError} with how to fix it
 */
export async function setup({
  root = resolve(fileURLToPath(import.meta.url), '..', '..'),
  env = process.env,
  quiet = false,
  rtx = false,
  nvrtc = false,
} = {}) {
  if (env.NODE_TENSORRT_SKIP_SETUP === '1') return;
  const todo = pending(root, env, rtx, nvrtc);
  if (!Object.values(todo).includes(true) && !nodeIsOld()) return;
  await demand({ npm: todo.dependencies, compile: todo.addon }, env);

  const step = reporter(quiet);
  const onWait = ({ pid }) =>
    quiet || process.stderr.write(`node-tensorrt: waiting for the set-up of process ${pid}\n`);
  const work = async () => {
    if (!dependenciesAreFresh(root)) await step('installing the dependencies', () => installDependencies(root, env));
    if (!addonIsFresh(root)) await step('compiling the addon', () => compileAddon(root, env));
    if (!distIsFresh(root)) await step('compiling TypeScript', () => compileDist(root, env));
    if (!tensorrtIsKnown(root, env, rtx) && !(await searchTensorRT(root, env, rtx)))
      await step(`fetching TensorRT-RTX ${RTX.version} into ${cacheDir(env)}`, () => fetchTensorRT({ env, onWait }));
    if (nvrtc && !nvrtcIsKnown(root, env)) await obtainNvrtc(root, env, step, onWait);
  };
  await withLock(setupLock(root), work, { onWait });
}

/** Runs main and turns its failure into a message and exit code 1. */
export async function orExplain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`node-tensorrt: ${error instanceof SetupError ? error.message : error.stack}\n`);
    process.exit(1);
  }
}

if (isMain(import.meta.url)) {
  await orExplain(() => setup({ quiet: process.env.npm_config_loglevel === 'silent' }));
}
