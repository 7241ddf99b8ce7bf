import { readArguments } from '../../errors/boundary.js';
import { TensorRTError } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { formatShape } from '../../values/dim.js';
import { byteLength } from '../../values/dtype.js';
import type { Place, PlacedTensor } from '../../values/placed.js';
import { placed } from '../../values/placed.js';
import { spec, type ValueType } from '../../values/spec.js';
import { binding, type Handle } from '../binding.js';
import { disposed } from './call-addon.js';

/** Memory that the addon holds for tensors. */
export class TensorMemory implements Place {
  readonly on: 'host' | 'gpu';
  readonly bytes: number;
  readonly device: number | undefined;
  /** Why the elements are not what they should be. */
  fault?: unknown;
  /** Whoever owns the memory, kept alive. */
  readonly owner: unknown;
  #handle?: Handle;

  constructor(on: 'host' | 'gpu', handle: Handle, bytes: number, device?: number, owner?: unknown) {
    this.on = on;
    this.bytes = bytes;
    this.device = device;
    this.owner = owner;
    this.#handle = handle;
  }

  /** @throws ERR_DISPOSED, and what an upload failed with */
  get handle(): Handle {
    if (!this.#handle) throw disposed('tensor');
    if (this.fault !== undefined) throw this.fault;
    return this.#handle;
  }

  get isDisposed(): boolean {
    return !this.#handle;
  }

  dispose(): void {
    if (!this.#handle) return;
    binding().disposeTensor(this.#handle);
    this.#handle = undefined;
  }
}

/** The memory of a tensor of this package. @throws ERR_INPUT for what only looks like one */
export function memoryOf(tensor: PlacedTensor): TensorMemory {
  const memory = tensor[placed];
  if (memory instanceof TensorMemory) return memory;
  throw new TensorRTError(
    'ERR_INPUT',
    'expected a HostTensor or a DeviceTensor, given an object that only looks like one',
  );
}

/** The dtype, sizes and bytes of a new tensor. @throws ERR_DTYPE, ERR_SHAPE, ERR_INPUT */
export function checkSpec(method: string, given: ValueType) {
  return readArguments(method, [given], () => {
    if (typeof given !== 'object' || given === null) {
      refuse(method, 'ERR_INPUT', `expected a dtype and sizes, as float32(8, 3) gives them`, { actual: given });
    }
    const { dtype, shape } = spec(given.dtype, given.shape);
    const named = shape.find((size) => typeof size !== 'number');
    if (named !== undefined) {
      throw new TensorRTError(
        'ERR_SHAPE',
        `${method}: expected sizes, given ${formatShape(shape)}: '${named}' is open`,
        {
          actual: shape,
        },
      );
    }
    const sizes = shape as number[];
    const count = sizes.reduce((a, b) => a * b, 1);
    return { dtype, shape: Object.freeze([...sizes]), bytes: byteLength(dtype, count) };
  });
}
