import { asText } from '../../errors/primitive.js';
import { type DType, type TypedArray, viewAs } from '../../values/dtype.js';
import { type HostPlaced, placed } from '../../values/placed.js';
import type { ValueType } from '../../values/spec.js';
import { binding, type HostMemory } from '../binding.js';
import { callNow, disposed } from './call-addon.js';
import { checkSpec, TensorMemory } from './memory.js';
import { warnOfPageable } from './warn.js';

/**
 * Elements in page-locked memory, from and to which a GPU copies by itself. As a feed it is read where it is, and as an output written
 * there, so leave it alone until the promise of the run settles.
 */
export class HostTensor implements HostPlaced {
  /** Dtype of its elements. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** bytes */
  readonly byteLength: number;
  /** False if the system refused to page-lock the memory: it is ordinary then, and works all the same. */
  readonly isPinned: boolean;
  readonly #data: TypedArray;
  /** @internal */
  declare readonly [placed]: TensorMemory;

  /** @internal */
  constructor({ dtype, shape }: { dtype: DType; shape: readonly number[] }, bytes: number) {
    const { handle, data, pinned } = callNow(() => binding().hostTensor(bytes));
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = bytes;
    this.isPinned = pinned;
    this.#data = viewAs(dtype, new Uint8Array(data, 0, bytes));
    Object.defineProperty(this, placed, { value: new TensorMemory('host', handle, bytes) });
  }

  /**
   * Row-major elements, in the typed array that results have: float16 and bfloat16 as their bits, 4-bit types packed. Zeros at first.
   * @throws ERR_DISPOSED
   */
  get data(): TypedArray {
    if (this[placed].isDisposed) throw disposed('tensor');
    return this.#data;
  }

  /** Frees the memory once no run uses it, and detaches `data`; later uses throw ERR_DISPOSED. */
  dispose(): void {
    this[placed].dispose();
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Throws where an operator such as `*` asks for a number. @throws ERR_INPUT */
  [Symbol.toPrimitive](hint: string): string {
    return asText(hint, this.toString(), 'its elements are in .data');
  }
}

/**
 * Makes a tensor in page-locked memory: `hostTensor(float32(8, 3, 224, 224))`. Where the system refuses to page-lock more, it is ordinary
 * memory; a warning says so once. Needs no GPU.
 * @param type dtype and sizes
 * @throws ERR_DTYPE, ERR_SHAPE if a size is a name, ERR_OUT_OF_MEMORY
 */
export function hostTensor(type: ValueType): HostTensor {
  const { bytes, ...checked } = checkSpec('hostTensor', type);
  const tensor = new HostTensor(checked, bytes);
  if (!tensor.isPinned && bytes > 0) warnOfPageable();
  return tensor;
}

/**
 * Page-locked memory of this process: bytes in use, bytes kept for reuse, and the limit for both. The limit is this package's own: a
 * quarter of the memory that the machine or the container has, or the bytes in `NODE_TENSORRT_PINNED_LIMIT`. The system has others,
 * such as `ulimit -l`; `refused` has its reason where it refused more.
 * @throws ERR_ARGUMENT if `NODE_TENSORRT_PINNED_LIMIT` is no number
 */
export function hostMemory(): HostMemory {
  return callNow(() => binding().hostMemory());
}
