import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { hashOf, readOr, writeAtomic } from './files.mjs';
import { mustRun, SetupError } from './process.mjs';
import { sourceFiles } from './source.mjs';
import { toolsAt, toolsHash } from './tools.mjs';

const stampPath = (root) => join(root, 'build', 'addon.stamp');

export const addonPath = (root) => join(root, 'build', 'Release', 'node_tensorrt.node');

/** Everything the binary depends on. */
function addonHash(root) {
  const { napi_versions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).binary;
  return hashOf(root, sourceFiles(root), String(napi_versions), process.arch, toolsHash);
}

/** Whether the compiled addon is up to date. */
export function addonIsFresh(root) {
  return existsSync(addonPath(root)) && readOr(stampPath(root), '') === addonHash(root);
}

/** Touches files that changed since the last compilation: copies may keep old times, and make would skip them. */
function touchChanged(root, build) {
  const path = join(build, 'sources.json');
  const before = JSON.parse(readOr(path, '{}'));
  const now = Object.fromEntries(sourceFiles(root).map((file) => [relative(root, file), hashOf(root, [file])]));
  for (const [file, hash] of Object.entries(now))
    if (before[file] && before[file] !== hash) utimesSync(join(root, file), new Date(), new Date());
  return () => writeAtomic(path, JSON.stringify(now));
}

/** Compiles native/ to build/Release/node_tensorrt.node; throws SetupError with the compiler's output. */
export async function compileAddon(root, env = process.env, tools = toolsAt(root)) {
  if (tools === null) throw new SetupError('cmake-js and node-addon-api are not in node_modules as locked: run npm ci');
  const build = join(root, 'build');
  const hash = addonHash(root);
  rmSync(stampPath(root), { force: true });
  const configuredFor = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readOr(join(build, 'CMakeCache.txt'), ''))?.[1];
  if (configuredFor && configuredFor !== root) rmSync(build, { recursive: true, force: true });

  const remember = touchChanged(root, build);
  const jobs = String(Math.max(2, cpus().length));
  const args = [tools.cmakeJs, 'build', '--directory', root, '--out', build, '--config', 'Release', '--parallel', jobs];
  const settings = ['--CDBUILD_TESTING=OFF', `--CDNODE_ADDON_API_DIR=${tools.addonApi}`];
  await mustRun('compiling the addon', process.execPath, [...args, ...settings], { cwd: root, env });
  remember();
  writeAtomic(stampPath(root), hash);
}
