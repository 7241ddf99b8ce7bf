import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import { isGone } from '../../values/dtype.js';
import { noteOf } from '../../values/io-options.js';
import { binding, type NativeEngine } from '../binding.js';
import type { EngineTensor } from '../files/metadata.js';
import { type OpenedEngine, openBytes, openEngine } from '../files/open.js';
import { damaged } from '../files/source.js';
import type { RefitWeights } from '../refit/tensors.js';
import { callAddon, callNow, free, openDevice } from './call-addon.js';
import { explain, libraryFor } from './choose-library.js';
import { checkDevice } from './device-tensor.js';
import { Engine } from './engine.js';
import type { EngineIO } from './engine-io.js';
import { isStripped, marked } from './refit.js';
import { type EngineToken, isToken } from './token.js';

/** Options of `loadEngine`. */
export interface LoadEngineOptions {
  /** Path of the library to load it with; default: the best one found. */
  library?: string | undefined;
  /**
   * Let the engine bring code that runs in this process: the lean runtime of a `versionCompatible` engine, and its
   * `pluginsToSerialize`. Only for engines you trust. Default: false, and such an engine is refused.
   */
  allowHostCode?: boolean | undefined;
  /** Index of the GPU that runs it. Default 0. */
  device?: number | undefined;
  /**
   * Bytes of weights that stay on the GPU, for an engine built with `weightStreaming`; the others are copied there in every run.
   * `'automatic'` lets TensorRT choose by the memory that is free. Default: all weights stay there.
   */
  weightStreamingBudget?: number | 'automatic' | undefined;
  /** Weights to refit the engine with at once; see `Engine.refit`. An engine built with `stripPlan` needs them before it runs. */
  weights?: RefitWeights | undefined;
}

/**
 * Loads a serialized engine: a plan, a container of `engine.save`, or a file of Ultralytics'. It needs the flavor and release that built it.
 * The plan in a file is mapped, and never copied as a whole; who replaces a file in use does so by renaming. Bytes count as they are at the
 * call: several threads copy them before it returns, which takes tens of milliseconds for 256 MiB.
 * @param source a path, the bytes of such a file, or what `engine.share()` gave in another worker thread, which takes no options
 * @throws ERR_LIBRARY_NOT_FOUND, ERR_NO_GPU, ERR_ENGINE_FILE if the file is damaged or no engine, ERR_ENGINE_MISMATCH if another release
 *   or GPU is needed, ERR_PLUGIN_MISSING, ERR_ENGINE, ERR_LOAD if the file cannot be read or an option has a wrong value,
 *   ERR_PARAMETER if there is no such option, ERR_HOST_CODE if it brings code that was not allowed, ERR_OUT_OF_MEMORY, ERR_DISPOSED if
 *   the engine that was shared is gone, ERR_UNSUPPORTED if the release or the engine does not stream weights
 */
export async function loadEngine(
  source: string | Uint8Array | EngineToken,
  options: LoadEngineOptions = {},
): Promise<Engine> {
  if (readArguments('loadEngine', [source], () => isToken(source), 'ERR_LOAD')) {
    return claimed(source as EngineToken, options);
  }
  const { allowHostCode, device, weightStreamingBudget, library: wanted, weights } = readOptions(options ?? {});
  // Meanwhile.
  openDevice(device);
  const opened = await open(source as string | Uint8Array);
  const { handle: plan, metadata } = opened;
  try {
    const library = await libraryFor(opened, wanted, device);
    const load = () => binding().deserialize(library.path, plan, device, allowHostCode, weightStreamingBudget);
    const loaded = await callAddon(load).catch((error) => explain(opened, library, error));
    const io = allIO(loaded, opened);
    if (isStripped(metadata)) marked(loaded);
    const engine = new Engine({ library, plan, size: opened.plan.bytes, device, ...io, loaded, metadata });
    return weights ? await refitted(engine, weights) : engine;
  } catch (error) {
    free(plan);
    throw error;
  }
}

function allIO(loaded: NativeEngine, opened: OpenedEngine): { inputs: EngineIO[]; outputs: EngineIO[] } {
  try {
    return { inputs: ioOf(loaded, opened, true), outputs: ioOf(loaded, opened, false) };
  } catch (error) {
    free(loaded.handle);
    throw error;
  }
}

async function refitted(engine: Engine, weights: RefitWeights): Promise<Engine> {
  try {
    await engine.refit(weights);
    return engine;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

function claimed({ token, library, size, device, inputs, outputs, metadata }: EngineToken, options: unknown): Engine {
  if (readArguments('loadEngine', [options], () => Object.keys(options ?? {}).length > 0, 'ERR_LOAD')) {
    throw new TensorRTError(
      'ERR_LOAD',
      `loadEngine: a shared engine is loaded already: expected no options, given ${show(options)}`,
    );
  }
  const loaded = callNow(() => binding().claimEngine(token));
  return new Engine({ library, plan: loaded.plan!, size, device, inputs, outputs, loaded, metadata });
}

async function open(source: string | Uint8Array): Promise<OpenedEngine> {
  if (typeof source === 'string') return await openEngine(source);
  if (!readArguments('loadEngine', [source], () => source instanceof Uint8Array, 'ERR_LOAD')) {
    throw new TensorRTError('ERR_LOAD', `loadEngine: expected a path, a Uint8Array or a token, given ${show(source)}`);
  }
  if (isGone(source)) {
    throw new TensorRTError('ERR_LOAD', 'loadEngine: the array is detached: its buffer was transferred, or shrank');
  }
  return await openBytes(source);
}

function readOptions(given: LoadEngineOptions) {
  return readArguments(
    'loadEngine',
    [given],
    () => {
      checkOptions(given, ['library', 'allowHostCode', 'device', 'weightStreamingBudget', 'weights'], 'loadEngine');
      const { allowHostCode = false, device, weightStreamingBudget, library, weights } = given;
      if (typeof allowHostCode !== 'boolean') {
        refuse('loadEngine', 'ERR_LOAD', `expected true or false, given ${show(allowHostCode)}`, {
          option: 'allowHostCode',
        });
      }
      const budget = weightStreamingBudget;
      const isBytes = typeof budget === 'number' && Number.isSafeInteger(budget) && budget >= 0;
      if (budget !== undefined && budget !== 'automatic' && !isBytes) {
        refuse('loadEngine', 'ERR_LOAD', `expected a number of bytes or 'automatic', given ${show(budget)}`, {
          option: 'weightStreamingBudget',
        });
      }
      return { allowHostCode, device: checkDevice('loadEngine', device), weightStreamingBudget, library, weights };
    },
    'ERR_LOAD',
  );
}

/** The inputs or outputs of an engine, with the dims that its metadata has. @throws ERR_ENGINE_FILE if that is of another engine */
function ioOf(loaded: NativeEngine, { metadata, name: file }: OpenedEngine, input: boolean): EngineIO[] {
  const known = input ? metadata?.inputs : metadata?.outputs;
  const list = loaded.io.filter((tensor) => tensor.input === input);
  if (known && known.length !== list.length) throw otherEngine(file, `${known.length} ${input ? 'inputs' : 'outputs'}`);
  return list.map(({ name, dtype, shape, values }) => {
    const one = known?.find((tensor) => tensor.name === name);
    if (known && !(one && describes(one, dtype, shape))) throw otherEngine(file, `no '${name}' of ${dtype} [${shape}]`);
    return {
      name,
      dtype,
      shape: one?.shape ?? shape.map((size, axis) => (size < 0 ? `${name}_${axis}` : size)),
      ...(values.length > 0 && { values: values.map(([min, opt, max]) => ({ min, opt, max })) }),
      ...noteOf(one ?? {}),
    };
  });
}

const describes = (known: EngineTensor, dtype: string, shape: readonly number[]): boolean =>
  known.dtype === dtype &&
  known.shape.length === shape.length &&
  known.shape.every((dim, axis) => shape[axis]! < 0 || typeof dim === 'string' || dim === shape[axis]);

const otherEngine = (file: string, has: string): TensorRTError =>
  damaged(file, `has metadata of another engine: it has ${has}`);
