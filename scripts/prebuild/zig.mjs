import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { isWhole, unpackInto } from '../install/fetch.mjs';
import { withLock } from '../install/lock.mjs';
import { SetupError } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';

const VERSION = '0.17.1';
const ZIG = join('ziglang', 'zig');

/** PyPI's `ziglang`, by the processor that compiles. */
const wheels = {
  x64: {
    wheel: `ziglang-${VERSION}-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl`,
    size: 101_083_562,
    sha256: 'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54',
  },
  arm64: {
    wheel: `ziglang-${VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
    size: 98_063_064,
    sha256: 'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e',
  },
};

/**
 * Fetches zig into the cache.
 * @returns {Promise<{ zig: string, folder: string, cache: string }>} its path, its folder, and where it keeps what it compiled
 */
export async function fetchZig({ env = process.env, onWait } = {}) {
  const pin = wheels[process.arch];
  if (process.platform !== 'linux' || !pin)
    throw new SetupError(`expected Linux on x64 or arm64, given ${process.platform} on ${process.arch}`);
  const dir = join(cacheDir(env), `zig-${VERSION}`);
  await withLock(
    `${dir}.lock`,
    async () => {
      if (isWhole(dir)) return;
      const facts = { distribution: 'ziglang', version: VERSION, ...pin };
      await unpackInto(dir, [facts], { env, files: [ZIG], facts });
    },
    { onWait },
  );
  // A wheel does not say which files are programs.
  chmodSync(join(dir, ZIG), 0o755);
  return { zig: join(dir, ZIG), folder: join(dir, 'ziglang'), cache: join(cacheDir(env), 'zig-cache') };
}
