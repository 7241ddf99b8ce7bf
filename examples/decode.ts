// Steps of a decoder on a GPU, whose outputs `next.X` are its inputs X of the step after. Shared by gpt2 and charrnn.
import {
  type Context,
  type CudaGraph,
  type DeviceTensor,
  deviceTensor,
  type Engine,
  type TypedArray,
} from 'node-tensorrt';

type Tensors = Record<string, DeviceTensor>;

/** Elements after so many steps. */
export interface Visit {
  done: number;
  data: TypedArray;
}

/**
 * Two sets of tensors, and two CUDA graphs: one reads the first set and writes the second, the other goes back. Steps are launched ahead
 * of what the host reads, so that the GPU never waits for it.
 */
export class Steps {
  readonly #context: Context;
  readonly #sets: readonly [Tensors, Tensors];
  readonly #graphs: readonly CudaGraph[];
  readonly #ahead: number;

  private constructor(context: Context, sets: readonly [Tensors, Tensors], graphs: CudaGraph[], ahead: number) {
    this.#context = context;
    this.#sets = sets;
    this.#graphs = graphs;
    this.#ahead = ahead;
  }

  /**
   * Makes the tensors, all zeros, and captures the graphs. All shapes of the engine are known.
   * @param ahead steps between two visits of the host
   * @param inPlace inputs that are updated in place: both sets have the same tensor
   */
  static async of(engine: Engine, ahead: number, inPlace: (input: string) => boolean = () => false): Promise<Steps> {
    const set = (others: Tensors): Tensors =>
      Object.fromEntries(
        engine.inputs.map(({ name, dtype, shape }) => {
          if (inPlace(name) && others[name]) return [name, others[name]];
          const count = (shape as number[]).reduce((a, b) => a * b, 1);
          const zeros = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
          return [name, deviceTensor({ dtype, shape }, zeros, { device: engine.device })];
        }),
      );
    const first = set({});
    const second = set(first);
    const context = await engine.createContext();
    const capture = (feeds: Tensors, to: Tensors) => {
      const rest = engine.outputs.map(({ name }) => [name, 'device'] as const);
      return context.capture({ feeds, outputs: { ...Object.fromEntries(rest), ...outputsTo(to) } });
    };
    const graphs = [await capture(first, second), await capture(second, first)];
    return new Steps(context, [first, second], graphs, ahead);
  }

  /** What a run before the first step may read: its input X. */
  get before(): Readonly<Tensors> {
    return this.#sets[1];
  }

  /** Where a run before the first step writes: its output `next.X`. */
  get start(): Readonly<Tensors> {
    return outputsTo(this.#sets[0]);
  }

  /** Makes steps, and gives the elements of an input of the next one: after no step, and after every `ahead`, while later ones run. */
  async *run(count: number, input: string): AsyncGenerator<Visit> {
    let launched = 0;
    const visit = (steps: number): Promise<Visit> => {
      const runs = Array.from({ length: steps }, () => this.#graphs[launched++ % 2]!.launch());
      const done = launched;
      // It has what was launched before this call, and nothing of what is launched after it.
      const elements = this.#sets[launched % 2]![input]!.download();
      const result = Promise.all([elements, ...runs]).then(([{ data }]) => ({ done, data }));
      result.catch(() => {});
      return result;
    };
    let ready: Promise<Visit> | undefined = visit(0);
    let later: Promise<Visit> | undefined;
    try {
      for (; ready; ready = later) {
        const steps = Math.min(this.#ahead, count - launched);
        later = steps > 0 ? visit(steps) : undefined;
        yield await ready;
      }
    } finally {
      await Promise.allSettled([ready, later]);
    }
  }

  dispose(): void {
    this.#context.dispose();
    for (const set of this.#sets) for (const tensor of Object.values(set)) tensor.dispose();
  }
}

const outputsTo = (set: Tensors): Tensors =>
  Object.fromEntries(Object.entries(set).map(([name, tensor]) => [`next.${name}`, tensor]));
