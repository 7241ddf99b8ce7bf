import type { Shape } from '../dsl/dim.js';
import type { DType } from '../dsl/dtype.js';
import { TensorRTError } from '../dsl/errors.js';
import type { Network } from '../dsl/network.js';
import { locate } from '../dsl/source.js';
import type { BuildCallbacks, BuildReport, LibraryInfo } from './binding.js';
import { Engine } from './engine.js';
import { chooseTensorRT } from './find.js';
import { type BuildOptions, checkOptions, resolveProfiles } from './options.js';
import { toProgram } from './program.js';

const severities = ['internal_error', 'error', 'warning', 'info', 'verbose'] as const;

/** What TensorRT made of one output of a layer, beside what was inferred here. */
export interface LayerReport {
  name: string;
  kind: string;
  dtype: DType;
  /** TensorRT's shape; -1 where it is dynamic. */
  shape: number[];
}

export interface LoweringReport {
  library: LibraryInfo;
  /** Every layer of the outermost graph and of nested ones, in order. */
  layers: LayerReport[];
  /** Milliseconds of creating the network, without building. */
  lowerMs: number;
}

/** Builds a network into an engine; see `Network.build`. */
export async function build(net: Network, given: BuildOptions = {}): Promise<Engine> {
  const { report, library } = await run(net, given, false);
  const io = (list: readonly { name: string; dtype: DType; shape: Shape }[]) =>
    list.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] }));
  return new Engine({
    library,
    plan: report.plan!,
    size: report.bytes!,
    inputs: io(net.graph.inputs),
    outputs: io(net.outputs.map(({ name, tensor }) => ({ name, dtype: tensor.dtype, shape: tensor.shape }))),
    buildMs: report.lowerMs + report.buildMs,
    log: report.log,
  });
}

/** Creates the TensorRT network without building it; see `Network.check`. */
export async function check(net: Network, given: Pick<BuildOptions, 'library'> = {}): Promise<LoweringReport> {
  const { report, library } = await run(net, given, true);
  return { library, layers: report.layers!, lowerMs: report.lowerMs };
}

async function run(
  net: Network,
  given: BuildOptions,
  lowerOnly: boolean,
): Promise<{ report: BuildReport; library: LibraryInfo }> {
  const { library: wanted, profiles, signal, onLog, onProgress, ...options } = checkOptions(given);
  signal?.throwIfAborted();
  const program = await toProgram(net);
  const resolved = lowerOnly ? [] : resolveProfiles(net, profiles);
  const library = await chooseTensorRT({ for: 'build', library: wanted });
  const callbacks: BuildCallbacks = {};
  if (onLog || onProgress) {
    callbacks.onEvent = (event, a, b, c) => {
      if (event === 'log') onLog?.({ severity: severities[a as number] ?? 'verbose', message: b as string });
      else onProgress?.({ phase: a as string, step: b as number, steps: c! });
    };
  }
  const promise = program.build(library.path, { ...options, profiles: resolved, lowerOnly }, callbacks);
  const abort = () => callbacks.cancel?.();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const report = await promise;
    for (const weight of net.weights) weight.check?.();
    return { report, library };
  } catch (error) {
    throw describe(net, error as NativeError);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

interface NativeError extends Error {
  code?: string;
  layer?: string;
  kind?: string;
  log?: string[];
}

/** An error of the addon with the place where the layer was recorded. */
function describe(net: Network, error: NativeError): TensorRTError {
  const node = error.layer === undefined ? undefined : net.graph.nodes.find((n) => n.name === error.layer);
  return new TensorRTError(error.code ?? 'ERR_INTERNAL', error.message, {
    layer: error.layer,
    kind: error.kind,
    source: locate(node?.mark),
    log: error.log,
    cause: error,
  });
}
