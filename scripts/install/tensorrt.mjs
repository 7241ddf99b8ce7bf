import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { pipConfig } from './pip-config.mjs';
import { SetupError } from './process.mjs';
import { damage, writeRecord } from './record.mjs';

/** The TensorRT to fetch if none is found: it builds engines without a GPU. */
export const RTX = {
  distribution: 'tensorrt-rtx-cu13-libs',
  version: '1.7.1.116',
  wheel: 'tensorrt_rtx_cu13_libs-1.7.1.116-py3-none-manylinux_2_28_x86_64.whl',
  size: 95_153_708,
  sha256: 'e3fd45fed001240d63304e77a2d4006319b839994237cb294b6e7ad72acaabcd',
  library: join('tensorrt_rtx_libs', 'libtensorrt_rtx.so.1'),
};

/** The XDG base directory specification ignores a relative XDG_CACHE_HOME. */
export function cacheDir(env = process.env) {
  const xdg = isAbsolute(env.XDG_CACHE_HOME ?? '') ? env.XDG_CACHE_HOME : undefined;
  return env.NODE_TENSORRT_CACHE || join(xdg ?? join(homedir(), '.cache'), 'node-tensorrt');
}

const rtxDir = (env) => join(cacheDir(env), `tensorrt-rtx-${RTX.version}`);

/** Path of the fetched library, or null if it is missing, incomplete or damaged. */
export function cachedTensorRT(env = process.env) {
  const dir = rtxDir(env);
  const path = join(dir, RTX.library);
  const isWhole = statSync(join(dir, 'complete.json'), { throwIfNoEntry: false }) && damage(dir) === null;
  return isWhole && statSync(path, { throwIfNoEntry: false }) ? path : null;
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
  for (const name of readdirSync(dirname(dir)))
    if (name.startsWith(`${basename(dir)}.tmp-`)) rmSync(join(dirname(dir), name), { recursive: true, force: true });
  const temporary = mkdtempSync(`${dir}.tmp-`);
  try {
    const wheel = await obtain(join(temporary, 'wheel'), env, pin);
    const unpacked = join(temporary, 'unpacked');
    mkdirSync(unpacked);
    const { unpackWheel } = await import('./wheel.mjs');
    await unpackWheel(wheel, unpacked);
    if (!statSync(join(unpacked, pin.library), { throwIfNoEntry: false }))
      throw new SetupError(`the wheel does not contain ${pin.library}`);
    writeRecord(unpacked, pin);
    const wrong = damage(unpacked, { all: true });
    if (wrong) throw new SetupError(`the wheel contradicts its own RECORD: ${wrong}`);
    if (statSync(dir, { throwIfNoEntry: false })) renameSync(dir, join(temporary, 'old'));
    renameSync(unpacked, dir);
    return join(dir, pin.library);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Gets the pinned wheel from the first place that has it. */
async function obtain(target, env, pin) {
  const { Client, offersAt, placeText, places } = await client();
  const config = pipConfig(env);
  const connection = new Client(config, env);
  const problems = [];
  try {
    for (const place of places(config, pin.distribution)) {
      try {
        const offers = (await offersAt(place, connection)).filter(({ filename }) => filename === pin.wheel);
        const found = offers.find(({ sha256 }) => sha256 === pin.sha256) ?? offers.find(({ sha256 }) => !sha256);
        if (found) return await take(found, target, connection, pin);
        const others = offers.map(({ sha256 }) => `one with SHA-256 ${sha256}`).join(', ');
        problems.push(`${placeText(place)} has ${others || 'none'}`);
      } catch (error) {
        problems.push(`${placeText(place)}: ${error.message}`);
      }
    }
  } finally {
    await connection.close();
  }
  const where = problems.length ? problems.join('\n  ') : 'pip is configured to use no index';
  throw new SetupError(`expected ${pin.wheel} with SHA-256 ${pin.sha256}\n  ${where}`);
}

/** These need the package's dependencies, which a fresh checkout has not yet. */
const client = async () => ({ ...(await import('./http.mjs')), ...(await import('./index.mjs')) });

async function take({ url }, target, connection, pin) {
  let hash = createHash('sha256');
  let path = target;
  if (url.startsWith('file:')) {
    path = fileURLToPath(url);
    for await (const part of createReadStream(path)) hash.update(part);
  } else {
    const file = await open(target, 'w');
    try {
      await connection.download(url, pin.size, async (bytes, at) => {
        if (at === 0) {
          hash = createHash('sha256');
          await file.truncate();
        }
        hash.update(bytes);
        await file.write(bytes, 0, bytes.length, at);
      });
    } finally {
      await file.close();
    }
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== pin.sha256) throw new SetupError(`${pin.wheel} has another SHA-256, ${sha256}`);
  return path;
}
