import { addon } from '../addon.js';
import type { DType } from '../values/dtype.js';
import type { Expression, FieldType } from './recipe.js';

/** A field of a creator, with elements or, in a creator's list, without. */
export interface CreatorField {
  /** Name of the field. */
  name: string;
  /** Type of its elements. */
  type: FieldType;
  /** Elements that the creator's list names; 0 or less where it does not say. */
  length: number;
}

/** A plugin creator of a loaded TensorRT: what `x.plugin(name, { version, namespace, fields })` uses. */
export interface PluginCreator {
  /** Name of the plugin. */
  name: string;
  /** Version of the plugin. */
  version: string;
  /** Namespace; usually empty. */
  namespace: string;
  /** Interface of its plugins: IPluginV2 and its descendants, or IPluginV3. */
  interface: 'V1' | 'V3';
  /** Fields that it takes. */
  fields: CreatorField[];
}

/** A field with its elements, as recorded for an existing creator. */
export interface FieldData {
  name: string;
  type: FieldType;
  data: readonly number[] | readonly bigint[] | string;
}

export interface DescribeRequest {
  name: string;
  version: string;
  namespace: string;
  fields: readonly FieldData[];
  /** -1 where a dim is dynamic. Shape inputs are the last. */
  inputs: readonly { dtype: DType; shape: readonly number[] }[];
  /** How many of the inputs are shape inputs. */
  shapeInputs: number;
}

/** A dim of an output: a size, or an expression over the inputs' dims in the recipe's terms. */
export interface PluginOutputs {
  /** Indices into `expressions`. */
  outputs: { dtype: DType; dims: number[]; isSize: boolean }[];
  expressions: Expression[];
}

/** An attribute as a plugin field: `length` elements of `type` in `data`. */
export interface AttributeField {
  name: string;
  type: FieldType;
  data: Uint8Array;
  length: number;
}

/** All that native code needs for one layer. */
export interface NativePlugin {
  /** Id of the layer's first output, where it is part of a program. */
  value?: number | undefined;
  name: string;
  version: string;
  /** From `encodeRecipe`. */
  recipe: Uint8Array;
  /** `capability`: major × 10 + minor. */
  cubins: { capability: number; data: Uint8Array }[];
  attributes: AttributeField[];
}

/** A recipe as native code evaluates it. Arguments: integers as bigints, floats as numbers, pointers as text. */
export interface EvaluatedRecipe {
  expressions: bigint[];
  outputs: bigint[][];
  workspace: bigint;
  tactics: { grid: bigint[]; block: bigint[]; sharedMemory: bigint; args: (bigint | number | string)[] }[][];
}

export interface CompileRequest {
  source: string;
  /** Path or name of the source, for messages. */
  file: string;
  options: readonly string[];
  /** Name expressions. */
  names: readonly string[];
}

/** The part of the addon for plugins. */
export interface PluginBinding {
  /**
   * A recipe in native integers.
   * @param dims sizes by input
   * @param values elements of shape inputs, by input; empty for others
   * @throws ERR_PLUGIN
   */
  evaluateRecipe(recipe: Uint8Array, dims: number[][], values: bigint[][]): EvaluatedRecipe;
  /** Runs the kernels alone, by the driver API. */
  launchRecipe(
    device: number,
    plugin: NativePlugin,
    inputs: { shape: number[]; data: Uint8Array }[],
    tactic: number,
  ): Promise<{ shape: number[]; data: ArrayBuffer }[]>;
  /** Creators of a loaded TensorRT. */
  pluginCreators(library: string): Promise<PluginCreator[]>;
  /** Loads a plugin library into TensorRT's registry; null: libnvinfer_plugin beside it. */
  loadPluginLibrary(library: string, path: string | null): Promise<PluginCreator[]>;
  /** Plugin libraries that any thread loaded into a TensorRT's registry, oldest first; null is libnvinfer_plugin. */
  loadedPlugins(library: string): (string | null)[];
  /** What a plugin says of its outputs; the TensorRT must be loaded. */
  describePlugin(library: string, request: DescribeRequest): PluginOutputs;
  /** `architectures`: what it compiles for, as major × 10 + minor. Rejects with ERR_NVRTC_MISSING. */
  nvrtcVersion(path: string): Promise<{ major: number; minor: number; architectures: number[] }>;
  /** Machine code, or null where the source does not compile: the log says why. `lowered`: names in the machine code. */
  compileKernel(
    nvrtc: string,
    request: CompileRequest,
  ): Promise<{ cubin: ArrayBuffer | null; log: string; lowered: string[] }>;
}

/** What a program is given for its plugin layers; see `NativeProgram`. */
export interface PluginProgram {
  addPlugins(plugins: readonly NativePlugin[]): void;
}

/** The addon, typed for plugins. @throws ERR_ADDON_MISSING */
export const pluginBinding = (): PluginBinding => addon<PluginBinding>();
