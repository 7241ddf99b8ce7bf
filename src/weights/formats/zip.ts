import { Buffer } from 'node:buffer';
import { inflateRawSync, constants as zlib } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { TensorRTError } from '../../errors/error.js';
import { binding } from '../binding.js';
import type { ByteSource } from '../byte-source.js';
import { type Malformed, malformed } from '../format-error.js';
import { maxTensors } from './parsed-file.js';

/** A file within a zip. */
export interface ZipMember {
  readonly name: string;
  /** bytes, uncompressed */
  readonly size: number;
  /** Not compressed: `read` is a view. */
  readonly stored: boolean;
  /** All bytes. @throws ERR_WEIGHTS_FORMAT if they do not inflate to the declared size, or the CRC-32 is wrong */
  read(): Uint8Array;
  /** Like `read`, without looking at the CRC-32 of stored members. */
  readUnchecked(): Uint8Array;
  /** At least the first `length` bytes, or all. */
  head(length: number): Uint8Array;
}

/** Deflate cannot compress further (zlib's technical notes), so a larger claim is false. */
const bestRatio = 1032;
const fewestFree = 64;

export const looksLikeZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));

/**
 * Lists a zip through its central directory. Refused: names that leave the folder (absolute, `..`, backslashes),
 * duplicate names, encryption, methods other than stored and deflated, members that share bytes, local headers of
 * another name, sizes that deflate cannot reach.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipMember>> {
  const fail = (problem: string) => malformed(source.name, `as a zip: ${problem}`);
  const members = new Map<string, ZipMember>();
  const ranges: [number, number, string][] = [];
  try {
    const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
      strictFileNames: true,
      autoClose: false,
    });
    if (zip.entryCount > maxTensors) throw fail(`holds ${zip.entryCount} members, more than ${maxTensors}`);
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const label = JSON.stringify(name.slice(0, 200));
      if (members.has(name)) throw fail(`holds ${label} twice`);
      ranges.push([entry.relativeOffsetOfLocalHeader, await member(zip, entry, source, members, fail), name]);
    }
  } catch (error) {
    if (error instanceof TensorRTError) throw error;
    throw fail((error as Error).message);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < ranges.length; i++) {
    if (ranges[i]![0] < ranges[i - 1]![1])
      throw fail(`${JSON.stringify(ranges[i]![2].slice(0, 200))} shares bytes with another member`);
  }
  return members;
}

async function member(
  zip: ZipFile,
  entry: Entry,
  source: ByteSource,
  members: Map<string, ZipMember>,
  fail: Malformed,
): Promise<number> {
  const { fileName: name, compressedSize, uncompressedSize: size, compressionMethod: method } = entry;
  const label = JSON.stringify(name.slice(0, 200));
  if (entry.isEncrypted()) throw fail(`${label} is encrypted`);
  if (method !== 0 && method !== 8)
    throw fail(`${label} is compressed by method ${method}; expected stored or deflated`);
  if (method === 8 && size > compressedSize * bestRatio + fewestFree) {
    throw fail(`${label} claims ${size} bytes out of ${compressedSize}, more than deflate can hold`);
  }
  const local = await zip.readLocalFileHeaderPromise(entry);
  if (Buffer.compare(local.fileName, (entry as Entry & { fileNameRaw: Buffer }).fileNameRaw) !== 0) {
    throw fail(`${label} has another name in its local header`);
  }
  const begin = local.fileDataStart;
  const raw = () => source.read(begin, compressedSize);
  const inflate = () => inflateMember(raw(), size, (problem) => fail(`${label} ${problem}`));
  const check = (bytes: Uint8Array) => {
    if (binding().crc32(bytes) !== entry.crc32) throw fail(`${label} is damaged: its CRC-32 does not match`);
    return bytes;
  };
  members.set(name, {
    name,
    size,
    stored: method === 0,
    read: () => check(method === 0 ? raw() : inflate()),
    readUnchecked: () => (method === 0 ? raw() : check(inflate())),
    head: (length) =>
      method === 0 ? raw().subarray(0, length) : inflateHead(raw(), length, (problem) => fail(`${label} ${problem}`)),
  });
  return begin + compressedSize;
}

function inflateMember(compressed: Uint8Array, size: number, fail: Malformed): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(compressed, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw fail(`does not inflate to the ${size} bytes it claims: ${(cause as Error).message}`);
  }
  if (bytes.length !== size) throw fail(`inflates to ${bytes.length} bytes, it claims ${size}`);
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

/** Inflates only as much of the input as can hold `length` bytes of output, incompressible ones included. */
function inflateHead(compressed: Uint8Array, length: number, fail: Malformed): Uint8Array {
  const enough = compressed.subarray(0, length + 5 * Math.ceil(length / 16_384) + 512);
  try {
    const bytes = inflateRawSync(enough, {
      finishFlush: zlib.Z_SYNC_FLUSH,
      maxOutputLength: enough.length * bestRatio + fewestFree,
    });
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.min(length, bytes.byteLength));
  } catch (cause) {
    throw fail(`does not inflate: ${(cause as Error).message}`);
  }
}

class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    let problem: Error | null = null;
    try {
      if (position < 0 || position + length > this.#source.size) throw new Error('unexpected end of the file');
      buffer.set(this.#source.read(position, length), offset);
    } catch (error) {
      problem = error as Error;
    }
    process.nextTick(done, problem);
  }

  // Elements are read from the source itself, never through streams.
  override _readStreamForRange(): never {
    throw new Error('not used');
  }
}
