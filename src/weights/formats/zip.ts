import { Buffer } from 'node:buffer';
import { createInflateRaw, inflateRawSync, constants as zlib } from 'node:zlib';
import type { TensorRTError } from '../../errors/error.js';
import type { Pace } from '../../pace.js';
import { binding } from '../binding.js';
import type { ByteSource } from '../byte-source.js';
import { type Malformed, malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';
import { maxTensors } from './parsed-file.js';
import { sortBy } from './sort.js';
import type { Work } from './work.js';
import { type Entry, findDirectory, nameOf, readEntry } from './zip-directory.js';

/** Deflate cannot compress further (zlib's technical notes), so a larger claim is false. */
const bestRatio = 1032;
const fewestFree = 64;
const sizeOfLocalHeader = 30;
const stepsPerMember = 16;
/** Bytes whose checksum is made without a look at the clock. */
const piece = 2 ** 22;

export const looksLikeZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));

/** A zip's files by name. */
export interface Zip {
  readonly members: ReadonlyMap<string, ZipMember>;
  /** Members as the end record counts them: Python goes by the directory's size, PyTorch by this. */
  readonly counted: number;
}

/**
 * Lists a zip through its central directory, as Python's zipfile does. Refused: duplicate names, encryption, methods other than
 * stored and deflated, members that share bytes, local headers of another name, sizes that deflate cannot reach.
 * Names are names: nothing is extracted.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function readZip(source: ByteSource, work: Work): Promise<Zip> {
  const fail: Malformed = (problem) => malformed(source.name, `as a zip: ${problem}`);
  const { begin, length, shift, counted } = findDirectory(source, fail);
  if (counted > maxTensors) throw fail(`holds ${counted} members, more than ${maxTensors}`);
  const directory = asBuffer(source.read(begin, length));
  const members = new Map<string, ZipMember>();
  for (let at = 0; at < length; ) {
    if (work.due()) await work.rest();
    work.spend(stepsPerMember);
    const entry = readEntry(directory, at, shift, fail);
    at = entry.end;
    if (members.size === maxTensors) throw fail(`holds more than ${maxTensors} members`);
    if (members.has(entry.name)) throw fail(`holds ${label(entry.name)} twice`);
    members.set(entry.name, open(entry, directory, source, fail));
  }
  const sorted = await sortBy([...members.values()], (member) => member.header, work);
  for (let i = 1; i < sorted.length; i++) {
    if (work.due()) await work.rest();
    if (sorted[i]!.header < sorted[i - 1]!.end)
      throw fail(`${label(sorted[i]!.name)} shares bytes with another member`);
  }
  return { members, counted };
}

const label = (name: string): string => JSON.stringify(name.slice(0, 200));

/** The member of an entry, whose local header must agree. */
function open(entry: Entry, directory: Buffer, source: ByteSource, fail: Malformed): ZipMember {
  const { name, flags, method, packed, size, header } = entry;
  if (flags & 0x41) throw fail(`${label(name)} is encrypted`);
  if (flags & 0x20) throw fail(`${label(name)} is a patch, which needs another file`);
  if (method !== 0 && method !== 8)
    throw fail(`${label(name)} is compressed by method ${method}; expected stored or deflated`);
  if (method === 0 && packed !== size)
    throw fail(`${label(name)} is stored, but claims ${size} bytes out of ${packed}`);
  if (method === 8 && size > packed * bestRatio + fewestFree)
    throw fail(`${label(name)} claims ${size} bytes out of ${packed}, more than deflate can hold`);
  const cut = () => fail(`${label(name)} lies outside the file`);
  if (header < 0 || header + sizeOfLocalHeader > source.size) throw cut();
  const local = asBuffer(source.read(header, sizeOfLocalHeader));
  if (local.readUInt32LE() !== 0x04034b50) throw fail(`${label(name)} has no local header`);
  const [nameLength, extraLength] = [local.readUInt16LE(26), local.readUInt16LE(28)];
  const begin = header + sizeOfLocalHeader + nameLength + extraLength;
  if (begin + packed > source.size) throw cut();
  const raw = asBuffer(source.read(header + sizeOfLocalHeader, nameLength));
  const given = directory.subarray(entry.nameBegin, entry.nameEnd);
  // Compared as text, as Python does: the two may be written in different encodings.
  const another = () => fail(`${label(name)} has another name in its local header`);
  if (!raw.equals(given) && nameOf(raw, local.readUInt16LE(6), another) !== nameOf(given, flags, fail)) throw another();
  return new ZipMember(source, fail, name, header, begin, packed, size, method === 0, entry.crc32);
}

/** A file within a zip. */
export class ZipMember {
  constructor(
    readonly source: ByteSource,
    readonly fail: Malformed,
    readonly name: string,
    /** Byte at which its local header begins. */
    readonly header: number,
    readonly begin: number,
    /** bytes in the file */
    readonly packed: number,
    /** bytes, uncompressed */
    readonly size: number,
    /** Not compressed: `read` is a view. */
    readonly stored: boolean,
    readonly crc32: number,
  ) {}

  /** Byte after the elements. */
  get end(): number {
    return this.begin + this.packed;
  }

  /** All bytes. @throws ERR_WEIGHTS_FORMAT if they do not inflate to the declared size, or the CRC-32 is wrong */
  read(): Uint8Array {
    const bytes = this.stored ? this.#raw() : this.#inflated();
    if (binding().crc32(bytes) !== this.crc32) throw this.#damaged();
    return bytes;
  }

  /** Like `read`, without looking at the CRC-32 of stored members. */
  readUnchecked(): Uint8Array {
    return this.stored ? this.#raw() : this.read();
  }

  /** Like `read`, letting other events happen meanwhile. */
  async load(pace: Pace): Promise<Uint8Array> {
    const bytes = this.stored ? this.#raw() : await this.#inflating(pace);
    let crc = 0;
    for (let at = 0; at < bytes.length; at += piece) {
      crc = binding().crc32(bytes.subarray(at, at + piece), crc);
      if (pace.due(piece)) await pace.rest();
    }
    if (crc !== this.crc32) throw this.#damaged();
    return bytes;
  }

  /** At least the first `length` bytes, or all. */
  async head(length: number): Promise<Uint8Array> {
    if (this.stored) return this.#raw().subarray(0, length);
    return await inflateHead(this.#raw(), Math.min(length, this.size), (problem) => this.#problem(problem));
  }

  #raw(): Uint8Array {
    return this.source.read(this.begin, this.packed);
  }

  #inflated(): Uint8Array {
    let bytes: Buffer;
    try {
      bytes = inflateRawSync(this.#raw(), { maxOutputLength: Math.max(1, this.size) });
    } catch (cause) {
      throw this.#problem(`does not inflate to the ${this.size} bytes it claims: ${(cause as Error).message}`);
    }
    if (bytes.length !== this.size) throw this.#problem(`inflates to ${bytes.length} bytes, it claims ${this.size}`);
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The same off this thread, into memory that grows only as there is something to fill it. */
  async #inflating(pace: Pace): Promise<Uint8Array> {
    const stream = createInflateRaw();
    const parts: Buffer[] = [];
    let length = 0;
    try {
      stream.end(ownCopy(this.#raw()));
      for await (const part of stream) {
        length += (part as Buffer).length;
        if (length > this.size) break;
        parts.push(part as Buffer);
        if (pace.due()) await pace.rest();
      }
    } catch (cause) {
      throw this.#problem(`does not inflate to the ${this.size} bytes it claims: ${(cause as Error).message}`);
    }
    if (length !== this.size)
      throw this.#problem(`inflates to ${length > this.size ? 'more' : length} bytes, it claims ${this.size}`);
    return new Uint8Array(Buffer.concat(parts, length));
  }

  #problem(problem: string): TensorRTError {
    return this.fail(`${label(this.name)} ${problem}`);
  }

  #damaged(): TensorRTError {
    return this.#problem('is damaged: its CRC-32 does not match');
  }
}

/** For a stream, whose thread reads on for a while after it was destroyed: the file may be unmapped by then. */
const ownCopy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/** Bytes of input that hold the head of most files, and what they may inflate to. */
const usual = { packed: 256, size: 2 ** 14 };

/** At least the first `length` bytes, or all, however many more the rest would be. */
async function inflateHead(packed: Uint8Array, length: number, fail: Malformed): Promise<Uint8Array> {
  const finishFlush = zlib.Z_SYNC_FLUSH;
  const some = packed.subarray(0, usual.packed);
  try {
    const bytes = inflateRawSync(some, { finishFlush, maxOutputLength: usual.size });
    if (bytes.length >= length || some.length === packed.length) return new Uint8Array(bytes);
  } catch (cause) {
    // A RangeError says that it would be more.
    if (!(cause instanceof RangeError)) throw fail(`does not inflate: ${(cause as Error).message}`);
  }
  // A stream makes one chunk at a time; the input is as much as can hold so many bytes, incompressible ones included.
  const enough = packed.subarray(0, length + 5 * Math.ceil(length / 16_384) + 512);
  const stream = createInflateRaw({ finishFlush, chunkSize: Math.max(64, length) });
  try {
    stream.end(ownCopy(enough));
    for await (const bytes of stream) return new Uint8Array(bytes as Buffer);
  } catch (cause) {
    throw fail(`does not inflate: ${(cause as Error).message}`);
  }
  return new Uint8Array(0);
}
