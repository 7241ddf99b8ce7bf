import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { mustRun, which } from '../install/process.mjs';
import { ADDON, GLIBC, PLUGINS, platforms } from './platforms.mjs';

/**
 * Compiles the addon and the plugin library of a platform into a folder. CMakeLists.txt lists the sources and flags.
 * @param {{ root: string, platform: keyof typeof platforms, out: string, zig: { zig: string, cache: string } }} options
 */
export async function compile({ root, platform, out, zig, env = process.env }) {
  const build = join(root, '.cache', 'prebuild', platform);
  rmSync(build, { recursive: true, force: true });
  const { include_dir: headers } = createRequire(join(root, 'package.json'))('node-api-headers');
  const own = { ...env, ZIG_GLOBAL_CACHE_DIR: zig.cache, ZIG_LOCAL_CACHE_DIR: zig.cache };
  const variables = {
    CMAKE_TOOLCHAIN_FILE: join(root, 'scripts', 'prebuild', 'toolchain.cmake'),
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_JS_INC: headers,
    ZIG: zig.zig,
    ZIG_PROCESSOR: platforms[platform].processor,
    ZIG_GLIBC: GLIBC,
  };
  const generator = which('ninja', env) ? ['-G', 'Ninja'] : [];
  const defines = Object.entries(variables).map(([name, value]) => `-D${name}=${value}`);
  const options = { cwd: root, env: own };
  await mustRun(`configuring ${platform}`, 'cmake', [...generator, '-S', root, '-B', build, ...defines], options);
  const jobs = String(Math.max(2, cpus().length));
  await mustRun(`compiling ${platform}`, 'cmake', ['--build', build, '--parallel', jobs], options);
  mkdirSync(out, { recursive: true });
  for (const file of [ADDON, PLUGINS]) {
    // Another inode: a process that has loaded the old file keeps it.
    rmSync(join(out, file), { force: true });
    copyFileSync(join(build, file), join(out, file));
  }
}
