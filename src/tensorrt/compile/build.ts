import { resolve } from 'node:path';
import { factsOfLayers, namedLayers } from '../../dsl/named-layers.js';
import type { Network, RecordedNode } from '../../dsl/network.js';
import { readArguments } from '../../errors/boundary.js';
import { locate } from '../../errors/call-site.js';
import { TensorRTError } from '../../errors/error.js';
import { thrown } from '../../errors/thrown.js';
import { checkPlugins } from '../../plugin/check-profiles.js';
import { isStaticShape } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import type { BuildCallbacks, BuildReport, HeldLayer, HeldOptions, LibraryInfo } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';
import { Engine, type EngineIO } from '../run/engine.js';
import { withoutPlugins } from './decompose.js';
import { type BuildOptions, checkOptions } from './options.js';
import { compilePlugins, type TakenPlugin, takePlugins } from './plugins.js';
import { defaultRanges, elementRanges, pointsOf, type ResolvedProfile, resolveProfiles } from './profiles.js';
import { type Taken, take, toProgram } from './program.js';

const severities = ['internal_error', 'error', 'warning', 'info', 'verbose'] as const;

/** One output of a layer as TensorRT inferred it. */
export interface LayerReport {
  name: string;
  kind: string;
  dtype: DType;
  /** TensorRT's shape; -1 where it is dynamic. */
  shape: number[];
}

/** The names in a TensorRT network, as TensorRT reports them. */
export interface NetworkNames {
  inputs: string[];
  /**
   * Every layer with its output tensors, in the order they were added. Includes those in loops and conditionals, and the
   * parts a layer is composed of, e.g. `loop/state0`.
   */
  layers: { name: string; outputs: string[] }[];
  outputs: string[];
}

export interface LoweringReport {
  library: LibraryInfo;
  /** Every layer of the outermost graph and of nested graphs, in order. */
  layers: LayerReport[];
  /** TensorRT's names of all layers and tensors. */
  names: NetworkNames;
  /** What TensorRT's getters return for every layer, already compared with what was recorded. Nested layers precede the layer they are in. */
  readBack: HeldLayer[];
  /** What TensorRT's getters return for the build options, already compared with the options given. */
  options: HeldOptions;
  /** Milliseconds to create the network, without building it. */
  lowerMs: number;
}

/** What a build takes from its caller, who may change network, arrays and options as soon as the call has returned. */
export interface Prepared {
  network: Taken;
  options: BuildOptions;
  profiles: ResolvedProfile[];
  /** Layers of definitions of the caller's. */
  plugins: TakenPlugin[];
  /** Creates the network only. */
  lowerOnly: boolean;
}

/** Whether no input has a dynamic dim. */
const isStatic = ({ inputs }: Taken): boolean => inputs.every(({ shape }) => isStaticShape(shape));

/** Reads all that a build needs. */
export function prepare(net: Network, given: BuildOptions = {}, lowerOnly = false): Prepared {
  const { computeCapabilities, pluginsToSerialize, ...options } = checkOptions(given);
  if (computeCapabilities) Object.assign(options, { computeCapabilities: [...computeCapabilities] });
  if (pluginsToSerialize)
    Object.assign(options, { pluginsToSerialize: pluginsToSerialize.map((path) => resolve(path)) });
  const network = native(() => take(net));
  const plugins = takePlugins(network);
  const ranges = () => resolveProfiles(network, options.profiles);
  // A check does not need profiles: it uses no ranges of dims.
  const profiles =
    lowerOnly && !options.profiles ? [] : readArguments('build options', [given], ranges, 'ERR_BUILD_OPTION');
  if (!lowerOnly || options.profiles || isStatic(network)) {
    const points = pointsOf(network, options.profiles, profiles);
    checkPlugins(plugins, network.tensorOf, points);
  }
  return { network, options, profiles, plugins, lowerOnly };
}

/** Builds a network into an engine; see `Network.build`. */
export async function build(net: Network, given: BuildOptions = {}): Promise<Engine> {
  const prepared = prepare(net, given);
  try {
    return await buildPrepared(prepared);
  } finally {
    prepared.network.release();
  }
}

/** Leaves the elements to whoever prepared it. */
export async function buildPrepared(prepared: Prepared): Promise<Engine> {
  const { report, library, built, log } = await run(prepared);
  const { profiles, network } = built;
  const { inputs, outputs, nodes } = network;
  const io = (list: readonly EngineIO[]) =>
    list.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: [...shape],
      ...(report.shapeInputs.includes(name) && { values: elementRanges(profiles, name) }),
    }));
  return new Engine({
    library,
    plan: report.plan!,
    size: report.bytes!,
    inputs: io(inputs),
    outputs: io(outputs),
    buildMs: report.lowerMs + report.buildMs,
    log: [...log, ...report.log],
    options: report.options,
    factsOf: factsFrom(nodes),
  });
}

/** @internal TensorRT methods to treat as missing. Tests of compositions set it. */
export const without: string[] = [];

/** Creates the TensorRT network and the build configuration without building; see `Network.check`. */
export async function check(net: Network, given: BuildOptions = {}): Promise<LoweringReport> {
  const prepared = prepare(net, given, true);
  try {
    const { report, library } = await run(prepared);
    const { layers, names, readBack, options, lowerMs } = report;
    return { library, layers: layers!, names: names!, readBack: readBack!, options, lowerMs };
  } finally {
    prepared.network.release();
  }
}

/** What the caller may not expect; it goes where TensorRT's warnings go. */
function warnings({ network, options: { profiles }, lowerOnly }: Prepared): string[] {
  const ranges = profiles || lowerOnly ? undefined : defaultRanges(network.inputs);
  return ranges ? [ranges] : [];
}

interface Built {
  report: BuildReport;
  library: LibraryInfo;
  /** What TensorRT was given. */
  built: Prepared;
  /** Warnings of ours and of the compiler of kernels. */
  log: string[];
}

async function run(prepared: Prepared): Promise<Built> {
  const { library: wanted, profiles, signal, onLog, onProgress, decomposePlugins: _, ...options } = prepared.options;
  const { lowerOnly } = prepared;
  const stop = new Stop(signal);
  const log: string[] = [];
  const warn = (message: string) => {
    log.push(message);
    stop.guard('onLog', () => onLog?.({ severity: 'warning', message }));
  };
  let built = prepared;
  try {
    stop.check();
    const library = await chooseTensorRT({ for: 'build', library: wanted });
    stop.check();
    built = withoutPlugins(prepared, library.flavor);
    const resolved = lowerOnly && !profiles ? null : built.profiles;
    const program = await toProgram(built.network);
    stop.check();
    for (const message of warnings(built)) warn(message);
    stop.check();
    if (built.plugins.length > 0) {
      const check = () => stop.check();
      program.addPlugins(await compilePlugins(built.plugins, { options, lowerOnly, onWarning: warn, check }));
      stop.check();
    }
    const callbacks: BuildCallbacks = {};
    if (onLog || onProgress) {
      callbacks.onEvent = (event, a, b, c) =>
        stop.guard(event === 'log' ? 'onLog' : 'onProgress', () => {
          if (event === 'log') return onLog?.({ severity: severities[a as number] ?? 'verbose', message: b as string });
          return onProgress?.({ phase: a as string, step: b as number, steps: c! });
        });
    }
    const lacking = without.length > 0 && { without: `,${without.join()},` };
    const promise = program.build(
      library.path,
      { ...options, profiles: resolved, lowerOnly, ...(lowerOnly && { readBack: true }), ...lacking },
      callbacks,
    );
    stop.cancel = callbacks.cancel;
    const report = await promise;
    stop.check();
    return { report, library, built, log };
  } catch (error) {
    stop.check();
    throw describe(built.network.nodes, error as NativeError);
  } finally {
    if (built !== prepared) built.network.release();
    stop.dispose();
  }
}

/** Ends a build early: on its signal, or when a callback throws. */
class Stop {
  cancel?: () => void;
  #error?: TensorRTError;
  readonly #signal?: AbortSignal;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  readonly #abort = () => {
    this.#end(new TensorRTError('ERR_ABORTED', 'the build was aborted by its signal', { cause: this.#signal!.reason }));
  };

  /** Calls a callback; if it throws, the build ends. */
  guard(name: string, call: () => unknown): void {
    if (this.#error) return;
    try {
      // What an async callback throws is a rejection that nobody else sees.
      const promise: unknown = call();
      if (promise instanceof Promise) promise.catch((cause) => this.#endBy(name, cause));
    } catch (cause) {
      this.#endBy(name, cause);
    }
  }

  #endBy(name: string, cause: unknown): void {
    this.#end(new TensorRTError('ERR_CALLBACK', `${name} threw: ${thrown(cause)}`, { cause }));
  }

  #end(error: TensorRTError): void {
    this.#error ??= error;
    this.cancel?.();
  }

  check(): void {
    if (this.#error) throw this.#error;
  }

  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}

interface NativeError extends Error {
  code?: string;
  layer?: string;
  kind?: string;
  log?: string[];
}

function find(nodes: readonly RecordedNode[], name: string): RecordedNode | undefined {
  for (const node of nodes) {
    if (node.name === name) return node;
    for (const body of Object.values(node.bodies ?? {})) {
      const inner = find(body.nodes, name);
      if (inner) return inner;
    }
  }
  return undefined;
}

/** Calls the addon and turns its errors into TensorRTErrors. */
function native<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw describe([], error as NativeError);
  }
}

/** A function of its own, which keeps the recorded layers alive and nothing else. */
const factsFrom = (nodes: readonly RecordedNode[]) => (log: readonly string[]) =>
  factsOfLayers(namedLayers(log, nodes));

/** TensorRT's words where it found no kernel for a layer, or for what it fused from several. */
const noKernel = /Could not find any implementation/;

/** What may help there. */
function remedy(layers: readonly RecordedNode[]): string {
  const halves = layers.some(({ outputs }) => outputs.some(({ dtype }) => dtype === 'float16' || dtype === 'bfloat16'));
  const cast = halves ? " or float32 there (.cast('float32') before, and back after)" : '';
  return `; with another optimizationLevel (0 to 5)${cast} it may find an implementation`;
}

/** The addon's error, with the places where the layers that it is about were recorded. */
function describe(nodes: readonly RecordedNode[], error: NativeError): TensorRTError {
  if (error instanceof TensorRTError) return error;
  const { code = 'ERR_INTERNAL', message, layer, kind, log } = error;
  if (layer !== undefined) {
    const source = locate(find(nodes, layer)?.callSite);
    return new TensorRTError(code, message, { layer, kind, source, log, cause: error });
  }
  const layers = namedLayers(log ?? [], nodes);
  const help = log?.some((line) => noKernel.test(line)) ? remedy(layers) : '';
  return new TensorRTError(code, message + help, { ...factsOfLayers(layers), log, cause: error });
}
