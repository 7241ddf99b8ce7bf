import { addonPath } from '../../addon.js';
import { Pace } from '../../pace.js';
import { allNodes } from '../../passes/recorder.js';
import type { NativePlugin } from '../../plugin/binding.js';
import type { CreatorParams } from '../../plugin/layer.js';
import { bytesOf } from '../../values/dtype.js';
import type { CudaInfo, LibraryInfo } from '../binding.js';
import type { BuildOptions } from '../compile/options.js';
import type { ResolvedProfile } from '../compile/profiles.js';
import { filesOfPlugins } from '../library/plugins.js';
import { text } from './canonical.js';
import type { FileHashes } from './file-hashes.js';
import { canonicalGraph, type Graph } from './graph-hash.js';
import { hashBytes, sha256 } from './hashing.js';
import { optionsThat } from './options.js';

/** Changes when the same parts no longer mean the same engine. */
const format = 1;
/** The longest to keep the event loop, in ms. */
const slice = 2;

/** What an engine is made of. */
export interface Ingredients {
  graph: Graph;
  options: BuildOptions;
  profiles: readonly ResolvedProfile[];
  plugins: readonly NativePlugin[];
  library: LibraryInfo;
  cuda: CudaInfo;
  /** TensorRT's methods that are not to be used. */
  without: readonly string[];
  /** Of the weights that can be refitted, which are in the engine. */
  names?: readonly string[] | undefined;
}

/** What the key of an engine is made of, each as a hash or as text. Which of them differ says why an engine was built again. */
export interface KeyParts {
  graph: string;
  /** Of the elements of all weights, in the order of their use. */
  weights: string;
  options: string;
  profiles: string;
  plugins: string;
  /** TensorRT, by the content of its file. */
  library: string;
  /** Name and compute capability of the GPU that kernels are timed on. A new driver runs old engines. */
  gpu: string;
  /** This package's compiled part. */
  addon: string;
  environment: string;
}

/** Variables by which NVIDIA's libraries change what they build. */
const variables = ['NVIDIA_TF32_OVERRIDE', '__LUNOWUD'];

/**
 * The parts of an engine's key.
 * @param check throws where the work is to end
 * @throws if a file of `pluginsToSerialize` or a library cannot be read, or it is not known where a plugin comes from
 */
export async function keyParts(
  { graph, options, profiles, plugins, library, cuda, without, names }: Ingredients,
  hashes: FileHashes,
  check: () => void,
): Promise<KeyParts> {
  const file = (path: string) => hashes.ofFile(path, check);
  const canonical = canonicalGraph(graph);
  const given = Object.fromEntries(optionsThat('value').map((name) => [name, options[name]]));
  const files = await Promise.all(
    optionsThat('files').map(async (name) => {
      const paths = (options[name] ?? []) as readonly string[];
      return [name, await Promise.all(paths.map(file))];
    }),
  );
  const creators = [...allNodes(graph)].flatMap(({ params }) =>
    'creator' in params ? [params as unknown as CreatorParams] : [],
  );
  const libraries =
    creators.length > 0
      ? await filesOfPlugins(
          creators.map(({ creator }) => creator.name),
          library,
        )
      : [];
  if (!libraries) throw new Error('the library that a plugin comes from is not known');
  const own = plugins.map((plugin) => pluginText(plugin, canonical.numberOf(plugin.value ?? -1)));
  const [device] = cuda.devices;
  return {
    graph: canonical.hash,
    weights: sha256((await weightHashes(graph, canonical.weights, hashes, check)).join()),
    options: sha256(text([given, files, await decisiveTimes(options, file), ...(names ?? [])])),
    profiles: sha256(text(profiles)),
    plugins: sha256(text([own, (await Promise.all(libraries.map(file))).sort()])),
    library: `${library.flavor} ${library.version} ${await file(library.path)}`,
    gpu: device ? `${device.name} ${device.computeCapability}` : 'none',
    addon: await file(addonPath()),
    environment: sha256(text([variables.map((name) => process.env[name]), without])),
  };
}

export const keyOf = (parts: KeyParts): string => sha256(text([format, parts]));

/** The timing cache, where it is to be obeyed. */
async function decisiveTimes(
  { timingCache, errorOnTimingCacheMiss, editableTimingCache }: BuildOptions,
  file: (path: string) => Promise<string>,
): Promise<string | undefined> {
  if (!(errorOnTimingCacheMiss || editableTimingCache)) return undefined;
  if (timingCache instanceof Uint8Array) return hashBytes(timingCache);
  return typeof timingCache === 'string' ? file(timingCache).catch(() => 'none') : undefined;
}

function pluginText({ name, version, recipe, cubins, attributes }: NativePlugin, value: number): unknown {
  return [
    value,
    name,
    version,
    sha256(recipe),
    cubins.map(({ capability, data }) => [capability, sha256(data)]),
    attributes.map(({ name, type, length, data }) => [name, type, length, sha256(data)]),
  ];
}

/** Elements that lie in a file, and that nobody changed, are read once per version of the file. */
async function weightHashes(
  { weights }: Graph,
  ids: readonly number[],
  hashes: FileHashes,
  check: () => void,
): Promise<string[]> {
  const pace = new Pace(slice, 1);
  const found: Promise<string>[] = [];
  for (const id of ids) {
    check();
    const { data, mapping } = weights[id]!;
    const bytes = bytesOf(data);
    const place = mapping?.place?.(bytes);
    const hash = () => hashBytes(bytes, check);
    const one = place ? hashes.of(place, bytes.length, hash) : hash();
    one.catch(() => {});
    found.push(one);
    if (pace.due()) await pace.rest();
  }
  return Promise.all(found);
}
