import { constants } from 'node:buffer';
import { TensorRTError } from '../errors/error.js';
import { bytesOf } from '../values/dtype.js';
import { checkMapping, setMapping } from '../values/weight.js';
import { binding, type MappedFile } from './binding.js';

/** Bytes that weights are read from: a mapped file, or memory. */
export interface ByteSource {
  /** What errors call it: the path. */
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** A view of a range, not a copy. @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED, ERR_WEIGHTS_TOO_LARGE */
  read(offset: number, length: number): Uint8Array;
  /** @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED */
  check(): void;
  dispose(): void;
}

export const disposed = (name: string): TensorRTError =>
  new TensorRTError('ERR_DISPOSED', `The weights of ${name} were disposed; load them again to read them`);

/** Small tensors share buffers of this size; V8 collects garbage when much larger ones appear. */
const part = 2 ** 24;
const largeRead = 2 ** 20;
const window = 128 * 2 ** 20;

/** A file mapped copy-on-write through the addon. */
export class MappedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #mapping: MappedFile;
  /** Buffers over the parts of `part` bytes read so far. */
  readonly #parts = new Map<number, Uint8Array>();
  #disposed = false;
  /** Where the last large read ended, and how far pages were requested. */
  #last = -1;
  #ahead = 0;

  /** @throws ERR_WEIGHTS_FILE if the file cannot be opened or is not a regular file */
  constructor(path: string) {
    try {
      this.#mapping = binding().mapFile(path);
    } catch (cause) {
      if (cause instanceof TensorRTError) throw cause;
      throw new TensorRTError('ERR_WEIGHTS_FILE', `${path} cannot be read: ${(cause as Error).message}`, { cause });
    }
    this.name = path;
    this.size = this.#mapping.size;
  }

  check(): void {
    if (this.#disposed) throw disposed(this.name);
    checkMapping(this.#mapping);
  }

  read(offset: number, length: number): Uint8Array {
    this.check();
    if (length > constants.MAX_LENGTH) {
      throw new TensorRTError(
        'ERR_WEIGHTS_TOO_LARGE',
        `${this.name}: a tensor of ${length} bytes is more than this Node can view at once (${constants.MAX_LENGTH})`,
      );
    }
    this.#follow(offset, offset + length);
    const index = Math.floor(offset / part);
    if (offset + length <= (index + 1) * part) {
      let shared = this.#parts.get(index);
      if (!shared) {
        shared = this.#view(index * part, Math.min(part, this.size - index * part));
        this.#parts.set(index, shared);
      }
      return shared.subarray(offset - index * part, offset - index * part + length);
    }
    // Begun at a multiple of eight, so that aligned elements stay aligned.
    const begin = offset - (offset % 8);
    return this.#view(begin, offset - begin + length).subarray(offset - begin);
  }

  #view(offset: number, length: number): Uint8Array {
    const buffer = this.#mapping.view(offset, length);
    setMapping(buffer, this.#mapping);
    return new Uint8Array(buffer);
  }

  /** When large reads follow each other, maps the next pages meanwhile. */
  #follow(offset: number, end: number): void {
    if (end - offset < largeRead) return;
    const follows = offset === this.#last;
    this.#last = end;
    if (!follows || end + window / 2 < this.#ahead) return;
    const from = Math.max(this.#ahead, end);
    this.#mapping.ahead(from, window);
    this.#ahead = from + window;
  }

  dispose(): void {
    this.#disposed = true;
    this.#parts.clear();
    this.#mapping.close();
  }
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  #bytes: Uint8Array | undefined;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.byteLength;
    // Not a Buffer, whose `slice` is no copy.
    this.#bytes = bytesOf(bytes);
  }

  check(): void {
    this.#present();
  }

  read(offset: number, length: number): Uint8Array {
    return this.#present().subarray(offset, offset + length);
  }

  #present(): Uint8Array {
    if (!this.#bytes) throw disposed(this.name);
    if (this.#bytes.byteLength === this.size) return this.#bytes;
    throw new TensorRTError(
      'ERR_DISPOSED',
      `The bytes of ${this.name} are gone: their array was detached: give bytes that stay until the weights are disposed`,
    );
  }

  dispose(): void {
    this.#bytes = undefined;
  }
}
