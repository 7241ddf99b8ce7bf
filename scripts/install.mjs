// Part of the published package: what `node-tensorrt install` does. Nothing runs at `npm install`.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonIsFresh, addonPath, compileAddon } from './install/addon.mjs';
import { setupLock, withLock } from './install/lock.mjs';
import { cachedNvrtc, fetchNvrtc, nvrtcFor } from './install/nvrtc.mjs';
import { demand, missingPrerequisites } from './install/prerequisites.mjs';
import { reporter } from './install/process.mjs';
import { damage } from './install/record.mjs';
import { cacheDir, cachedTensorRT, fetchTensorRT, RTX } from './install/tensorrt.mjs';
import { obtainTools, toolsAreMissing } from './install/tools.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');

/**
 * Fetches TensorRT-RTX unless `fetch` is false; with `nvrtc` also NVRTC, of that CUDA; with `fromSource` compiles the addon.
 * Keeps what is already there.
 * @param {{ fetch?: boolean, fromSource?: boolean, nvrtc?: '12.9' | '13.0', force?: boolean, quiet?: boolean, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ addon: string | null, library: string | null, nvrtc: string | null }>}
 * @throws {SetupError} with how to fix it
 */
export async function install({
  fetch = true,
  fromSource = false,
  nvrtc,
  force = false,
  quiet = false,
  env = process.env,
} = {}) {
  const compiles = fromSource && (force || !addonIsFresh(root));
  await demand({ compile: compiles, npm: compiles && toolsAreMissing(root, env) }, env);
  const step = reporter(quiet);
  if (compiles) {
    const compile = async () =>
      force || !addonIsFresh(root) ? compileAddon(root, env, await obtainTools(root, env)) : undefined;
    await step('compiling the addon', () => withLock(setupLock(root), compile));
  }
  if (fetch && (force || !cachedTensorRT(env))) {
    const what = `fetching TensorRT-RTX ${RTX.version} into ${cacheDir(env)}`;
    await step(what, () => fetchTensorRT({ env, force }));
  }
  if (nvrtc && (force || !cachedNvrtc(nvrtc, env))) {
    const what = `fetching NVRTC of CUDA ${nvrtc} into ${cacheDir(env)}`;
    await step(what, () => fetchNvrtc({ cuda: nvrtc, env, force }));
  }
  return {
    addon: fromSource ? addonPath(root) : null,
    library: cachedTensorRT(env),
    nvrtc: nvrtc ? cachedNvrtc(nvrtc, env) : null,
  };
}

export { damage, missingPrerequisites, nvrtcFor };
