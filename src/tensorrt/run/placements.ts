import { TensorRTError } from '../../errors/error.js';
import { byteLength, bytesOf, viewAs } from '../../values/dtype.js';
import type { ResolvedFeed } from '../../values/feeds.js';
import { checkBytes, type ResolvedOutput, resultIn, writeResult } from '../../values/outputs.js';
import { isOnHost, type PlacedTensor } from '../../values/placed.js';
import { Result } from '../../values/result.js';
import type { NativeEngine, NativeIO, NativeOutput, Placement } from '../binding.js';
import { DeviceTensor, deviceTensorOf } from './device-tensor.js';
import type { EngineIO } from './engine.js';
import { memoryOf } from './memory.js';

/** Inputs and outputs in the addon's order, and where each stands in the engine's lists. */
export class Layout {
  readonly io: readonly NativeIO[];
  readonly #device: number;
  /** Of an input in the engine's inputs, of an output in its outputs. */
  readonly #indices: readonly number[];
  /** Outputs in the addon's order. */
  readonly outputs: readonly { io: NativeIO; index: number }[];
  readonly #inPlace = new Map<string, string>();

  constructor(native: NativeEngine, inputs: readonly EngineIO[], outputs: readonly EngineIO[], device: number) {
    this.io = native.io;
    this.#device = device;
    const at = (list: readonly EngineIO[], name: string) => list.findIndex((one) => one.name === name);
    this.#indices = native.io.map(({ name, input }) => at(input ? inputs : outputs, name));
    this.outputs = native.io.flatMap((io, i) => (io.input ? [] : [{ io, index: this.#indices[i]! }]));
    for (const { name, alias } of native.io) if (alias >= 0) this.#inPlace.set(name, native.io[alias]!.name);
  }

  /** The input that an output may share a tensor with. */
  inPlace(output: string): string | undefined {
    return this.#inPlace.get(output);
  }

  /** What the addon gets. @throws ERR_FEED, ERR_OUTPUT, ERR_DISPOSED */
  place(feeds: readonly ResolvedFeed[], outputs: readonly ResolvedOutput[]): Placement[] {
    return this.io.map((io, i) => {
      const index = this.#indices[i]!;
      return io.input ? this.#input(io, feeds[index]!) : this.#output(io, outputs[index]!);
    });
  }

  #input(io: NativeIO, { name, dtype, shape, data, isOwn, placed }: ResolvedFeed): Placement {
    const bytes = byteLength(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    if (placed) {
      const memory = this.#memory(io, placed, 'ERR_FEED', bytes);
      return { shape, memory };
    }
    // The caller's code may have run since the feed was checked: a getter of another feed.
    if (data.byteLength !== bytes) {
      throw new TensorRTError('ERR_FEED', `input '${name}': the array was detached or resized while feeds were read`);
    }
    return { shape, data: bytesOf(data), ...(isOwn && { transfer: true }) };
  }

  #output(io: NativeIO, place: ResolvedOutput): Placement {
    if (place === 'device') return io.host ? undefined : 'device';
    if (place === 'host' || 'array' in place) return undefined;
    return { memory: this.#memory(io, place.tensor, 'ERR_OUTPUT', 0) };
  }

  #memory(io: NativeIO, tensor: PlacedTensor, code: string, bytes: number) {
    const fail = (said: string): never => {
      throw new TensorRTError(code, `${io.input ? 'input' : 'output'} '${io.name}': ${said}`);
    };
    const memory = memoryOf(tensor);
    const { handle } = memory;
    if (memory.bytes < bytes) fail(`expected ${bytes} bytes, given ${memory.bytes}`);
    if (memory.on === 'gpu' && memory.device !== this.#device) {
      fail(`the tensor is on GPU ${memory.device}, the engine on GPU ${this.#device}`);
    }
    if (memory.on === 'gpu' && io.host) {
      fail(`TensorRT ${io.input ? 'reads' : 'writes'} it in host memory: give an array or a HostTensor`);
    }
    return handle;
  }

  /** What a run gives, by output name. @throws ERR_OUTPUT */
  results(places: readonly ResolvedOutput[], outputs: readonly NativeOutput[]): Record<string, Result | DeviceTensor> {
    return Object.fromEntries(
      this.outputs.map(({ io, index }, i) => [io.name, this.#result(io, places[index]!, outputs[i]!)]),
    );
  }

  #result(
    { name, dtype }: NativeIO,
    place: ResolvedOutput,
    { shape, data, memory }: NativeOutput,
  ): Result | DeviceTensor {
    if (typeof place === 'object' && 'tensor' in place) return placedResult(name, place.tensor, shape);
    if (memory) {
      const bytes = byteLength(
        dtype,
        shape.reduce((a, b) => a * b, 1),
      );
      return deviceTensorOf({ dtype, shape }, bytes, memory, this.#device);
    }
    const bytes = new Uint8Array(data!);
    if (typeof place === 'object') return writeResult(name, dtype, shape, bytes, place.array);
    return new Result(dtype, shape, viewAs(dtype, bytes));
  }
}

/** A tensor that was written to: itself if its shape is the result's, else one of the result's shape over its memory. */
export function placedResult(name: string, tensor: PlacedTensor, shape: readonly number[]): Result | DeviceTensor {
  if (isOnHost(tensor)) return resultIn(tensor, shape);
  checkBytes(name, tensor.dtype, shape, tensor.byteLength);
  const isSame = shape.length === tensor.shape.length && shape.every((size, axis) => size === tensor.shape[axis]);
  if (isSame && tensor instanceof DeviceTensor) return tensor;
  const count = shape.reduce((a, b) => a * b, 1);
  return new DeviceTensor({ dtype: tensor.dtype, shape }, byteLength(tensor.dtype, count), memoryOf(tensor));
}
