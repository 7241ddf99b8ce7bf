import type { ValueId } from '../dsl/ir.js';
import type { Network } from '../dsl/network.js';
import { checkMapped, type Snapshot, snapshot } from '../dsl/snapshot.js';
import { TensorRTError } from '../errors/error.js';
import { decomposed, hasPlugins } from '../passes/decompose-plugins.js';
import { sourceOf } from '../passes/layer.js';
import { dimNames, evaluateDim, isUnknown } from '../values/dim.js';
import type { Feeds } from '../values/feeds.js';
import { type NamedIO, shownIO } from '../values/io-options.js';
import type { ResolvedOutput } from '../values/outputs.js';
import type { Result } from '../values/result.js';
import { abortable } from '../values/signal.js';
import { checkElements } from '../values/weight.js';
import { type CpuCall, type CpuRunOptions, placeResult, readCall } from './call.js';
import { ownCpuElements, SharedWeights } from './graph.js';
import { type Held, heldFeed, resultOf } from './held.js';
import { lower } from './lower.js';
import { PluginStep, wantsLayers } from './plugin-step.js';
import { loadOnnxruntime, type Runtime } from './runtime.js';
import { Segment } from './segment.js';
import { cut } from './segments.js';

/** A network that runs on the CPU: its layers through onnxruntime, its plugins by their references. */
export interface CpuModel {
  readonly inputs: readonly NamedIO[];
  readonly outputs: readonly NamedIO[];
  /**
   * Runs the network; `resolveFeeds` documents the feeds. onnxruntime computes on its own threads, but blocks the calling
   * thread.
   * @returns results by output name
   * @throws ERR_FEED for bad feeds, ERR_OUTPUT for bad places, ERR_CPU_BACKEND if onnxruntime fails or something is on a GPU,
   *   ERR_PLUGIN if a reference fails, ERR_ASSERTION, ERR_ABORTED, ERR_DISPOSED
   */
  run(feeds: Feeds, options?: CpuRunOptions): Promise<Record<string, Result>>;
  /** Frees the model once its current runs have ended. */
  dispose(): void;
  [Symbol.dispose](): void;
}

async function loadRuntime(): Promise<Runtime> {
  try {
    return await loadOnnxruntime();
  } catch (cause) {
    const help =
      (cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED'
        ? 'it is an addon, which Node was told not to load: by --no-addons, or by --permission without --allow-addons'
        : 'install it with: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (this skips its CUDA parts, which are not used)';
    throw new TensorRTError(
      'ERR_CPU_BACKEND',
      `The CPU backend needs the package onnxruntime-node, which could not be loaded (${firstLine(cause)}); ${help}`,
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

export interface CpuOptions {
  /** Runs the decompositions of all plugins. Default: only of those without a reference that can run. */
  decomposePlugins?: boolean | undefined;
}

/** `createCpuModel` for a snapshot. */
export async function createModelOf(given: Snapshot, options: CpuOptions = {}): Promise<CpuModel> {
  const wants = options.decomposePlugins ? undefined : wantsLayers;
  const network = hasPlugins(given, wants) ? snapshot(decomposed(sourceOf(given), given.name, { wants })) : given;
  if (network.outputs.length === 0) {
    throw new TensorRTError(
      'ERR_NO_OUTPUT',
      `network '${network.name}' has no output: mark one with tensor.output(name)`,
    );
  }
  const { steps, constants, shared } = cut(network);
  const weights = new SharedWeights(shared);
  // All elements are read before anybody can change them.
  const prepared = steps.map((step) =>
    'plugin' in step ? new PluginStep(network, step.plugin) : { ...step, program: lower(step.part, weights) },
  );
  const held = constants.map((node) => [node.outputs[0]!.id, heldConstant(network, node)] as const);
  const made: (Segment | PluginStep)[] = [];
  try {
    for (const step of prepared) {
      if (step instanceof PluginStep) made.push(step);
      else made.push(await Segment.open(step.part, step.program, await loadRuntime()));
    }
    // onnxruntime has read them all, and keeps copies.
    checkMapped(network);
  } catch (error) {
    for (const step of made) step.release();
    throw error;
  }
  return new SegmentedModel(network, made, new Map(held));
}

function heldConstant({ weights }: Snapshot, node: Snapshot['nodes'][number]): Held {
  const id = node.weights.value!;
  const { dtype, data, shape } = weights[id]!;
  checkElements(weights[id]!, id);
  const count = shape.reduce((a, b) => a * b, 1);
  return { dtype, shape: node.outputs[0]!.shape as number[], data: ownCpuElements(dtype, data, count) };
}

class SegmentedModel implements CpuModel {
  readonly inputs: readonly NamedIO[];
  readonly outputs: readonly NamedIO[];
  readonly #name: string;
  readonly #ids: { inputs: readonly ValueId[]; outputs: readonly ValueId[] };
  readonly #steps: readonly (Segment | PluginStep)[];
  readonly #constants: ReadonlyMap<ValueId, Held>;
  #running = 0;
  #disposed = false;

  constructor(network: Snapshot, steps: readonly (Segment | PluginStep)[], constants: ReadonlyMap<ValueId, Held>) {
    this.inputs = network.inputs.map(shownIO);
    this.outputs = network.outputs.map(shownIO);
    this.#ids = { inputs: network.inputs.map(({ id }) => id), outputs: network.outputs.map(({ id }) => id) };
    this.#name = network.name;
    this.#steps = steps;
    this.#constants = constants;
  }

  async run(given: Feeds, options: CpuRunOptions = {}): Promise<Record<string, Result>> {
    if (this.#disposed) throw new TensorRTError('ERR_DISPOSED', `network '${this.#name}': the model was disposed`);
    const { signal, ...call } = readCall(this, given, options);
    return await abortable(this.#run(call), signal, () => {});
  }

  async #run({ feeds, sizes, places }: Omit<CpuCall, 'signal'>): Promise<Record<string, Result>> {
    const values = new Map(this.#constants);
    for (const [i, feed] of feeds.entries()) values.set(this.#ids.inputs[i]!, heldFeed(feed));
    this.#running++;
    try {
      for (const step of this.#steps) await step.run(values);
      return this.#results(values, { ...sizes }, places);
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
    if (this.#disposed && this.#running === 0) for (const step of this.#steps) step.release();
  }

  #results(
    values: ReadonlyMap<ValueId, Held>,
    sizes: Record<string, number>,
    places: readonly ResolvedOutput[],
  ): Record<string, Result> {
    // What is returned is the caller's.
    const taken = new Set<unknown>(Array.from(this.#constants.values(), ({ data }) => data));
    const results = this.outputs.map((output, i) => {
      const value = values.get(this.#ids.outputs[i]!)!;
      checkShape(this.#name, output, value.shape, sizes);
      const result = resultOf(taken.has(value.data) ? { ...value, data: value.data.slice() } : value);
      taken.add(value.data);
      return [output.name, placeResult(output.name, result, places[i]!)] as const;
    });
    return Object.fromEntries(results);
  }
}

/** Checks an inferred shape against the actual one. */
function checkShape(network: string, { name, shape }: NamedIO, dims: readonly number[], sizes: Record<string, number>) {
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

const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0]!;
