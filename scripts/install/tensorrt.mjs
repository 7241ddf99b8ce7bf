import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { listFiles, readOr } from './files.mjs';
import { withLock } from './lock.mjs';
import { capture, mustRun, SetupError } from './process.mjs';

/** The TensorRT to fetch if none is found: it builds engines without a GPU. */
export const RTX = {
  distribution: 'tensorrt-rtx-cu13-libs',
  version: '1.7.1.116',
  sha256: 'e3fd45fed001240d63304e77a2d4006319b839994237cb294b6e7ad72acaabcd',
  library: join('tensorrt_rtx_libs', 'libtensorrt_rtx.so.1'),
};

export function cacheDir(env = process.env) {
  return env.NODE_TENSORRT_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'node-tensorrt');
}

const rtxDir = (env) => join(cacheDir(env), `tensorrt-rtx-${RTX.version}`);

/** Path of the fetched library, or null if it is missing or incomplete. */
export function cachedTensorRT(env = process.env) {
  const dir = rtxDir(env);
  try {
    const { sizes } = JSON.parse(readOr(join(dir, 'complete.json'), 'null'));
    const whole = Object.entries(sizes).every(([file, size]) => statSync(join(dir, file)).size === size);
    return whole ? join(dir, RTX.library) : null;
  } catch {
    return null;
  }
}

/**
 * Fetches TensorRT-RTX into the cache with pip (the wheel's sha256 is pinned) and returns the library's path.
 * Safe to run in several processes at once; replaces a broken or incomplete copy.
 */
export async function fetchTensorRT({ env = process.env, force = false, onWait } = {}) {
  const dir = rtxDir(env);
  return withLock(
    `${dir}.lock`,
    async () => {
      const cached = force ? null : cachedTensorRT(env);
      if (cached) return cached;
      for (const name of readdirSync(dirname(dir)))
        if (name.startsWith(`${basename(dir)}.tmp-`))
          rmSync(join(dirname(dir), name), { recursive: true, force: true });
      const temporary = mkdtempSync(`${dir}.tmp-`);
      try {
        const wheel = await download(temporary, env);
        const unpacked = join(temporary, 'unpacked');
        mkdirSync(unpacked);
        await mustRun('unpacking TensorRT-RTX', 'python3', ['-m', 'zipfile', '-e', wheel, unpacked], { env });
        const sizes = Object.fromEntries(
          listFiles(unpacked).map((file) => [relative(unpacked, file), statSync(file).size]),
        );
        if (!sizes[RTX.library]) throw new SetupError(`the wheel does not contain ${RTX.library}`);
        writeFileSync(join(unpacked, 'complete.json'), JSON.stringify({ ...RTX, sizes }, null, 2));
        rmSync(dir, { recursive: true, force: true });
        renameSync(unpacked, dir);
        return join(dir, RTX.library);
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    },
    onWait,
  );
}

async function download(dir, env) {
  const requirement = `${RTX.distribution}==${RTX.version}`;
  const requirements = join(dir, 'requirements.txt');
  writeFileSync(requirements, `${requirement} --hash=sha256:${RTX.sha256}\n`);
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir', '--no-input'];
  args.push('--disable-pip-version-check', '--require-hashes', '-d', dir, '-r', requirements);
  const { code, output } = await capture('python3', args, { env: { ...env, PIP_REQUIRE_VIRTUALENV: '0' } });
  const wheel = readdirSync(dir).find((name) => name.endsWith('.whl'));
  if (code !== 0 || !wheel) {
    throw new SetupError(
      `could not fetch TensorRT-RTX ${RTX.version}:\n${output.trimEnd()}\n` +
        'To use a TensorRT you have, set TENSORRT_ROOT=DIR; to go on without one, set NODE_TENSORRT_DOWNLOAD=0.',
    );
  }
  return join(dir, wheel);
}
