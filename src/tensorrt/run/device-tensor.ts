import { readArguments } from '../../errors/boundary.js';
import { show, TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { asText } from '../../errors/primitive.js';
import { refuse } from '../../errors/refusal.js';
import { bytesOf, type DType, type HalfArray, type TypedArray, viewAs } from '../../values/dtype.js';
import type { Scalar } from '../../values/elements.js';
import { resolveFeeds } from '../../values/feeds.js';
import { type PlacedTensor, placed } from '../../values/placed.js';
import { Result } from '../../values/result.js';
import type { ValueType } from '../../values/spec.js';
import { binding, type DeviceMemoryUse, type Handle } from '../binding.js';
import { callAddon, callNow } from './call-addon.js';
import { checkSpec, TensorMemory } from './memory.js';

/** Elements for a tensor on the GPU, as feeds are: in the typed array of the dtype, or numbers that are converted. */
export type Elements = TypedArray | HalfArray | readonly Scalar[];

/** Options of `deviceTensor`. */
export interface DeviceTensorOptions {
  /** Index of the GPU. Default 0. */
  device?: number | undefined;
}

interface Sized {
  dtype: DType;
  shape: readonly number[];
}

/**
 * Elements in the memory of a GPU. As a feed or an output they are used where they are. Runs and copies that use the same tensor keep
 * their order: whatever was called later sees what was written before. Forgotten tensors are freed by the garbage collector.
 */
export class DeviceTensor implements PlacedTensor {
  /** Dtype of its elements. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** bytes */
  readonly byteLength: number;
  /** Index of the GPU. */
  readonly device: number;
  /** @internal */
  declare readonly [placed]: TensorMemory;

  /** @internal */
  constructor({ dtype, shape }: Sized, bytes: number, memory: TensorMemory) {
    this.dtype = dtype;
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.byteLength = bytes;
    this.device = memory.device!;
    Object.defineProperty(this, placed, { value: memory });
  }

  /** Address on the GPU, for other libraries. @throws ERR_DISPOSED */
  get pointer(): bigint {
    const { handle } = this[placed];
    return callNow(() => binding().pointerOf(handle));
  }

  /**
   * Writes all elements. They are copied before this returns, so the array may change afterwards; runs that are called later see them.
   * @throws ERR_FEED if they are not the tensor's, ERR_DISPOSED, ERR_CUDA
   */
  async upload(data: Elements): Promise<void> {
    await this.write(data);
  }

  /** @internal The elements are copied before this returns. A failure is also thrown by whatever uses the tensor next. */
  write(data: Elements): Promise<void> {
    const { dtype, shape } = this;
    const type = { name: 'data', dtype, shape };
    const { feeds } = resolveFeeds([type], { data: { shape, data } });
    const memory = this[placed];
    memory.fault = undefined;
    const { handle } = memory;
    const done = callAddon(() => binding().upload(handle, bytesOf(feeds[0]!.data)));
    done.catch((error: unknown) => {
      memory.fault = error;
    });
    return done;
  }

  /** The elements, once all that was called before has written them. @throws ERR_DISPOSED, ERR_CUDA */
  async download(): Promise<Result> {
    const { handle } = this[placed];
    const { dtype, shape, byteLength } = this;
    const data = await callAddon(() => binding().download(handle));
    return new Result(dtype, shape, viewAs(dtype, new Uint8Array(data, 0, byteLength)));
  }

  /** Frees the memory once no run uses it; later uses throw ERR_DISPOSED. */
  dispose(): void {
    this[placed].dispose();
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Throws where an operator such as `*` asks for a number. @throws ERR_INPUT */
  [Symbol.toPrimitive](hint: string): string {
    return asText(hint, this.toString(), 'its elements come with await tensor.download()');
  }
}

/** A tensor over memory that a run has made. */
export const deviceTensorOf = (type: Sized, bytes: number, handle: Handle, device: number): DeviceTensor =>
  new DeviceTensor(type, bytes, new TensorMemory('gpu', handle, bytes, device));

/** @throws ERR_PARAMETER */
export function checkDevice(method: string, device: unknown): number {
  if (device === undefined) return 0;
  if (typeof device === 'number' && Number.isInteger(device) && device >= 0) return device;
  return refuse(method, 'ERR_PARAMETER', `expected the index of a GPU, given ${show(device)}`, { option: 'device' });
}

function readOptions(method: string, options: DeviceTensorOptions | undefined): number {
  if (options === undefined) return 0;
  return readArguments(method, [options], () => {
    checkOptions(options, ['device'], method);
    return checkDevice(method, options.device);
  });
}

/**
 * Makes a tensor on a GPU: `deviceTensor(float32(8, 3, 224, 224))`. Without data its elements are whatever was there.
 * @param type dtype and sizes
 * @param data its elements, copied before this returns
 * @throws ERR_NO_GPU, ERR_OUT_OF_MEMORY, ERR_DTYPE, ERR_SHAPE if a size is a name, ERR_FEED if the data does not fit, ERR_PARAMETER
 */
export function deviceTensor(type: ValueType, data?: Elements, options?: DeviceTensorOptions): DeviceTensor {
  const { bytes, ...checked } = checkSpec('deviceTensor', type);
  const device = readOptions('deviceTensor', options);
  const handle = callNow(() => binding().deviceTensor(device, bytes));
  const tensor = deviceTensorOf(checked, bytes, handle, device);
  if (data === undefined) return tensor;
  try {
    void tensor.write(data).catch(() => {});
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}

/**
 * A tensor over memory that somebody else owns, such as another library. It is not freed by `dispose`.
 * @param pointer address on the GPU, valid for all bytes of the tensor until it is disposed or collected and no run uses it; what others
 *   do with the memory, through another tensor too, is not waited for
 * @param type dtype and sizes
 * @param owner is kept alive as long as the tensor
 * @throws ERR_NO_GPU, ERR_INPUT, ERR_DTYPE, ERR_SHAPE, ERR_PARAMETER; ERR_ARGUMENT if the driver knows of no such memory on this GPU, or
 *   the address is no multiple of 256, which TensorRT demands
 */
deviceTensor.from = (
  pointer: bigint,
  type: ValueType,
  owner?: unknown,
  options?: DeviceTensorOptions,
): DeviceTensor => {
  const method = 'deviceTensor.from';
  if (typeof pointer !== 'bigint' || pointer <= 0n || pointer >= 2n ** 64n) {
    throw new TensorRTError('ERR_INPUT', `${method}: expected an address as bigint, given ${show(pointer)}`);
  }
  const { bytes, ...checked } = checkSpec(method, type);
  const device = readOptions(method, options);
  const handle = callNow(() => binding().deviceTensorAt(device, pointer, bytes));
  return new DeviceTensor(checked, bytes, new TensorMemory('gpu', handle, bytes, device, owner));
};

/** Memory of a GPU: bytes that are free, bytes in all, and those that tensors and contexts of this process use. @throws ERR_NO_GPU */
export function deviceMemory(device = 0): DeviceMemoryUse {
  const checked = checkDevice('deviceMemory', device);
  return callNow(() => binding().deviceMemory(checked));
}
