import type { Network, RecordedNode } from '../../dsl/network.js';
import { readArguments } from '../../errors/boundary.js';
import { locate } from '../../errors/call-site.js';
import { TensorRTError } from '../../errors/error.js';
import { thrown } from '../../errors/thrown.js';
import type { DType } from '../../values/dtype.js';
import type { BuildCallbacks, BuildReport, HeldLayer, HeldOptions, LibraryInfo } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';
import { Engine, type EngineIO } from '../run/engine.js';
import { type BuildOptions, checkOptions } from './options.js';
import { elementRanges, type ResolvedProfile, resolveProfiles } from './profiles.js';
import { type Snapshot, snapshot, toProgram } from './program.js';

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

/** Builds a network into an engine; see `Network.build`. */
export async function build(net: Network, given: BuildOptions = {}): Promise<Engine> {
  const { report, library, inputs, outputs, profiles } = await run(net, given, false);
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
    log: report.log,
    options: report.options,
  });
}

/** @internal TensorRT methods to treat as missing. Tests of compositions set it. */
export const without: string[] = [];

/** Creates the TensorRT network and the build configuration without building; see `Network.check`. */
export async function check(net: Network, given: BuildOptions = {}): Promise<LoweringReport> {
  const { report, library } = await run(net, given, true);
  const { layers, names, readBack, options, lowerMs } = report;
  return { library, layers: layers!, names: names!, readBack: readBack!, options, lowerMs };
}

async function run(
  net: Network,
  given: BuildOptions,
  lowerOnly: boolean,
): Promise<Snapshot & { report: BuildReport; library: LibraryInfo; profiles: ResolvedProfile[] }> {
  const { library: wanted, profiles, signal, onLog, onProgress, ...options } = checkOptions(given);
  const recorded = snapshot(net);
  const resolve = () => resolveProfiles(recorded.inputs, profiles);
  // A check does not need profiles: it uses no ranges of dims.
  const resolved =
    lowerOnly && !profiles ? undefined : readArguments('build options', [given], resolve, 'ERR_BUILD_OPTION');
  const stop = new Stop(signal);
  try {
    stop.check();
    const library = await chooseTensorRT({ for: 'build', library: wanted });
    stop.check();
    const program = await toProgram(recorded);
    stop.check();
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
      { ...options, profiles: resolved ?? null, lowerOnly, ...(lowerOnly && { readBack: true }), ...lacking },
      callbacks,
    );
    stop.cancel = callbacks.cancel;
    const report = await promise;
    stop.check();
    return { ...recorded, report, library, profiles: resolved ?? [] };
  } catch (error) {
    stop.check();
    throw describe(recorded.nodes, error as NativeError);
  } finally {
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

/** The addon's error, with the place where the layer was recorded. */
function describe(nodes: readonly RecordedNode[], error: NativeError): TensorRTError {
  if (error instanceof TensorRTError) return error;
  return new TensorRTError(error.code ?? 'ERR_INTERNAL', error.message, {
    layer: error.layer,
    kind: error.kind,
    source: error.layer === undefined ? undefined : locate(find(nodes, error.layer)?.callSite),
    log: error.log,
    cause: error,
  });
}
