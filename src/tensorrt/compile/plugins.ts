import { createHash } from 'node:crypto';
import type { RecordedNode } from '../../dsl/network.js';
import type { Snapshot } from '../../dsl/snapshot.js';
import { locate } from '../../errors/call-site.js';
import { TensorRTError } from '../../errors/error.js';
import { version as packageVersion } from '../../package/version.js';
import { allNodes } from '../../passes/recorder.js';
import type { AttributeField, NativePlugin } from '../../plugin/binding.js';
import { type CompiledRequest, capabilityOf, compilePlugin } from '../../plugin/compile.js';
import type { Definition } from '../../plugin/definition.js';
import { encodeRecipe } from '../../plugin/encode.js';
import { attributeFields, isOwn, type OwnParams, type PluginParams, recipeOf } from '../../plugin/layer.js';
import { chooseNvrtc, type LoadedNvrtc } from '../../plugin/nvrtc.js';
import type { Recipe } from '../../plugin/recipe.js';
import { definitionOf } from '../../plugin/registry.js';
import type { CudaInfo } from '../binding.js';
import { cudaInfo } from '../library/find.js';
import type { BuildOptions } from './options.js';

/** What a layer of a definition of the caller's is made of. */
export interface TakenPlugin {
  node: RecordedNode;
  definition: Definition;
  recipe: Recipe;
  attributes: AttributeField[];
}

/**
 * Reads all layers of definitions, also those in nested graphs. The rules run here, so that no later change is seen.
 * @throws {TensorRTError} ERR_PLUGIN
 */
export function takePlugins({ nodes, tensorOf }: Pick<Snapshot, 'nodes' | 'tensorOf'>): TakenPlugin[] {
  return [...allNodes({ nodes })].flatMap((node) => {
    const params = node.kind === 'plugin' && (node.params as unknown as PluginParams);
    return params && isOwn(params) ? takeOne(node, params, tensorOf) : [];
  });
}

function takeOne(node: RecordedNode, params: OwnParams, tensorOf: Snapshot['tensorOf']): TakenPlugin {
  const inputs = node.inputs.map((id) => tensorOf(id!)!);
  return atLayer(node, () => {
    return {
      node,
      definition: definitionOf(params.definition.name, params.definition.version),
      recipe: recipeOf(params, inputs),
      attributes: attributeFields(params),
    };
  });
}

/** What is thrown gets the layer's name, and its place unless it has one of its own. */
function named(node: RecordedNode, error: unknown): unknown {
  if (!(error instanceof TensorRTError)) return error;
  const source = error.source ?? locate(node.callSite);
  return error.with({ layer: node.name, kind: node.kind, method: node.method ?? node.kind, source });
}

function atLayer<T>(node: RecordedNode, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(node, error);
  }
}

export interface PluginBuild {
  options: Pick<BuildOptions, 'hardwareCompatibility' | 'computeCapabilities'>;
  /** Whether to go on without kernels where there is no GPU or no NVRTC: what is made is never run. */
  lowerOnly: boolean;
  /** What the driver reports, if it was asked in another process. */
  cuda?: Promise<CudaInfo> | undefined;
  /** Gets the compiler's warnings. */
  onWarning(message: string): void;
  /** Throws where the build is to end. */
  check(): void;
}

/** Compiles the kernels of all layers. @throws {TensorRTError} ERR_KERNEL, ERR_NVRTC_MISSING */
export async function compilePlugins(taken: readonly TakenPlugin[], build: PluginBuild): Promise<NativePlugin[]> {
  if (taken.length === 0) return [];
  const { capabilities, nvrtc } = await targetsOf(build);
  const plugins: NativePlugin[] = [];
  for (const one of taken) {
    build.check();
    try {
      const compiled = await compilePlugin(one.definition, one.recipe, capabilities, { ...build, nvrtc });
      plugins.push(toNative(one, compiled));
    } catch (error) {
      throw named(one.node, error);
    }
  }
  return plugins;
}

interface Targets {
  /** Times 10, in ascending order. */
  capabilities: number[];
  /** Compiles for all of them. */
  nvrtc?: LoadedNvrtc;
}

/**
 * What to compile for: the compute capability of the GPU, and those that the engine is to run on. Machine code runs on GPUs of its own
 * major capability, from its own minor one on.
 */
async function targetsOf({ options, lowerOnly, cuda }: PluginBuild): Promise<Targets> {
  const { hardwareCompatibility, computeCapabilities = [] } = options;
  const { devices } = await (cuda ?? cudaInfo());
  const wanted = new Set<number>(computeCapabilities);
  const [device] = devices;
  if (device) wanted.add(capabilityOf(device.computeCapability));
  if (wanted.size === 0) return { capabilities: [] };
  try {
    const nvrtc = await chooseNvrtc([...wanted]);
    if (hardwareCompatibility === 'ampere_plus')
      for (const one of leastOfEachMajor(nvrtc.architectures)) wanted.add(one);
    return { capabilities: [...wanted].sort((a, b) => a - b), nvrtc };
  } catch (error) {
    if (lowerOnly && (error as TensorRTError).code === 'ERR_NVRTC_MISSING') return { capabilities: [] };
    throw error;
  }
}

const ampere = 80;

function leastOfEachMajor(architectures: readonly number[]): number[] {
  const majors = new Map<number, number>();
  for (const one of [...architectures].sort((a, b) => a - b)) {
    const major = Math.floor(one / 10);
    if (one >= ampere && !majors.has(major)) majors.set(major, one);
  }
  return [...majors.values()];
}

function toNative({ node, definition, recipe, attributes }: TakenPlugin, compiled: CompiledRequest): NativePlugin {
  const { name, version, options } = definition;
  // Without machine code nothing is launched, and the names stand for themselves.
  const lowered = compiled.cubins.length > 0 ? compiled.lowered : recipe.kernels;
  const encode = (timing: string) => encodeRecipe(recipe, { name, version, packageVersion, lowered, timing });
  const timing = timingOf(compiled.sourceHash, options, attributes, encode(''));
  return { value: node.outputs[0]!.id, name, version, recipe: encode(timing), cubins: compiled.cubins, attributes };
}

/** Tells layers apart whose tactics may take another time. */
function timingOf(
  sourceHash: string,
  options: readonly string[],
  attributes: readonly AttributeField[],
  recipe: Uint8Array,
): string {
  const hash = createHash('sha256').update(JSON.stringify([sourceHash, options]));
  for (const { name, type, length, data } of attributes) hash.update(JSON.stringify([name, type, length])).update(data);
  return hash.update(recipe).digest('hex');
}
