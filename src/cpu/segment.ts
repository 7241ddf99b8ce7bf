import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { IRNamed, ValueId } from '../dsl/ir.js';
import { factsOfLayers } from '../dsl/named-layers.js';
import { checkMapped, type Snapshot } from '../dsl/snapshot.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { type HalfArray, type TypedArray, withoutHalves } from '../values/dtype.js';
import { cpuTypes } from './graph.js';
import type { Held } from './held.js';
import { type CpuProgram, inputName, outputName } from './lower.js';
import type { OnnxType } from './onnx.js';
import type { Runtime } from './runtime.js';

/** Layers that run in one session of onnxruntime: a whole network, or what lies between its plugins. */
export class Segment {
  readonly #part: Snapshot;
  readonly #program: Pick<CpuProgram, 'requirements' | 'layerOf' | 'guards'>;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #fed: Readonly<Record<string, OrtTensor>>;
  readonly #outputs: readonly IRNamed[];

  private constructor(part: Snapshot, program: CpuProgram, runtime: Runtime, session: InferenceSession) {
    this.#part = part;
    const { requirements, layerOf, guards, fed } = program;
    this.#program = { requirements, layerOf, guards };
    this.#runtime = runtime;
    this.#session = session;
    this.#fed = Object.fromEntries(
      fed.map(({ name, type, shape, data }) => [name, toRuntime(runtime, type, shape, data)]),
    );
    this.#outputs = part.outputs.filter(({ id }, i, all) => all.findIndex((other) => other.id === id) === i);
  }

  /** @throws ERR_CPU_BACKEND if onnxruntime refuses it; ERR_DISPOSED, ERR_WEIGHTS_CHANGED */
  static async open(part: Snapshot, program: CpuProgram, runtime: Runtime): Promise<Segment> {
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
        checkMapped(part);
        throw backendError(part.name, 'refused the network', cause, program);
      }),
    );
    return new Segment(part, program, runtime, session);
  }

  /**
   * Computes its outputs from `values`, and adds them there.
   * @throws ERR_CPU_BACKEND if onnxruntime fails, ERR_ASSERTION
   */
  async run(values: Map<ValueId, Held>): Promise<void> {
    const feeds = { ...this.#fed };
    for (const { id, name, dtype } of this.#part.inputs) {
      const { shape, data } = values.get(id)!;
      feeds[inputName(name)] = toRuntime(this.#runtime, cpuTypes[dtype], shape, data);
    }
    try {
      const fetched = await this.#session.run(feeds);
      this.#checkRequirements(fetched);
      for (const { id, name, dtype } of this.#outputs) {
        const { dims, data } = fetched[outputName(name)]!;
        values.set(id, { dtype, shape: dims, data: withoutHalves(data as TypedArray | HalfArray) });
      }
    } catch (cause) {
      if (cause instanceof TensorRTError) throw cause;
      throw backendError(this.#part.name, 'failed', cause, this.#program);
    }
  }

  release(): void {
    void this.#session.release();
  }

  #checkRequirements(fetched: InferenceSession.ReturnType): void {
    for (const { output, message, layer } of this.#program.requirements) {
      const { data } = fetched[output] as OrtTensor;
      if ((data as Uint8Array).every((value) => value !== 0)) continue;
      throw new TensorRTError(
        'ERR_ASSERTION',
        `network '${this.#part.name}': assertion '${layer.name}' failed: ${message}`,
        { layer: layer.name, kind: layer.kind, source: locate(layer.callSite) },
      );
    }
  }
}

/** onnxruntime reads inherited properties, too, also of lists: a script may have added some to Object.prototype. */
const own = <T extends object>(entries: T): T => Object.assign(Object.create(null), entries);

function toRuntime(runtime: Runtime, type: OnnxType, shape: readonly number[], data: TypedArray): OrtTensor {
  const tensor = new runtime.Tensor(type as 'float32', data as Float32Array, shape);
  // From Node 24 on the constructor makes a Float16Array of the bits, of which the runtime's addon reads nothing.
  const bits: Pick<OrtTensor, 'type' | 'dims' | 'location' | 'data'> = {
    type: type as 'float32',
    dims: shape,
    location: 'cpu',
    data: data as Float32Array,
  };
  return tensor.data === data ? tensor : (bits as OrtTensor);
}

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
