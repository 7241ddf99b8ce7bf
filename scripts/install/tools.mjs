import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, makeFolder } from './files.mjs';
import { withLock } from './lock.mjs';
import { mustRun } from './process.mjs';
import { cacheDir } from './tensorrt.mjs';

/** What compiles the addon, locked by npm: cmake-js and node-addon-api. */
const pinned = resolve(fileURLToPath(import.meta.url), '..', 'tools');
const manifests = ['package.json', 'package-lock.json'];
const versions = JSON.parse(readFileSync(join(pinned, 'package.json'), 'utf8')).dependencies;
/** Changes with the tools. */
export const toolsHash = hashOf(
  pinned,
  manifests.map((name) => join(pinned, name)),
);

/** npm, as it was started or from PATH. */
export const npmCommand = (env) =>
  /^npm-cli/.test(basename(env.npm_execpath ?? '')) ? [process.execPath, env.npm_execpath] : ['npm'];

function packageAt(folder, name) {
  try {
    const path = createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`);
    return { dir: dirname(path), ...JSON.parse(readFileSync(path, 'utf8')) };
  } catch {
    return null;
  }
}

/** The tools that a folder's node_modules has in the pinned versions, or null. */
export function toolsAt(folder) {
  const found = Object.entries(versions).map(([name, version]) => {
    const one = packageAt(folder, name);
    return one?.version === version ? one : null;
  });
  if (found.includes(null)) return null;
  const [cmakeJs, addonApi] = found;
  return { cmakeJs: join(cmakeJs.dir, cmakeJs.bin['cmake-js']), addonApi: addonApi.dir };
}

const cached = (env) => join(cacheDir(env), `compile-tools-${toolsHash.slice(0, 16)}`);

/** Whether npm has to fetch the tools first. */
export const toolsAreMissing = (root, env) => toolsAt(root) === null && toolsAt(cached(env)) === null;

/** The tools of the project, else those in the cache, where npm puts them, each checked against its hash. */
export async function obtainTools(root, env) {
  const dir = cached(env);
  const fetch = () => (toolsAt(dir) ? undefined : fetchTools(dir, env));
  if (toolsAreMissing(root, env)) await withLock(`${dir}.lock`, fetch);
  return toolsAt(root) ?? toolsAt(dir);
}

async function fetchTools(dir, env) {
  makeFolder(dirname(dir));
  const temporary = mkdtempSync(`${dir}.tmp-`);
  try {
    for (const name of manifests) copyFileSync(join(pinned, name), join(temporary, name));
    const [command, ...first] = npmCommand(env);
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', temporary];
    const what = `fetching ${Object.entries(versions)
      .map((pair) => pair.join('@'))
      .join(' and ')} with npm`;
    await mustRun(what, command, [...first, 'ci', ...options], { cwd: temporary, env });
    if (existsSync(dir)) renameSync(dir, join(temporary, 'old'));
    renameSync(temporary, dir);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
