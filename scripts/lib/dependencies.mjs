import { join } from 'node:path';
import { hashOf, readOr, writeAtomic } from '../install/files.mjs';
import { mustRun } from '../install/process.mjs';
import { npmCommand } from '../install/tools.mjs';

const stampPath = (root) => join(root, 'node_modules', '.node-tensorrt-stamp');
const lockHash = (root) => hashOf(root, [join(root, 'package-lock.json')]);

/** Whether npm's record of its last install matches package-lock.json. */
function installedIsLocked(root) {
  const parse = (path) => JSON.parse(readOr(path, '{}')).packages;
  const locked = parse(join(root, 'package-lock.json'));
  const installed = parse(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return false;
  return Object.entries(locked).every(
    ([path, { integrity, optional, peer }]) =>
      !path || (installed[path] ? installed[path].integrity === integrity : optional || peer),
  );
}

export function dependenciesAreFresh(root) {
  if (readOr(stampPath(root), '') === lockHash(root)) return true;
  if (!installedIsLocked(root)) return false;
  writeAtomic(stampPath(root), lockHash(root));
  return true;
}

/** Installs exactly what package-lock.json lists; throws a SetupError with npm's output. */
export async function installDependencies(root, env = process.env) {
  const [command, ...first] = npmCommand(env);
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const own = { ...env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  await mustRun('installing the dependencies', command, args, { cwd: root, env: own });
  writeAtomic(stampPath(root), lockHash(root));
}
