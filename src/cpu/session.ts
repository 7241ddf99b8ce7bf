import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { factsOfLayers } from '../dsl/named-layers.js';
import type { Network } from '../dsl/network.js';
import { checkMapped, type Snapshot, snapshot } from '../dsl/snapshot.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { dimNames, evaluateDim, isUnknown } from '../values/dim.js';
import type { DType, TypedArray } from '../values/dtype.js';
import { encodeElements } from '../values/elements.js';
import { type Feeds, ownFeed, type ResolvedFeed, resolveFeeds } from '../values/feeds.js';
import { Result } from '../values/result.js';
import type { ValueType } from '../values/spec.js';
import { asCpuElements, cpuTypes } from './graph.js';
import { type CpuProgram, inputName, lower, outputName } from './lower.js';
import { loadOnnxruntime, type Runtime } from './runtime.js';

interface NamedType extends ValueType {
  name: string;
}

/** A network that runs on the CPU through onnxruntime. */
export interface CpuModel {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  /**
   * Runs the network; `resolveFeeds` documents the feeds. onnxruntime computes on its own threads, but blocks the calling
   * thread.
   * @returns results by output name
   * @throws ERR_FEED for bad feeds, ERR_CPU_BACKEND if onnxruntime fails, ERR_ASSERTION, ERR_DISPOSED
   */
  run(feeds: Feeds): Promise<Record<string, Result>>;
  /** Frees the model once its current runs have ended. */
  dispose(): void;
  [Symbol.dispose](): void;
}

async function loadRuntime(): Promise<Runtime> {
  try {
    return await loadOnnxruntime();
  } catch (cause) {
    throw new TensorRTError(
      'ERR_CPU_BACKEND',
      `The CPU backend needs the package onnxruntime-node, which could not be loaded (${firstLine(cause)}); install it with: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (this skips its CUDA parts, which are not used)`,
      { cause },
    );
  }
}

/**
 * Prepares a network to run on the CPU.
 * @throws ERR_CPU_BACKEND if onnxruntime-node is missing or refuses the network; ERR_NO_OUTPUT; ERR_DISPOSED if a weight
 *   file was closed
 */
export const createCpuModel = async (network: Network): Promise<CpuModel> => createModelOf(snapshot(network));

/** `createCpuModel` for a snapshot. */
export async function createModelOf(network: Snapshot): Promise<CpuModel> {
  const program = lower(network);
  const runtime = await loadRuntime();
  const open = (graphOptimizationLevel: 'all' | 'disabled') =>
    runtime.InferenceSession.create(program.model, {
      executionProviders: ['cpu'],
      externalData: Object.setPrototypeOf([...program.files], null),
      graphOptimizationLevel,
      logSeverityLevel: 4,
      // Integer kernels for quantized layers round differently from TensorRT, and saturate on some CPUs.
      extra: own({ session: own({ disable_quant_qdq: '1' }) }),
    });
  const session = await open('all').catch((cause: unknown) =>
    // onnxruntime's own optimizations break some graphs: a Pad fused into a pool with a smaller window, an If whose
    // condition is known.
    open('disabled').catch(() => {
      checkMapped(network);
      throw backendError(network.name, 'refused the network', cause, program);
    }),
  );
  // It has read them all, and keeps copies.
  checkMapped(network);
  return new SessionModel(network, program, runtime, session);
}

/** onnxruntime reads inherited properties, too, also of lists: a script may have added some to Object.prototype. */
const own = <T extends object>(entries: T): T => Object.assign(Object.create(null), entries);

class SessionModel implements CpuModel {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  readonly #name: string;
  readonly #program: Pick<CpuProgram, 'layerOf' | 'guards'>;
  readonly #requirements: CpuProgram['requirements'];
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #fed: Readonly<Record<string, OrtTensor>>;
  #running = 0;
  #disposed = false;

  constructor(network: Snapshot, program: CpuProgram, runtime: Runtime, session: InferenceSession) {
    this.inputs = network.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    this.outputs = network.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    this.#name = network.name;
    this.#program = { layerOf: program.layerOf, guards: program.guards };
    this.#requirements = program.requirements;
    this.#runtime = runtime;
    this.#session = session;
    this.#fed = Object.fromEntries(
      program.fed.map(({ name, type, shape, data }) => [
        name,
        new runtime.Tensor(type as 'float32', data as Float32Array, shape),
      ]),
    );
  }

  async run(given: Feeds): Promise<Record<string, Result>> {
    if (this.#disposed) throw new TensorRTError('ERR_DISPOSED', `network '${this.#name}': the model was disposed`);
    const { feeds, sizes } = resolveFeeds(this.inputs, given);
    const tensors = Object.fromEntries(feeds.map((feed) => [inputName(feed.name), this.#toRuntime(feed)]));
    this.#running++;
    try {
      const fetched = await this.#session.run({ ...tensors, ...this.#fed });
      this.#checkRequirements(fetched);
      return this.#results(fetched, sizes);
    } catch (cause) {
      if (cause instanceof TensorRTError) throw cause;
      throw backendError(this.#name, 'failed', cause, this.#program);
    } finally {
      this.#running--;
      this.#releaseIfIdle();
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#releaseIfIdle();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #releaseIfIdle(): void {
    if (this.#disposed && this.#running === 0) void this.#session.release();
  }

  /** The runtime reads the elements in a later turn, so they are copied unless they were converted. */
  #toRuntime(feed: ResolvedFeed): OrtTensor {
    const { dtype, shape } = feed;
    const { data } = dtype === cpuTypes[dtype] ? ownFeed(feed) : feed;
    const count = shape.reduce((a, b) => a * b, 1);
    const type = cpuTypes[dtype] as 'float32';
    const elements = asCpuElements(dtype, data, count) as Float32Array;
    const tensor = new this.#runtime.Tensor(type, elements, shape);
    // From Node 24 on the constructor makes a Float16Array of the bits, of which the runtime's addon reads nothing.
    const bits: Pick<OrtTensor, 'type' | 'dims' | 'location' | 'data'> = {
      type,
      dims: shape,
      location: 'cpu',
      data: elements,
    };
    return tensor.data === elements ? tensor : (bits as OrtTensor);
  }

  #checkRequirements(fetched: InferenceSession.ReturnType): void {
    for (const { output, message, layer } of this.#requirements) {
      const { data } = fetched[output] as OrtTensor;
      if ((data as Uint8Array).every((value) => value !== 0)) continue;
      throw new TensorRTError(
        'ERR_ASSERTION',
        `network '${this.#name}': assertion '${layer.name}' failed: ${message}`,
        {
          layer: layer.name,
          kind: layer.kind,
          source: locate(layer.callSite),
        },
      );
    }
  }

  #results(fetched: InferenceSession.ReturnType, given: Readonly<Record<string, number>>): Record<string, Result> {
    const sizes = { ...given };
    const results = this.outputs.map((output) => {
      const { dims, data } = fetched[outputName(output.name)] as OrtTensor;
      checkShape(this.#name, output, dims, sizes);
      return [output.name, new Result(output.dtype, dims, fromRuntime(output.dtype, data as TypedArray))] as const;
    });
    return Object.fromEntries(results);
  }
}

/** Checks an inferred shape against the actual one. */
function checkShape(
  network: string,
  { name, shape }: NamedType,
  dims: readonly number[],
  sizes: Record<string, number>,
) {
  for (const [i, dim] of shape.entries()) {
    if (typeof dim === 'string' && isUnknown(dim) && dimNames(dim)[0] === dim) sizes[dim] ??= dims[i]!;
  }
  const expected = shape.map((dim) => evaluateDim(dim, sizes));
  if (dims.length === shape.length && expected.every((size, i) => size === undefined || size === dims[i])) return;
  throw new TensorRTError(
    'ERR_INTERNAL',
    `network '${network}': output '${name}' was inferred as [${shape.join(', ')}] = [${expected.map((e) => e ?? '?').join(', ')}], but the CPU backend returned [${dims.join(', ')}]`,
    { expected, actual: dims },
  );
}

function fromRuntime(dtype: DType, data: TypedArray): TypedArray {
  if (dtype === 'bfloat16') {
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    return Uint16Array.from(bits, (b) => b >>> 16);
  }
  if (dtype === 'float16') return new Uint16Array(data.buffer, data.byteOffset, data.length);
  return dtype === cpuTypes[dtype] ? data : encodeElements(dtype, data);
}

const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0]!;

/** onnxruntime names the failing nodes in one of these ways, the innermost last. */
const nodeNames = /(?:Name:'|node with name '|[Nn]ode ?\()([^'()]+)['()]/g;

function backendError(
  network: string,
  what: string,
  cause: unknown,
  program: Pick<CpuProgram, 'layerOf' | 'guards'>,
): TensorRTError {
  const message = String((cause as Error)?.message ?? cause).trim();
  const names = [...message.matchAll(nodeNames)].map((found) => found[1]!);
  const node = names.map((name) => program.layerOf(name)).findLast((layer) => layer);
  const guard = names.map((name) => program.guards.get(name)).findLast((text) => text);
  const why = guard ? `${node!.kind} '${node!.name}': ${guard}` : `onnxruntime ${what}: ${message}`;
  return new TensorRTError('ERR_CPU_BACKEND', `network '${network}': ${why}`, {
    cause,
    ...factsOfLayers(node ? [node] : []),
  });
}
