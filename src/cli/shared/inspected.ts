import { readFile } from 'node:fs/promises';
import type { Network } from '../../dsl/network.js';
import { snapshot } from '../../dsl/snapshot.js';
import { TensorRTError } from '../../errors/error.js';
import { loadEngine } from '../../index.js';
import { type Layer, layersOf } from '../../passes/layer.js';
import { describeEngine, type EngineDescription } from '../../tensorrt/describe/describe.js';
import type { EngineFacts } from '../../tensorrt/describe/diff.js';
import type { EngineMetadata } from '../../tensorrt/files/metadata.js';
import { type EngineFile, readEngineFile } from '../../tensorrt/files/read.js';
import type { Engine } from '../../tensorrt/run/engine.js';
import type { EngineIO } from '../../tensorrt/run/engine-io.js';
import type { LayerTime } from '../../tensorrt/run/profile.js';
import { byteLength } from '../../values/dtype.js';
import { shownIO } from '../../values/io-options.js';
import { type Dims, sizesOf } from './dims.js';
import { readInputs } from './inputs.js';
import { loadNetwork } from './model-file.js';
import { isModule } from './side.js';

/** A layer of a recorded network. */
export interface NetworkLayer {
  name: string;
  kind: string;
  outputs: { dtype: string; shape: readonly (number | string)[] }[];
  /** Elements and bytes of its weights. */
  weights: { count: number; bytes: number };
  /** Layers in its bodies. */
  inner: number;
}

/** What `inspect` finds in a file. */
export interface Inspected {
  file: string;
  kind: 'network' | 'engine' | 'information';
  name?: string | undefined;
  library?: { flavor: string; version: string } | undefined;
  size?: number | undefined;
  memorySizes?: readonly number[] | undefined;
  weightStreaming?: Engine['weightStreaming'];
  inputs?: readonly EngineIO[] | undefined;
  outputs?: readonly EngineIO[] | undefined;
  profiles?: Engine['profiles'];
  /** Of an engine's file. */
  format?: EngineFile['format'] | undefined;
  plan?: EngineFile['plan'] | undefined;
  metadata?: EngineMetadata | undefined;
  /** Why there is no description. */
  unread?: string | undefined;
  description?: EngineDescription | undefined;
  times?: readonly LayerTime[] | undefined;
  layers?: readonly NetworkLayer[] | undefined;
}

export interface InspectOptions {
  set?: Record<string, string> | undefined;
  library?: string | undefined;
  device?: number | undefined;
  /** Measure the time of every layer. */
  times?: boolean | undefined;
  input?: string[] | undefined;
  dims?: Dims | undefined;
}

/** Reads a network's module, an engine, or a saved description of one. */
export async function inspectFile(file: string, options: InspectOptions): Promise<Inspected> {
  if (isModule(file)) return inspectNetwork(file, await loadNetwork(file, options.set));
  if (file.endsWith('.json')) return await inspectInformation(file);
  return await inspectEngine(file, options);
}

export const factsOf = ({ description, size, memorySizes, times }: Inspected): EngineFacts | undefined =>
  description && { description, size, memorySizes, times };

async function inspectInformation(file: string): Promise<Inspected> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new TensorRTError('ERR_LOAD', `could not read ${file}: ${cause.message}`, { cause });
  });
  return { file, kind: 'information', description: describeEngine(text) };
}

/** Where an engine cannot be loaded here, what its file says is shown. */
async function inspectEngine(file: string, options: InspectOptions): Promise<Inspected> {
  const { format, metadata, plan } = await readEngineFile(file);
  const inFile = { file, kind: 'engine', format, plan, size: plan.bytes, ...(metadata && { metadata }) } as const;
  try {
    return { ...inFile, ...(await inspectLoaded(file, options)) };
  } catch (error) {
    if (!(error instanceof TensorRTError) || !metadata || options.times) throw error;
    const { library, inputs, outputs, options: held } = metadata;
    const profiles = held?.profiles;
    return {
      ...inFile,
      library,
      inputs,
      outputs,
      ...(profiles && { profiles }),
      unread: error.message.split('\n')[0]!,
    };
  }
}

async function inspectLoaded(file: string, options: InspectOptions): Promise<Inspected> {
  using engine = await loadEngine(file, { library: options.library, device: options.device });
  const { library, size, memorySizes, weightStreaming, inputs, outputs, profiles } = engine;
  const description = describeEngine(await engine.inspect());
  const times = options.times ? await timesOf(engine, options) : undefined;
  return {
    file,
    kind: 'engine',
    library,
    size,
    memorySizes,
    ...(weightStreaming && { weightStreaming }),
    inputs,
    outputs,
    profiles,
    description,
    ...(times && { times }),
  };
}

async function timesOf(engine: Engine, { input = [], dims }: InspectOptions): Promise<readonly LayerTime[]> {
  const feeds = await readInputs(input, engine.inputs, { ...tunedSizes(engine), ...sizesOf(dims) });
  using context = await engine.createContext();
  return (await context.profile(feeds)).layers;
}

/** The sizes that the first profile was tuned for, by the names that dims have. */
function tunedSizes({ inputs, profiles }: Engine): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { name, shape, values } of inputs) {
    const opt = values ? undefined : profiles?.[0]?.[name]?.opt;
    for (const [axis, dim] of shape.entries()) if (typeof dim === 'string' && opt) sizes[dim] ??= opt[axis]!;
  }
  return sizes;
}

function inspectNetwork(file: string, network: Network): Inspected {
  const { name, inputs, outputs } = snapshot(network);
  return {
    file,
    kind: 'network',
    name,
    inputs: inputs.map(shownIO),
    outputs: outputs.map(shownIO),
    layers: layersOf(network).map(describeLayer),
  };
}

function describeLayer(layer: Layer): NetworkLayer {
  const all = [layer, ...innerOf(layer)];
  const weights = all.flatMap((one) => Object.values(one.weights));
  const counts = weights.map(({ dtype, shape }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { count, bytes: byteLength(dtype as never, count) };
  });
  return {
    name: layer.name,
    kind: layer.kind,
    outputs: layer.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
    weights: {
      count: counts.reduce((sum, { count }) => sum + count, 0),
      bytes: counts.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    inner: all.length - 1,
  };
}

const innerOf = (layer: Layer): Layer[] =>
  Object.values(layer.bodies).flatMap((body) => body.flatMap((one) => [one, ...innerOf(one)]));
