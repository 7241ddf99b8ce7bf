import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { formatShape } from '../../values/dim.js';
import { type Feeds, resolveFeeds } from '../../values/feeds.js';
import {
  checkOutputMemory,
  knownShape,
  type OutputPlaces,
  type ResolvedOutput,
  resolveOutputs,
} from '../../values/outputs.js';
import { isPlaced, type PlacedTensor } from '../../values/placed.js';
import type { Result } from '../../values/result.js';
import { binding, type Handle, type Placement } from '../binding.js';
import { callNow, free } from './call-addon.js';
import { checkInProfile } from './check-profile.js';
import type { Context } from './context.js';
import { type DeviceTensor, deviceTensor } from './device-tensor.js';
import { hostTensor } from './host-tensor.js';
import { placedResult } from './placements.js';

/** Memory for prepared runs. */
export interface BindOptions<O extends OutputPlaces | undefined = OutputPlaces | undefined> {
  /** A HostTensor or DeviceTensor for every input. Each run reads what they hold then. */
  feeds: Readonly<Record<string, PlacedTensor>>;
  /**
   * A HostTensor or DeviceTensor by output name, or `'device'` for new tensors on the GPU. Default: new HostTensors. New tensors go
   * with the binding, and need outputs whose shapes do not depend on elements.
   */
  outputs?: O | undefined;
}

/** Memory for all of a run, and its results. */
export interface FixedRun {
  io: Placement[];
  /** Of the outputs, in the addon's order. */
  tensors: { name: string; tensor: PlacedTensor }[];
  /** Tensors that were made for it. */
  made: (PlacedTensor & Disposable)[];
  /** Everything that has to stay alive. */
  used: readonly unknown[];
}

/** Frees tensors that were made for a run. */
export function disposeMade({ made }: Pick<FixedRun, 'made'>): void {
  for (const tensor of made) tensor[Symbol.dispose]();
}

/** Frees a binding or graph with what was made for it, once no run uses them. */
export function releaseRun(
  owned: Parameters<Context['disown']>[0],
  context: Context,
  handle: Handle,
  run: FixedRun,
): void {
  free(handle);
  disposeMade(run);
  context.disown(owned);
}

/**
 * Checks the memory of prepared runs, and makes what is missing.
 * @throws ERR_PARAMETER, ERR_FEED, ERR_OUTPUT, ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED
 */
export function fixRun(context: Context, method: 'bind' | 'capture', options: unknown): FixedRun {
  const { engine, layout, handle } = context;
  const { given, places } = readArguments(
    method,
    [options],
    () => {
      checkOptions(options, ['feeds', 'outputs'], method);
      const { feeds, outputs } = options as BindOptions;
      return { given: ownTensors(method, feeds), places: resolveOutputs(engine.outputs, outputs) };
    },
    'ERR_PARAMETER',
  );
  const { feeds, sizes } = resolveFeeds(engine.inputs, given);
  for (const { io, index } of layout.inputs) checkInProfile(feeds[index]!, io, context.profileIndex);
  checkOutputMemory(engine.outputs, places, { feeds, sizes }, (output) => layout.inPlace(output));
  const made: FixedRun['made'] = [];
  try {
    const inferred = () => {
      const io = layout.place(
        feeds,
        places.map(() => 'host'),
      );
      return callNow(() => binding().inferShapes(handle, io), engine.factsOf);
    };
    let shapes: readonly (readonly number[])[] | undefined;
    const tensors = new Map<number, PlacedTensor>();
    for (const [at, { io, index }] of layout.outputs.entries()) {
      const place = places[index]!;
      const { name, dtype, shape } = engine.outputs[index]!;
      if (typeof place === 'object') {
        tensors.set(index, tensorOf(method, name, place));
        continue;
      }
      let known = knownShape(shape, sizes);
      if (!known) {
        shapes ??= inferred();
        known = shapes[at]!;
      }
      if (known.some((size) => size < 0)) {
        const said = `its shape ${formatShape(known)} is known only after a run: give a tensor that is large enough`;
        throw new TensorRTError('ERR_OUTPUT', `${method}: output '${name}': ${said}`);
      }
      const type = { dtype, shape: known };
      const tensor =
        place === 'device' && !io.host ? deviceTensor(type, undefined, { device: engine.device }) : hostTensor(type);
      made.push(tensor);
      tensors.set(index, tensor);
    }
    const resolved: ResolvedOutput[] = places.map((_, index) => ({ tensor: tensors.get(index)! }));
    const io = layout.place(feeds, resolved);
    const outputs = layout.outputs.map(({ io, index }) => ({ name: io.name, tensor: tensors.get(index)! }));
    return { io, tensors: outputs, made, used: [given, outputs] };
  } catch (error) {
    disposeMade({ made });
    throw error;
  }
}

function ownTensors(method: string, feeds: unknown): Feeds {
  if (typeof feeds !== 'object' || feeds === null || isPlaced(feeds)) {
    throw new TensorRTError(
      'ERR_FEED',
      `${method}: expected an object with tensors by input name, given ${show(feeds)}`,
    );
  }
  const own = Object.entries(feeds);
  for (const [name, feed] of own) {
    if (isPlaced(feed)) continue;
    throw new TensorRTError(
      'ERR_FEED',
      `${method}: input '${name}': expected a HostTensor or a DeviceTensor, given ${show(feed)}`,
    );
  }
  return Object.fromEntries(own);
}

function tensorOf(method: string, name: string, place: Exclude<ResolvedOutput, string>): PlacedTensor {
  if (place.tensor) return place.tensor;
  throw new TensorRTError(
    'ERR_OUTPUT',
    `${method}: output '${name}': expected a HostTensor or a DeviceTensor, given an ordinary array`,
  );
}

/** What prepared runs give. */
export const fixedResults = <R>(tensors: FixedRun['tensors'], shapes: readonly (readonly number[])[]): R =>
  Object.fromEntries(tensors.map(({ name, tensor }, i) => [name, placedResult(name, tensor, shapes[i]!)])) as Record<
    string,
    Result | DeviceTensor
  > as R;
