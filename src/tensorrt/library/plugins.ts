import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { show, TensorRTError } from '../../errors/error.js';
import { type PluginCreator, pluginBinding } from '../../plugin/binding.js';
import { rememberCreators, rememberLibrary } from '../../plugin/creators.js';
import { nvidiaPlugins } from '../../plugin/nvidia-plugins.js';
import type { LibraryInfo } from '../binding.js';
import { chooseTensorRT } from './find.js';

/** Options of `loadPluginLibrary` and `pluginCreators`. */
export interface PluginLibraryOptions {
  /** Path of a TensorRT library or its folder, or a flavor (`trt10`, `trt11`). Default: the best one found, with or without a GPU. */
  library?: string | undefined;
}

/** Calls the addon and turns its errors into TensorRTErrors. */
async function callAddon<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    const { code, message, log } = error as Error & { code?: string; log?: string[] };
    throw new TensorRTError(code ?? 'ERR_INTERNAL', message, { log, cause: error });
  }
}

async function choose(options: PluginLibraryOptions | undefined): Promise<string> {
  const library = options?.library;
  const { path } = await chooseTensorRT({ for: 'plugins', needsGpu: false, ...(library !== undefined && { library }) });
  return path;
}

/**
 * Loads a library of TensorRT plugins and returns its creators: one that exports `getCreators`, or whose creators register
 * themselves (`REGISTER_TENSORRT_PLUGIN`). It needs no GPU, and stays loaded. Layers recorded from now on may use its creators;
 * their fields are checked, and the plugins say their outputs. Engines that contain them can be loaded.
 * @param path the library; without it NVIDIA's libnvinfer_plugin, which builds and `loadEngine` also load by themselves
 * @throws ERR_PLUGIN_LIBRARY if it cannot be loaded or has no plugins, ERR_LIBRARY_NOT_FOUND without a TensorRT 10 or 11,
 *   ERR_TENSORRT_CRASHED
 */
export async function loadPluginLibrary(
  path?: string | undefined,
  options?: PluginLibraryOptions,
): Promise<PluginCreator[]> {
  if (path !== undefined && (typeof path !== 'string' || path === '')) {
    throw new TensorRTError('ERR_PLUGIN_LIBRARY', `loadPluginLibrary: expected a path, given ${show(path)}`);
  }
  const library = await choose(options);
  const addon = pluginBinding();
  const full = path === undefined ? null : resolve(path);
  const added = await callAddon(() => addon.loadPluginLibrary(library, full));
  if (full !== null) rememberLibrary(full, added);
  rememberCreators(library, await callAddon(() => addon.pluginCreators(library)));
  return added;
}

/**
 * Every plugin creator: TensorRT's own, those of libnvinfer_plugin, and those of libraries loaded before. It needs no GPU.
 * @throws ERR_LIBRARY_NOT_FOUND without a TensorRT 10 or 11, ERR_TENSORRT_CRASHED
 */
export async function pluginCreators(options?: PluginLibraryOptions): Promise<PluginCreator[]> {
  const library = await choose(options);
  const addon = pluginBinding();
  try {
    await callAddon(() => addon.loadPluginLibrary(library, null));
  } catch (error) {
    // A TensorRT without libnvinfer_plugin has creators too.
    if ((error as TensorRTError).code !== 'ERR_PLUGIN_LIBRARY') throw error;
  }
  const creators = await callAddon(() => addon.pluginCreators(library));
  rememberCreators(library, creators);
  return creators;
}

/**
 * The files that the code of existing plugins comes from: all libraries loaded, and NVIDIA's beside TensorRT.
 * @returns undefined if it cannot be told: other code of the process registered the creator
 */
export async function filesOfPlugins(
  names: readonly string[],
  { path, version }: LibraryInfo,
): Promise<string[] | undefined> {
  const loaded = pluginBinding()
    .loadedPlugins(path)
    .filter((one) => one !== null);
  if (loaded.length === 0 && names.some((name) => !nvidiaPlugins.includes(name))) return undefined;
  const nvidias = join(dirname(path), `libnvinfer_plugin.so.${Number.parseInt(version, 10)}`);
  const isThere = await stat(nvidias).catch(() => undefined);
  return [...loaded, ...(isThere ? [nvidias] : [])];
}
