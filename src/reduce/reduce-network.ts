import type { Network } from '../dsl/network.js';
import { show, TensorRTError } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { requireNetwork } from '../passes/refuse.js';
import { copy } from '../passes/rewrite.js';
import { type Change, changed, countLayers, isSmaller, sizeOf } from './candidate.js';
import { steps } from './steps.js';

/** How far a reduction is. */
export interface ReduceProgress {
  /** What is tried: `ends earlier`, `leaves out layers`, … */
  step: string;
  /** Networks that were checked. */
  tried: number;
  /** Layers of the smallest network so far that fails. */
  layers: number;
}

/** Options of `reduceNetwork`. */
export interface ReduceOptions {
  /** Most networks that are checked. Default 1000. */
  limit?: number | undefined;
  /** Milliseconds after which no other network is checked. A check that is under way is waited for. Default: no limit. */
  timeout?: number | undefined;
  /** Ends the reduction: the smallest network so far is the result. */
  signal?: AbortSignal | undefined;
  /** Called after each check. */
  onProgress?: ((progress: ReduceProgress) => void) | undefined;
  /** Called with each network that is smaller than all before it and fails. */
  onSmaller?: ((net: Network) => void | Promise<void>) | undefined;
}

/** What `reduceNetwork` found. */
export interface Reduction {
  /** The smallest network that was found to fail. */
  network: Network;
  /** Networks that were checked. */
  tried: number;
  /** Layers before and after, those inside loops and conditionals included. */
  layers: readonly [before: number, after: number];
  /** Whether there was nothing left to try; false after `limit`, `timeout` or `signal`. */
  complete: boolean;
}

const method = 'reduceNetwork';

/** Ends the search. */
class Enough extends Error {}

function checkGiven({ limit, timeout, signal, onProgress, onSmaller }: ReduceOptions): void {
  for (const [option, value] of Object.entries({ limit, timeout })) {
    if (value !== undefined && !(typeof value === 'number' && value >= 0))
      refuse(method, 'ERR_PARAMETER', `expected a number from 0, given ${show(value)}`, { option });
  }
  for (const [option, value] of Object.entries({ onProgress, onSmaller })) {
    if (value !== undefined && typeof value !== 'function')
      refuse(method, 'ERR_PARAMETER', `expected a function, given ${show(value)}`, { option });
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    refuse(method, 'ERR_PARAMETER', `expected an AbortSignal, given ${show(signal)}`, { option: 'signal' });
}

/**
 * Shrinks a network that fails to a small one that still does: it ends earlier and begins later, loses outputs and layers that keep their
 * input's dtype and shape (inside loops and conditionals too), and gets smaller inputs. The search is delta debugging (Zeller and Hildebrandt,
 * 2002): deterministic, and greedy, so the result is small, not the smallest possible. `net` is not changed.
 * @param fails whether a network still fails in the way that is looked for; what it throws ends the search
 * @throws ERR_INPUT, ERR_PARAMETER; ERR_REDUCE if `net` itself does not fail; what `fails` throws
 */
export async function reduceNetwork(
  net: Network,
  fails: (candidate: Network) => boolean | Promise<boolean>,
  options: ReduceOptions = {},
): Promise<Reduction> {
  requireNetwork(net, method);
  if (typeof fails !== 'function') refuse(method, 'ERR_INPUT', `expected a function, given ${show(fails)}`);
  checkOptions(options, ['limit', 'timeout', 'signal', 'onProgress', 'onSmaller'], method);
  checkGiven(options);
  return await new Search(copy(net), fails, options).run();
}

class Search {
  best: Network;
  readonly #fails: (candidate: Network) => boolean | Promise<boolean>;
  readonly #options: ReduceOptions;
  readonly #before: number;
  readonly #end: number;
  #tried = 0;
  #step = '';

  constructor(net: Network, fails: (candidate: Network) => boolean | Promise<boolean>, options: ReduceOptions) {
    this.best = net;
    this.#fails = fails;
    this.#options = options;
    this.#before = countLayers(net);
    this.#end = Date.now() + (options.timeout ?? Number.POSITIVE_INFINITY);
  }

  async run(): Promise<Reduction> {
    if (!(await this.#check(this.best)))
      throw new TensorRTError('ERR_REDUCE', `${method}: network '${this.best.name}' itself does not fail`);
    let complete = true;
    try {
      let size: readonly number[];
      do {
        size = sizeOf(this.best);
        for (const [name, step] of Object.entries(steps)) {
          this.#step = name;
          await step(this);
        }
      } while (isSmaller(sizeOf(this.best), size));
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
      complete = false;
    }
    return { network: this.best, tried: this.#tried, layers: [this.#before, countLayers(this.best)], complete };
  }

  async attempt(change: Change, of = this.best): Promise<boolean> {
    const candidate = changed(of, change);
    if (!candidate || candidate.graph.nodes.length === 0 || !isSmaller(sizeOf(candidate), sizeOf(this.best)))
      return false;
    const { limit = 1000, signal } = this.#options;
    if (this.#tried >= limit || Date.now() >= this.#end || signal?.aborted) throw new Enough();
    const isBetter = await this.#check(candidate);
    // A check that was interrupted says nothing.
    if (signal?.aborted) throw new Enough();
    if (isBetter) {
      this.best = candidate;
      await this.#options.onSmaller?.(candidate);
    }
    this.#options.onProgress?.({ step: this.#step, tried: this.#tried, layers: countLayers(this.best) });
    return isBetter;
  }

  async #check(candidate: Network): Promise<boolean> {
    this.#tried++;
    return await this.#fails(candidate);
  }
}
