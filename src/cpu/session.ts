import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Network } from '../dsl/network.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { dimNames, evaluateDim, isUnknown } from '../values/dim.js';
import type { DType, TypedArray } from '../values/dtype.js';
import { encodeElements } from '../values/elements.js';
import { type Feeds, type ResolvedFeed, resolveFeeds } from '../values/feeds.js';
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
export async function createCpuModel(network: Network): Promise<CpuModel> {
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
      throw backendError(network.name, 'refused the network', cause, program);
    }),
  );
  return new SessionModel(network, program, runtime, session);
}

/** onnxruntime reads inherited properties, too, also of lists: a script may have added some to Object.prototype. */
const own = <T extends object>(entries: T): T => Object.assign(Object.create(null), entries);

class SessionModel implements CpuModel {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  readonly #name: string;
  readonly #layerOf: CpuProgram['layerOf'];
  readonly #requirements: CpuProgram['requirements'];
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  #running = 0;
  #disposed = false;

  constructor(network: Network, program: CpuProgram, runtime: Runtime, session: InferenceSession) {
    this.inputs = network.graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    this.outputs = network.outputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }));
    this.#name = network.name;
    this.#layerOf = program.layerOf;
    this.#requirements = program.requirements;
    this.#runtime = runtime;
    this.#session = session;
  }

  async run(given: Feeds): Promise<Record<string, Result>> {
    if (this.#disposed) throw new TensorRTError('ERR_DISPOSED', `network '${this.#name}': the model was disposed`);
    const { feeds, sizes } = resolveFeeds(this.inputs, given);
    const tensors = Object.fromEntries(feeds.map((feed) => [inputName(feed.name), this.#toRuntime(feed)]));
    this.#running++;
    try {
      const fetched = await this.#session.run(tensors);
      this.#checkRequirements(fetched);
      return this.#results(fetched, sizes);
    } catch (cause) {
      if (cause instanceof TensorRTError) throw cause;
      throw backendError(this.#name, 'failed', cause, { layerOf: this.#layerOf });
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

  #toRuntime({ dtype, shape, data }: ResolvedFeed): OrtTensor {
    const count = shape.reduce((a, b) => a * b, 1);
    return new this.#runtime.Tensor(
      cpuTypes[dtype] as 'float32',
      asCpuElements(dtype, data, count) as Float32Array,
      shape,
    );
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
  program: Pick<CpuProgram, 'layerOf'>,
): TensorRTError {
  const message = String((cause as Error)?.message ?? cause).trim();
  const node = [...message.matchAll(nodeNames)].map((found) => program.layerOf(found[1]!)).findLast((layer) => layer);
  return new TensorRTError('ERR_CPU_BACKEND', `network '${network}': onnxruntime ${what}: ${message}`, {
    cause,
    ...(node && { layer: node.name, kind: node.kind, source: locate(node.callSite) }),
  });
}
