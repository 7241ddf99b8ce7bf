import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isWhole, unpackInto } from './fetch.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './process.mjs';

/** NVIDIA's wheels by processor: one release, which makes the same plans on both. */
const wheels = {
  x64: {
    wheel: 'tensorrt_rtx_cu13_libs-1.7.1.116-py3-none-manylinux_2_28_x86_64.whl',
    size: 95_153_708,
    sha256: 'e3fd45fed001240d63304e77a2d4006319b839994237cb294b6e7ad72acaabcd',
  },
  arm64: {
    wheel: 'tensorrt_rtx_cu13_libs-1.7.1.116-py3-none-manylinux_2_35_aarch64.whl',
    size: 90_582_711,
    sha256: 'ec8b6cb95a8ea61e31d544dbc5039d35219b311999f92c518a3889aaae74359c',
  },
};

/** The TensorRT to fetch if none is found: it builds engines without a GPU. */
export const RTX = {
  distribution: 'tensorrt-rtx-cu13-libs',
  version: '1.7.1.116',
  ...(wheels[process.arch] ?? wheels.x64),
  library: join('tensorrt_rtx_libs', 'libtensorrt_rtx.so.1'),
};

/** The XDG base directory specification ignores a relative XDG_CACHE_HOME. */
export function cacheDir(env = process.env) {
  const xdg = isAbsolute(env.XDG_CACHE_HOME ?? '') ? env.XDG_CACHE_HOME : undefined;
  return env.NODE_TENSORRT_CACHE || join(xdg ?? join(homedir(), '.cache'), 'node-tensorrt');
}

/** Machines of both processors may share a home. */
const suffix = process.arch === 'arm64' ? '-arm64' : '';
const rtxDir = (env) => join(cacheDir(env), `tensorrt-rtx-${RTX.version}${suffix}`);

/** Path of the fetched library, or null if it is missing, incomplete or damaged. */
export function cachedTensorRT(env = process.env) {
  const dir = rtxDir(env);
  const path = join(dir, RTX.library);
  return isWhole(dir) && statSync(path, { throwIfNoEntry: false }) ? path : null;
}

const HINT =
  'To use a TensorRT you have, set TENSORRT_ROOT=DIR; to go on without one, set NODE_TENSORRT_DOWNLOAD=0.\n' +
  'NODE_TENSORRT_CACHE=DIR names another folder to keep it in.';

/**
 * Fetches the wheel of TensorRT-RTX from the index that pip is configured for, checks its SHA-256, unpacks it into the
 * cache and returns the library's path. Runs no Python. Safe to run in several processes at once; replaces a broken or
 * incomplete copy.
 */
export async function fetchTensorRT({ env = process.env, force = false, onWait, pin = RTX } = {}) {
  const dir = rtxDir(env);
  try {
    return await withLock(`${dir}.lock`, () => fetchInto(dir, { env, force, pin }), { onWait });
  } catch (error) {
    throw new SetupError(`could not fetch TensorRT-RTX ${pin.version}: ${error.message}\n${HINT}`, { cause: error });
  }
}

async function fetchInto(dir, { env, force, pin }) {
  const cached = force ? null : cachedTensorRT(env);
  if (cached) return cached;
  await unpackInto(dir, [pin], { env, files: [pin.library], facts: pin });
  return join(dir, pin.library);
}
