import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, which } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';
import { obtainNode, pins } from '../lib/node-releases.mjs';
import { once } from '../lib/once.mjs';

const QEMU = 'qemu-aarch64-static';
/** Debian's folder of the libraries that programs for arm64 load. */
const LIBRARIES = join('usr', 'aarch64-linux-gnu');
const PACKAGES = ['qemu-user-static', 'libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross'];

/** The line of Node that runs there. */
const LINE = '22.';

/** qemu and what programs need, from Debian's packages: installed, or unpacked into the cache, which needs no root. */
async function qemu(cache) {
  const installed = which(QEMU);
  if (installed && existsSync(join('/', LIBRARIES, 'lib', 'libstdc++.so.6')))
    return { emulator: installed, libraries: join('/', LIBRARIES) };
  const dir = join(cache, 'arm64-qemu');
  const emulator = await once(dir, join('usr', 'bin', QEMU), async (temporary) => {
    const packages = join(temporary, 'packages');
    mkdirSync(packages);
    // apt checks what it gets against Debian's signed lists.
    await mustRun('downloading Debian’s packages', 'apt-get', ['download', ...PACKAGES], { cwd: packages });
    for (const file of readdirSync(packages))
      await mustRun(`unpacking ${file}`, 'dpkg-deb', ['-x', join(packages, file), temporary]);
    rmSync(packages, { recursive: true });
  });
  return { emulator, libraries: join(dir, LIBRARIES) };
}

/**
 * Gets all that runs Node for arm64 here.
 * @returns {Promise<string[]>} the command line up to Node's arguments
 */
export async function arm64Node(env = process.env) {
  const { emulator, libraries } = await qemu(cacheDir(env));
  const pin = pins.find(({ version }) => version.startsWith(LINE));
  return [emulator, '-L', libraries, await obtainNode(pin, { arch: 'arm64', env })];
}
