import type { RecordedNode } from '../../dsl/network.js';
import { version as packageVersion } from '../../package/version.js';
import { allNodes } from '../../passes/recorder.js';
import { libraryOfCreator } from '../../plugin/creators.js';
import { isOwn, type PluginParams } from '../../plugin/layer.js';
import { nvidiaPlugins } from '../../plugin/nvidia-plugins.js';
import { shownIO } from '../../values/io-options.js';
import type { CudaInfo, HeldOptions, LibraryInfo } from '../binding.js';
import type { EngineMetadata, EnginePlugin } from '../files/metadata.js';
import type { Taken } from './program.js';

/** Of the plugins of `definePlugin`; native/plugin has it, too. */
const ownNamespace = 'node_tensorrt';

/** What built an engine. */
interface BuiltBy {
  library: LibraryInfo;
  cuda: CudaInfo;
  options: HeldOptions;
  /** Of the network as it was recorded. */
  graphHash: string;
}

/** What `engine.save` keeps of a build. Holds no elements of weights. */
export function describeBuild(network: Taken, { library, cuda, options, graphHash }: BuiltBy): EngineMetadata {
  const [device] = cuda.devices;
  const { flavor, version } = library;
  const plugins = pluginsOf(network.nodes, options.pluginsToSerialize ?? []);
  return {
    generator: `node-tensorrt ${packageVersion}`,
    name: network.name,
    library: { flavor, version },
    ...(device && { gpu: { name: device.name, computeCapability: device.computeCapability, driver: cuda.driver } }),
    options,
    inputs: network.inputs.map(shownIO),
    outputs: network.outputs.map(shownIO),
    graphHash,
    ...(plugins.length > 0 && { plugins }),
    user: {},
  };
}

/** Every plugin once, with the names of its layers, also of those in nested graphs. */
function pluginsOf(nodes: readonly RecordedNode[], inPlan: readonly string[]): EnginePlugin[] {
  const plugins = new Map<string, EnginePlugin & { layers: string[] }>();
  for (const { kind, name, params } of allNodes({ nodes })) {
    if (kind !== 'plugin') continue;
    const plugin = pluginOf(params as unknown as PluginParams, inPlan);
    const key = JSON.stringify([plugin.namespace, plugin.name, plugin.version]);
    const known = plugins.get(key);
    if (known) known.layers.push(name);
    else plugins.set(key, { ...plugin, layers: [name] });
  }
  return [...plugins.values()];
}

function pluginOf(params: PluginParams, inPlan: readonly string[]): Omit<EnginePlugin, 'layers'> {
  if (isOwn(params)) return { ...params.definition, namespace: ownNamespace, code: 'plan' };
  const { name, version, namespace } = params.creator;
  const creator = { name, version, namespace };
  if (nvidiaPlugins.includes(name)) return { ...creator, code: 'tensorrt' };
  const library = libraryOfCreator(creator);
  if (library !== undefined && inPlan.includes(library)) return { ...creator, code: 'plan' };
  return { ...creator, code: 'library', ...(library !== undefined && { library }) };
}
