import { readFile, stat } from 'node:fs/promises';
import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { checkOptions } from '../../passes/refuse.js';
import { copyOfBytes, isGone } from '../../values/dtype.js';
import { binding, type NativeEngine } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';
import { callAddon, callNow } from './call-addon.js';
import { checkDevice } from './device-tensor.js';
import { Engine, type EngineIO } from './engine.js';
import { type EngineToken, isToken } from './token.js';

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
}

/**
 * Loads a serialized engine. It needs the flavor and release that built it.
 * @param source a path, the engine's bytes, or what `engine.share()` gave in another worker thread, which takes no options
 * @throws ERR_LIBRARY_NOT_FOUND, ERR_NO_GPU, ERR_ENGINE, ERR_LOAD if the file cannot be read or an option has a wrong value,
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
  const plan = await planOf(source as string | Uint8Array);
  if (plan.byteLength === 0) throw new TensorRTError('ERR_ENGINE', 'the engine is empty: 0 bytes');
  const { allowHostCode, device, weightStreamingBudget, library: wanted } = readOptions(options ?? {});
  const library = await chooseTensorRT({ for: 'run', library: wanted });
  const loaded = await callAddon(() =>
    binding().deserialize(library.path, plan, device, allowHostCode, weightStreamingBudget),
  );
  return new Engine({
    library,
    plan,
    size: plan.byteLength,
    device,
    inputs: ioOf(loaded, true),
    outputs: ioOf(loaded, false),
    loaded,
  });
}

function claimed({ token, library, size, device, inputs, outputs }: EngineToken, options: unknown): Engine {
  if (readArguments('loadEngine', [options], () => Object.keys(options ?? {}).length > 0, 'ERR_LOAD')) {
    throw new TensorRTError(
      'ERR_LOAD',
      `loadEngine: a shared engine is loaded already: expected no options, given ${show(options)}`,
    );
  }
  const loaded = callNow(() => binding().claimEngine(token));
  return new Engine({ library, plan: loaded.plan!, size, device, inputs, outputs, loaded });
}

async function planOf(source: string | Uint8Array): Promise<Uint8Array> {
  if (typeof source === 'string') {
    try {
      if (!(await stat(source)).isFile()) throw new Error('not a file');
      return await readFile(source);
    } catch (cause) {
      const said = `could not read the engine ${source}: ${(cause as Error).message}`;
      throw new TensorRTError('ERR_LOAD', said, { cause });
    }
  }
  if (!readArguments('loadEngine', [source], () => source instanceof Uint8Array, 'ERR_LOAD')) {
    throw new TensorRTError('ERR_LOAD', `loadEngine: expected a path, a Uint8Array or a token, given ${show(source)}`);
  }
  if (isGone(source)) {
    throw new TensorRTError('ERR_LOAD', 'loadEngine: the array is detached: its buffer was transferred, or shrank');
  }
  return copyOfBytes(source);
}

function readOptions(given: LoadEngineOptions) {
  return readArguments(
    'loadEngine',
    [given],
    () => {
      checkOptions(given, ['library', 'allowHostCode', 'device', 'weightStreamingBudget'], 'loadEngine');
      const { allowHostCode = false, device, weightStreamingBudget, library } = given;
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
      return { allowHostCode, device: checkDevice('loadEngine', device), weightStreamingBudget, library };
    },
    'ERR_LOAD',
  );
}

const ioOf = (loaded: NativeEngine, input: boolean): EngineIO[] =>
  loaded.io
    .filter((tensor) => tensor.input === input)
    .map(({ name, dtype, shape, values }) => ({
      name,
      dtype,
      shape: shape.map((size, axis) => (size < 0 ? `${name}_${axis}` : size)),
      ...(values.length > 0 && { values: values.map(([min, opt, max]) => ({ min, opt, max })) }),
    }));
