import type { Result } from '../../values/result.js';
import { binding, type Handle, type NativeBinding, type NativeOutputs } from '../binding.js';
import { asOurs, callNow, disposed, free } from './call-addon.js';
import type { Context } from './context.js';
import type { DeviceTensor } from './device-tensor.js';
import { type BindOptions, disposeMade, type FixedRun, fixedResults, fixRun, releaseRun } from './fixed.js';

export type { BindOptions } from './fixed.js';

/** Runs over memory that was chosen once. */
export class Binding<R = Record<string, Result | DeviceTensor>> {
  /** The context that runs. */
  readonly context: Context;
  readonly #addon: NativeBinding;
  readonly #run: FixedRun;
  #handle?: Handle;
  /** Undefined where a shape is known only after a run. */
  readonly #results?: R;

  /** @internal */
  constructor(context: Context, handle: Handle, run: FixedRun) {
    this.context = context;
    this.#addon = binding();
    this.#handle = handle;
    this.#run = run;
    const shapes = callNow(() => this.#addon.outputShapes(handle));
    if (shapes.every((shape) => shape.every((size) => size >= 0))) this.#results = fixedResults<R>(run.tensors, shapes);
  }

  /**
   * Runs the engine on the GPU with what the feeds hold. Feeds and outputs are in use until the promise settles. Every run gives the same
   * results, over the same memory, unless shapes depend on elements.
   * @throws ERR_QUEUE_FULL, ERR_RUN, ERR_CUDA, ERR_DISPOSED if the binding, its context or one of its tensors was disposed
   */
  run(): Promise<R> {
    try {
      const handle = this.#alive();
      this.context.queue.requireRoom();
      return this.context.track(this.#run.used, (ticket) => this.#addon.runBound(handle, ticket), this.#settled);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same, but blocks the thread until the outputs are there. @throws what `run` is rejected with */
  runSync(): R {
    const handle = this.#alive();
    let outputs: NativeOutputs | undefined;
    try {
      outputs = this.#addon.runBoundSync(handle);
    } catch (error) {
      throw asOurs(error, this.context.engine.factsOf);
    }
    return this.#settled(outputs);
  }

  readonly #settled = (outputs: NativeOutputs | undefined): R => {
    this.context.afterRun(outputs);
    if (!outputs && this.#results) return this.#results;
    const shapes = (outputs ?? []).map(({ shape }) => shape);
    return fixedResults<R>(this.#run.tensors, shapes);
  };

  #alive(): Handle {
    return this.#handle ?? gone();
  }

  /** Frees it, and the tensors that were made for it, once no run uses them; later calls throw ERR_DISPOSED. */
  dispose(): void {
    if (!this.#handle) return;
    releaseRun(this, this.context, this.#handle, this.#run);
    this.#handle = undefined;
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function gone(): never {
  throw disposed('binding');
}

/** See `Context.bind`. */
export function bindRuns<R>(context: Context, options: BindOptions): Binding<R> {
  const { handle, engine } = context;
  const run = fixRun(context, 'bind', options);
  let bound: Handle | undefined;
  try {
    const made = callNow(() => binding().bind(handle, run.io), engine.factsOf);
    bound = made;
    return new Binding<R>(context, made, run);
  } catch (error) {
    if (bound) free(bound);
    disposeMade(run);
    throw error;
  }
}
