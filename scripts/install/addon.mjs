import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { hashOf, listFiles, readOr, writeAtomic } from './files.mjs';
import { mustRun } from './process.mjs';

const stampPath = (root) => join(root, 'build', 'addon.stamp');

export const addonPath = (root) => join(root, 'build', 'Release', 'node_tensorrt.node');

/** CMake's project folder; cmake-js wants package.json beside CMakeLists.txt. */
const project = (root) => (existsSync(join(root, 'CMakeLists.txt')) ? root : join(root, 'native'));

function packageOf(root, name) {
  const path = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
  return { dir: dirname(path), ...JSON.parse(readFileSync(path, 'utf8')) };
}

/** Everything the binary depends on; null while the dependencies are not installed. */
function addonHash(root) {
  try {
    const files = listFiles(join(root, 'native'));
    const top = join(root, 'CMakeLists.txt');
    if (existsSync(top)) files.push(top);
    const { napi_versions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).binary;
    const versions = ['cmake-js', 'node-addon-api'].map((name) => packageOf(root, name).version);
    return hashOf(root, files, String(napi_versions), process.arch, ...versions);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Whether the compiled addon is that of the present sources. */
export function addonIsFresh(root) {
  return existsSync(addonPath(root)) && readOr(stampPath(root), '') === addonHash(root);
}

/** Compiles native/ to build/Release/node_tensorrt.node; throws SetupError with the compiler's output. */
export async function compileAddon(root, env = process.env) {
  const build = join(root, 'build');
  const dir = project(root);
  const hash = addonHash(root);
  rmSync(stampPath(root), { force: true });
  const configuredFor = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readOr(join(build, 'CMakeCache.txt'), ''))?.[1];
  if (configuredFor && configuredFor !== dir) rmSync(build, { recursive: true, force: true });

  const cmakeJs = packageOf(root, 'cmake-js');
  const bin = join(cmakeJs.dir, cmakeJs.bin['cmake-js']);
  const jobs = String(Math.max(2, cpus().length));
  const args = [bin, 'build', '--directory', dir, '--out', build, '--config', 'Release', '--parallel', jobs];
  await mustRun('compiling the addon', process.execPath, [...args, '--CDBUILD_TESTING=OFF'], { cwd: root, env });
  writeAtomic(stampPath(root), hash);
}
