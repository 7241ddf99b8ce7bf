import { addon } from '../addon.js';
import type { FileMapping } from '../values/weight.js';

/** A mapped file as the addon has it. Pages that vanish because the file shrank read as zero; see `intact`. */
export interface MappedFile extends FileMapping {
  /** The bytes themselves, not a copy. Writes stay in memory. At most `buffer.constants.MAX_LENGTH` bytes at a time. */
  view(offset: number, length: number): ArrayBuffer;
  /** Maps pages that will be read soon, on another thread. */
  ahead(offset: number, length: number): void;
  /** False once the file became shorter than it was, or a page could not be read. */
  intact(): boolean;
  /** Detaches all views; the pages go as soon as no build uses them. */
  close(): void;
}

/** What the addon has for weights. */
interface WeightsBinding {
  /** Maps a regular file copy-on-write. Throws with `code` ERR_WEIGHTS_FILE. */
  mapFile(path: string): MappedFile;
  /**
   * Converts `count` elements between weight dtypes (by name, 4-bit types packed low nibble first), vectorised, on all
   * cores. Floats round to nearest even. Returns the index of the first element that `to` cannot hold, or -1. If that is a
   * finite one beyond a float's largest, all are converted nevertheless, and such are infinite.
   */
  convert(source: Uint8Array, from: string, target: Uint8Array, to: string, count: number): number;
  /** CRC-32 as in zip; `before` is that of what came before. */
  crc32(bytes: Uint8Array, before?: number): number;
}

/** The addon, as this folder uses it. @throws ERR_ADDON_MISSING */
export const binding = (): WeightsBinding => addon<WeightsBinding>();
