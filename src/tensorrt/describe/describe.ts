import { readArguments } from '../../errors/boundary.js';
import type { DType } from '../../values/dtype.js';
import { type Fusion, fusionOf, withoutProfile } from './names.js';
import { dimsOf, dtypeIn, isObject, type Json, numberOf, refuseInformation, textOf } from './read.js';

/** A tensor of an engine, as TensorRT's inspector describes it. What it does not say is absent. */
export interface TensorDescription {
  /** TensorRT's name. */
  name: string;
  /** Its dtype. */
  dtype?: DType | undefined;
  /** −1 where dynamic. */
  shape?: readonly number[] | undefined;
  /** The layout in memory, in TensorRT's words. */
  format?: string | undefined;
  /** `Device` or `Host`. */
  location?: string | undefined;
}

/** Shapes that an input may have in an optimization profile. */
export interface ProfileDescription {
  /** The smallest sizes. */
  min: readonly number[];
  /** The sizes that TensorRT tuned for. */
  opt: readonly number[];
  /** The largest sizes. */
  max: readonly number[];
  /** The layout in memory, in TensorRT's words. */
  format?: string | undefined;
}

/** An input or output. TensorRT 10 says its name only. */
export interface IODescription extends TensorDescription {
  /** Whether it is an input or an output. */
  mode?: 'input' | 'output' | undefined;
  /** Whether TensorRT computes shapes from its elements. */
  isShapeTensor?: boolean | undefined;
  /** By profile. */
  profiles?: readonly ProfileDescription[] | undefined;
}

/** A layer of an engine. Engines built without `profilingVerbosity: 'detailed'` have names alone. */
export interface LayerDescription extends Fusion {
  /** TensorRT's name, without the number of the profile. */
  name: string;
  /** Optimization profile it belongs to, from 0. */
  profile: number;
  /** TensorRT's type, such as `CaskConvolution` or `kgen`. */
  type?: string | undefined;
  /** The kernel. */
  kernel?: string | undefined;
  /** The number of the tactic, as TensorRT writes it. */
  tactic?: string | undefined;
  /** The dtype that it computes in: the coarsest float of its inputs, or int8 or int4 where these are. */
  precision?: DType | undefined;
  /** Number of the stream it runs on. */
  stream?: number | undefined;
  /** Tensors that it reads. */
  inputs: readonly TensorDescription[];
  /** Tensors that it writes. */
  outputs: readonly TensorDescription[];
  /** Elements of its weights by role. */
  weights: Readonly<Record<string, { dtype?: DType | undefined; count: number }>>;
  /** All else that TensorRT says, unchanged. */
  parameters: Readonly<Record<string, unknown>>;
}

/** An engine, as TensorRT's inspector describes it. */
export interface EngineDescription {
  /** `names`: layers have names alone. */
  verbosity: 'none' | 'names' | 'detailed';
  /** Inputs and outputs of the engine. */
  io: readonly IODescription[];
  /** In the order of execution. */
  layers: readonly LayerDescription[];
}

/**
 * Reads what TensorRT's inspector says of an engine, in the form of 10 (`Bindings`) or of 11 (`I/O Tensors`): what
 * `engine.inspect()` returns, or a file of `trtexec --exportLayerInfo`, as text or parsed.
 * Sources of both forms: NVIDIA's pages "Engine Inspector" (10.16) and "Migrating IEngineInspector Usage from TensorRT 10.x to 11.x".
 * @throws ERR_ENGINE_INFORMATION if it is neither
 */
export function describeEngine(information: unknown): EngineDescription {
  return readArguments('describeEngine', [information], () => describe(information), 'ERR_ENGINE_INFORMATION');
}

function describe(information: unknown): EngineDescription {
  const parsed = typeof information === 'string' ? parse(information) : information;
  if (!isObject(parsed) || !Array.isArray(parsed.Layers)) refuseInformation("expected an object with 'Layers'", parsed);
  const layers = parsed.Layers.map((layer: unknown, i: number) => describeLayer(layer, i));
  const isDetailed = parsed.Layers.some((layer: unknown) => isObject(layer));
  return {
    verbosity: isDetailed ? 'detailed' : layers.length > 0 ? 'names' : 'none',
    io: describeIO(parsed),
    layers,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuseInformation('expected JSON', text, cause);
  }
}

/** 10 lists names, once per profile. */
function describeIO(information: Json): IODescription[] {
  const listed = information['I/O Tensors'] ?? information.Bindings ?? [];
  if (!Array.isArray(listed)) refuseInformation("expected a list of 'I/O Tensors' or 'Bindings'", listed);
  const found = listed.flatMap((one: unknown): IODescription[] => {
    if (typeof one === 'string') return withoutProfile(one).profile === 0 ? [{ name: one }] : [];
    if (!isObject(one) || textOf(one.Name) === undefined) refuseInformation('expected tensors with a Name', one);
    const mode = textOf(one.IOMode)?.toLowerCase();
    const profiles = Array.isArray(one.ProfileInfo) ? one.ProfileInfo.filter(isObject).flatMap(describeProfile) : [];
    const isShape = one.IsShapeInferenceIO;
    return [
      {
        ...describeTensor(one),
        ...((mode === 'input' || mode === 'output') && { mode }),
        ...(typeof isShape === 'boolean' && { isShapeTensor: isShape }),
        ...(profiles.length > 0 && { profiles }),
      },
    ];
  });
  return found;
}

function describeProfile({ MinShape, OptShape, MaxShape, Format }: Json): ProfileDescription[] {
  const [min, opt, max] = [dimsOf(MinShape), dimsOf(OptShape), dimsOf(MaxShape)];
  const format = textOf(Format);
  return min && opt && max ? [{ min, opt, max, ...(format !== undefined && { format }) }] : [];
}

/** 10 has both in `Format/Datatype`, 11 in two fields. */
function describeTensor(given: unknown): TensorDescription {
  if (typeof given === 'string') return { name: given };
  if (!isObject(given)) refuseInformation('expected tensors with a Name', given);
  const { Name, Location, Dimensions, Format, Datatype, DataType } = given;
  // With dynamic shapes 10 says `N/A due to dynamic shapes`.
  const said = textOf(Format) ?? textOf(given['Format/Datatype']);
  const format = said?.startsWith('N/A') ? undefined : said;
  const dtype = dtypeIn(textOf(DataType) ?? textOf(Datatype) ?? format);
  const shape = dimsOf(Dimensions);
  const location = textOf(Location);
  return {
    name: textOf(Name) ?? '',
    ...(dtype && { dtype }),
    ...(shape && { shape }),
    ...(format !== undefined && { format }),
    ...(location !== undefined && { location }),
  };
}

const known = new Set(['Name', 'LayerType', 'Inputs', 'Outputs', 'TacticName', 'TacticValue', 'StreamId', 'Metadata']);

function describeLayer(given: unknown, index: number): LayerDescription {
  if (typeof given === 'string') {
    return { ...withoutProfile(given), ...fusionOf(given), inputs: [], outputs: [], weights: {}, parameters: {} };
  }
  if (!isObject(given)) refuseInformation(`expected layer ${index} to be a name or an object`, given);
  const name = textOf(given.Name) ?? `layer ${index}`;
  const [inputs, outputs] = [given.Inputs, given.Outputs].map((list) =>
    Array.isArray(list) ? list.map(describeTensor) : [],
  );
  const others = Object.entries(given).filter(([key]) => !known.has(key));
  const weights = others.flatMap(([role, value]) => {
    const count = isObject(value) ? numberOf(value.Count) : undefined;
    return count === undefined ? [] : [[role, { dtype: dtypeIn(textOf((value as Json).Type)), count }] as const];
  });
  const precision = precisionOf(inputs!.length > 0 ? inputs! : outputs!);
  return {
    ...withoutProfile(name),
    ...fusionOf(name, textOf(given.Metadata)),
    type: textOf(given.LayerType) ?? textOf(given.ParameterType),
    kernel: textOf(given.TacticName),
    tactic: textOf(given.TacticValue),
    ...(precision && { precision }),
    stream: numberOf(given.StreamId),
    inputs: inputs!,
    outputs: outputs!,
    weights: Object.fromEntries(weights),
    parameters: Object.fromEntries(others.filter(([role]) => !weights.some(([one]) => one === role))),
  };
}

/** From coarse to fine. */
const precisions: readonly DType[] = ['float4e2m1', 'int4', 'float8e4m3', 'int8', 'bfloat16', 'float16', 'float32'];

const precisionOf = (tensors: readonly TensorDescription[]): DType | undefined =>
  precisions.find((dtype) => tensors.some((tensor) => tensor.dtype === dtype)) ??
  tensors.find(({ dtype }) => dtype)?.dtype;
