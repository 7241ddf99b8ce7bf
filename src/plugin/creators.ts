import { suggestion } from '../errors/nearest.js';
import type { PluginCreator } from './binding.js';
import { refusePlugin } from './fault.js';
import { nvidiaPlugins } from './nvidia-plugins.js';

/** Names a creator. */
export interface CreatorKey {
  name: string;
  version: string;
  namespace: string;
}

interface Known {
  /** Path of the TensorRT that has them. */
  library: string;
  creators: readonly PluginCreator[];
}

let known: Known | undefined;

/** @internal Remembers the creators of the TensorRT that recording asks from now on. */
export function rememberCreators(library: string, creators: readonly PluginCreator[]): void {
  known = { library, creators };
}

const libraries = new Map<string, string>();
const keyOf = ({ name, version, namespace }: CreatorKey): string => JSON.stringify([namespace, name, version]);

/** @internal Remembers which library has creators. */
export function rememberLibrary(path: string, creators: readonly CreatorKey[]): void {
  for (const creator of creators) libraries.set(keyOf(creator), path);
}

/** @internal Path of the library that has a creator, if `loadPluginLibrary` loaded it. */
export const libraryOfCreator = (creator: CreatorKey): string | undefined => libraries.get(keyOf(creator));

/** @internal The creators of the TensorRT whose plugins were loaded last; undefined before `loadPluginLibrary`. */
export const knownCreators = (): Known | undefined => known;

/** `'ROIAlign_TRT' version 2`, with the namespace if it has one. */
export const nameOfCreator = ({ name, version, namespace }: CreatorKey): string =>
  `'${name}' version ${version}${namespace === '' ? '' : ` in namespace '${namespace}'`}`;

/** Which library usually has a creator, and how to load it. */
function howToLoad(name: string): string {
  return nvidiaPlugins.includes(name)
    ? "; NVIDIA's libnvinfer_plugin has it: await loadPluginLibrary()"
    : '; load the library that has it: await loadPluginLibrary(path)';
}

/**
 * Completes a creator's name by what is registered: the only version, the only namespace. Before `loadPluginLibrary`, version 1
 * without a namespace.
 * @throws ERR_PLUGIN_MISSING
 */
export function resolveCreator(name: string, version?: string, namespace?: string): CreatorKey {
  if (!known) return { name, version: version ?? '1', namespace: namespace ?? '' };
  const named = known.creators.filter((one) => one.name === name);
  const found = named.filter((one) => {
    return one.version === (version ?? one.version) && one.namespace === (namespace ?? one.namespace);
  });
  const [only] = found;
  if (only && found.length === 1) return { name, version: only.version, namespace: only.namespace };
  if (only) {
    return refusePlugin(
      `plugin '${name}': expected version or namespace, because there are ${found.map(nameOfCreator).join(', ')}`,
      { expected: found.map(nameOfCreator) },
      'ERR_PLUGIN_MISSING',
    );
  }
  const wanted = nameOfCreator({ name, version: version ?? '(any)', namespace: namespace ?? '' });
  if (named.length > 0) {
    return refusePlugin(
      `no plugin creator ${wanted}; there are ${named.map(nameOfCreator).join(', ')}`,
      { expected: named.map(nameOfCreator), actual: wanted },
      'ERR_PLUGIN_MISSING',
    );
  }
  const names = new Set(known.creators.map((one) => one.name));
  return refusePlugin(
    `no plugin creator '${name}'${suggestion(name, names) || howToLoad(name)}`,
    { actual: name },
    'ERR_PLUGIN_MISSING',
  );
}

/** What a creator says of itself; undefined before `loadPluginLibrary`. */
export function creatorInfo({ name, version, namespace }: CreatorKey): PluginCreator | undefined {
  return known?.creators.find((one) => one.name === name && one.version === version && one.namespace === namespace);
}
