import { TensorRTError } from '../../errors/error.js';
import type { Result } from '../../values/result.js';
import { binding, type Handle, type NativeBinding } from '../binding.js';
import { asOurs, disposed, free } from './call-addon.js';
import type { Context } from './context.js';
import type { DeviceTensor } from './device-tensor.js';
import { type BindOptions, disposeMade, type FixedRun, fixedResults, fixRun, releaseRun } from './fixed.js';

/** A run that was captured: the GPU's driver launches all of it at once. */
export class CudaGraph<R = Record<string, Result | DeviceTensor>> {
  /** The context that it was captured from. */
  readonly context: Context;
  readonly #addon: NativeBinding;
  readonly #run: FixedRun;
  readonly #results: R;
  readonly #launched = (): R => this.#results;
  #handle?: Handle;

  /** @internal */
  constructor(context: Context, handle: Handle, run: FixedRun, shapes: readonly (readonly number[])[]) {
    this.context = context;
    this.#addon = binding();
    this.#handle = handle;
    this.#run = run;
    this.#results = fixedResults<R>(run.tensors, shapes);
  }

  /**
   * Runs it on the GPU with what the feeds hold. Feeds and outputs are in use until the promise settles. Every launch gives the same
   * results, over the same memory.
   * @throws ERR_QUEUE_FULL, ERR_CUDA, ERR_DISPOSED if the graph, its context or one of its tensors was disposed
   */
  launch(): Promise<R> {
    try {
      const handle = this.#handle ?? gone();
      this.context.queue.requireRoom();
      return this.context.track(this.#run.used, (ticket) => this.#addon.launch(handle, ticket), this.#launched);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same, but blocks the thread until the outputs are there. @throws what `launch` is rejected with */
  launchSync(): R {
    const handle = this.#handle ?? gone();
    try {
      this.#addon.launchSync(handle);
    } catch (error) {
      throw asOurs(error, this.context.engine.factsOf);
    }
    return this.#results;
  }

  /** Frees it, and the tensors that were made for it, once no launch uses them; later calls throw ERR_DISPOSED. */
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
  throw disposed('graph');
}

/** See `Context.capture`. */
export async function captureRuns<R>(context: Context, options: BindOptions): Promise<CudaGraph<R>> {
  const { handle, engine } = context;
  context.queue.requireRoom();
  const run = fixRun(context, 'capture', options);
  try {
    const bound = binding().bind(handle, run.io);
    const shapes = binding().outputShapes(bound);
    free(bound);
    const open = shapes.findIndex((shape) => shape.some((size) => size < 0));
    if (open >= 0) {
      const said = `the shape of output '${run.tensors[open]!.name}' depends on elements, which a graph does not see`;
      throw new TensorRTError('ERR_CAPTURE', `the network cannot be captured: ${said}`);
    }
    return await context.track(
      run.used,
      () => binding().capture(handle, run.io),
      (graph) => new CudaGraph<R>(context, graph, run, shapes),
    );
  } catch (error) {
    disposeMade(run);
    throw asOurs(error, engine.factsOf);
  }
}
