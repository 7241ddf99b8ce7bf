import { TensorRTError } from '../../errors/error.js';
import { countOf, isSameShape } from '../../values/dim.js';
import { byteLength, bytesOf, viewAs } from '../../values/dtype.js';
import type { ResolvedFeed } from '../../values/feeds.js';
import { checkBytes, type ResolvedOutput, resultIn, writeResult } from '../../values/outputs.js';
import { isOnHost, type PlacedTensor } from '../../values/placed.js';
import { recordOf } from '../../values/record.js';
import { Result } from '../../values/result.js';
import type { Handle, NativeEngine, NativeIO, NativeOutput, Placement } from '../binding.js';
import { DeviceTensor, deviceTensorOf } from './device-tensor.js';
import type { EngineIO } from './engine-io.js';
import { memoryOf } from './memory.js';

const none: readonly number[] = Object.freeze([]);

/** Inputs and outputs in the addon's order, and where each stands in the engine's lists. */
export class Layout {
  readonly io: readonly NativeIO[];
  readonly #device: number;
  /** Of an input in the engine's inputs, of an output in its outputs. */
  readonly #indices: readonly number[];
  /** Inputs in the addon's order, and their indices in the engine's. */
  readonly inputs: readonly { io: NativeIO; index: number }[];
  readonly outputs: readonly { io: NativeIO; index: number }[];
  readonly #names: readonly string[];
  /** Of the outputs, as they were last. */
  readonly #shapes: (readonly number[])[];
  readonly #inPlace = new Map<string, string>();

  constructor(native: NativeEngine, inputs: readonly EngineIO[], outputs: readonly EngineIO[], device: number) {
    this.io = native.io;
    this.#device = device;
    const at = (list: readonly EngineIO[], name: string) => list.findIndex((one) => one.name === name);
    this.#indices = native.io.map(({ name, input }) => at(input ? inputs : outputs, name));
    const all = native.io.map((io, i) => ({ io, index: this.#indices[i]! }));
    this.inputs = all.filter(({ io }) => io.input);
    this.outputs = all.filter(({ io }) => !io.input);
    this.#names = this.outputs.map(({ io }) => io.name);
    this.#shapes = this.outputs.map(() => none);
    for (const { name, alias } of native.io) if (alias >= 0) this.#inPlace.set(name, native.io[alias]!.name);
  }

  /** The input that an output may share a tensor with. */
  inPlace(output: string): string | undefined {
    return this.#inPlace.get(output);
  }

  /** What the addon gets. @throws ERR_FEED, ERR_OUTPUT, ERR_DISPOSED */
  place(feeds: readonly ResolvedFeed[], outputs: readonly ResolvedOutput[]): Placement[] {
    const placements: Placement[] = [];
    for (let i = 0; i < this.io.length; i++) {
      const io = this.io[i]!;
      const index = this.#indices[i]!;
      placements.push(io.input ? this.#input(io, feeds[index]!) : this.#output(io, outputs[index]!));
    }
    return placements;
  }

  #input(io: NativeIO, { name, dtype, shape, data, isOwn, placed }: ResolvedFeed): Placement {
    const bytes = byteLength(dtype, countOf(shape));
    if (placed) return { shape, memory: this.#memory(io, placed, bytes) };
    // The caller's code may have run since the feed was checked: a getter of another feed.
    if (data.byteLength !== bytes) {
      throw new TensorRTError('ERR_FEED', `input '${name}': the array was detached or resized while feeds were read`);
    }
    return isOwn ? { shape, data: bytesOf(data), transfer: true } : { shape, data: bytesOf(data) };
  }

  #output(io: NativeIO, place: ResolvedOutput): Placement {
    if (place === 'device') return io.host ? undefined : 'device';
    if (place === 'host' || place.array) return undefined;
    return { memory: this.#memory(io, place.tensor, 0) };
  }

  #memory(io: NativeIO, tensor: PlacedTensor, bytes: number): Handle {
    const memory = memoryOf(tensor);
    const { handle } = memory;
    if (memory.bytes < bytes) fail(io, `expected ${bytes} bytes, given ${memory.bytes}`);
    if (memory.on === 'gpu' && memory.device !== this.#device) {
      fail(io, `the tensor is on GPU ${memory.device}, the engine on GPU ${this.#device}`);
    }
    if (memory.on === 'gpu' && io.host) {
      fail(io, `TensorRT ${io.input ? 'reads' : 'writes'} it in host memory: give an array or a HostTensor`);
    }
    return handle;
  }

  /** What a run gives, by output name. @throws ERR_OUTPUT */
  results(places: readonly ResolvedOutput[], outputs: readonly NativeOutput[]): Record<string, Result | DeviceTensor> {
    return recordOf(
      this.#names,
      this.outputs.map(({ io, index }, i) =>
        this.#result(io, places[index]!, this.#shape(i, outputs[i]!), outputs[i]!),
      ),
    );
  }

  /** A frozen shape, the same from run to run where sizes are. */
  #shape(at: number, { shape }: NativeOutput): readonly number[] {
    const last = this.#shapes[at]!;
    if (isSameShape(last, shape)) return last;
    this.#shapes[at] = Object.freeze(shape);
    return shape;
  }

  #result(
    { name, dtype }: NativeIO,
    place: ResolvedOutput,
    shape: readonly number[],
    { data, memory }: NativeOutput,
  ): Result | DeviceTensor {
    if (typeof place === 'object' && place.tensor) return placedResult(name, place.tensor, shape);
    if (memory) return deviceTensorOf({ dtype, shape }, byteLength(dtype, countOf(shape)), memory, this.#device);
    const bytes = new Uint8Array(data!);
    if (typeof place === 'object') return writeResult(name, dtype, shape, bytes, place.array);
    return new Result(dtype, shape, viewAs(dtype, bytes));
  }
}

function fail({ name, input }: NativeIO, said: string): never {
  throw new TensorRTError(input ? 'ERR_FEED' : 'ERR_OUTPUT', `${input ? 'input' : 'output'} '${name}': ${said}`);
}

/** A tensor that was written to: itself if its shape is the result's, else one of the result's shape over its memory. */
export function placedResult(name: string, tensor: PlacedTensor, shape: readonly number[]): Result | DeviceTensor {
  if (isOnHost(tensor)) return resultIn(tensor, shape);
  checkBytes(name, tensor.dtype, shape, tensor.byteLength);
  if (isSameShape(shape, tensor.shape) && tensor instanceof DeviceTensor) return tensor;
  return new DeviceTensor({ dtype: tensor.dtype, shape }, byteLength(tensor.dtype, countOf(shape)), memoryOf(tensor));
}
