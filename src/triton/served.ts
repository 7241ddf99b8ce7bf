import { TensorRTError } from '../errors/error.js';
import type { Flavor, HeldOptions } from '../tensorrt/binding.js';
import type { EngineMetadata, EnginePlugin } from '../tensorrt/files/metadata.js';
import type { Engine } from '../tensorrt/run/engine.js';
import type { Dim, Shape } from '../values/dim.js';
import type { DType } from '../values/dtype.js';

/** An input or output of an engine that is to be served. */
export interface ServedTensor {
  name: string;
  dtype: DType;
  /** Numbers, and names or expressions for dynamic dims. */
  shape: Shape;
  /** Whether TensorRT computes shapes from its elements. */
  isShapeTensor: boolean;
}

/** Shapes of an input, or its elements if shapes are computed from them. */
export interface ServedRange {
  min: readonly number[];
  opt: readonly number[];
  max: readonly number[];
}

/** What a repository says of an engine. */
export interface ServedEngine {
  library: { flavor: Flavor; version: string };
  inputs: readonly ServedTensor[];
  outputs: readonly ServedTensor[];
  /** By profile and input. An engine without dynamic dims may have none. */
  profiles: readonly Readonly<Record<string, ServedRange>>[];
  /** Whether the names of dims are the network's, so that one name is one size. */
  hasNames: boolean;
  options?: Pick<HeldOptions, 'stripPlan' | 'versionCompatible'> | undefined;
  /** Undefined where they are not known. */
  plugins?: readonly EnginePlugin[] | undefined;
}

export const refuseTriton = (said: string): never => {
  throw new TensorRTError('ERR_TRITON', `triton: ${said}`);
};

/** What an engine that was built or loaded knows of itself. */
export function servedEngine(engine: Engine): ServedEngine {
  const { library, metadata, options = metadata?.options } = engine;
  const profiles = engine.profiles ?? [];
  const isDynamic = (dim: Dim) => typeof dim === 'string';
  if (engine.inputs.some(({ shape }) => shape.some(isDynamic)) && profiles.length === 0) {
    refuseTriton('expected an engine whose profiles are known: load it, which needs a GPU, or save it with metadata');
  }
  const given = (io: Engine['inputs']) =>
    io.map(({ name, dtype, shape, values }) => ({ name, dtype, shape, isShapeTensor: values !== undefined }));
  return {
    library,
    inputs: given(engine.inputs),
    outputs: given(engine.outputs),
    profiles,
    hasNames: options !== undefined,
    ...(options && { options }),
    ...(metadata?.plugins && { plugins: metadata.plugins }),
  };
}

/** What the metadata of a file says of the engine in it; undefined if that is not enough. */
export function servedFile({ library, inputs, outputs, options, plugins }: EngineMetadata): ServedEngine | undefined {
  if (!library || !inputs || !outputs || !options) return undefined;
  const { profiles = [] } = options;
  const isFixed = ({ shape }: { shape: Shape }) => shape.every((dim) => typeof dim === 'number');
  if (profiles.length === 0 && !inputs.every(isFixed)) return undefined;
  return {
    library,
    // Only where shapes are computed from its elements does an input of a fixed shape have ranges.
    inputs: inputs.map((one) => ({
      ...one,
      isShapeTensor: isFixed(one) && profiles.some((profile) => Object.hasOwn(profile, one.name)),
    })),
    outputs: outputs.map((one) => ({ ...one, isShapeTensor: false })),
    profiles,
    hasNames: true,
    options,
    ...(plugins && { plugins }),
  };
}
