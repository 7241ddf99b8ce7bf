import { createHash } from 'node:crypto';
import { longestJson, readMetadata } from './json.js';
import { damaged, type EngineSource } from './source.js';

/** As PNG's: no text begins so, and a transfer that changes line ends or the eighth bit breaks it. `\x89NTRT\r\n\x1a` */
const magic = Uint8Array.of(0x89, 0x4e, 0x54, 0x52, 0x54, 0x0d, 0x0a, 0x1a);
const version = 1;
/** Bytes of a plan per checksum. */
export const partSize = 2 ** 24;
const fieldBytes = 64;
const headBytes = 96;
/** The plan begins at a multiple of it, so that it is mapped where a page begins. */
const alignment = 4096;

const little = true;
const alignedEnd = (jsonBytes: number, parts: number): number =>
  Math.ceil((headBytes + jsonBytes + 4 * parts) / alignment) * alignment;
const partsOf = (planBytes: number): number => Math.ceil(planBytes / partSize);

/** What stands before the plan of a container. */
export interface ContainerHead {
  metadata: Record<string, unknown>;
  /** Where the plan begins. */
  offset: number;
  /** bytes of the plan */
  bytes: number;
  /** CRC-32 of every `partSize` bytes of the plan. */
  checksums: Uint32Array;
}

/** SHA-256 of everything before the plan but itself. */
const hashOf = (fields: Uint8Array, rest: Uint8Array): Buffer =>
  createHash('sha256').update(fields).update(rest).digest();

/** What stands before a plan: see docs/engine-files.md. @throws RangeError if the metadata is too long */
export function encodeHead(metadata: object, bytes: number, checksums: Uint32Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(metadata));
  if (json.length > longestJson) throw new RangeError(`${json.length} bytes as JSON, more than ${longestJson}`);
  const offset = alignedEnd(json.length, checksums.length);
  const head = new Uint8Array(offset);
  const view = new DataView(head.buffer);
  head.set(magic);
  view.setUint32(8, version, little);
  view.setUint32(12, json.length, little);
  view.setBigUint64(16, BigInt(offset), little);
  view.setBigUint64(24, BigInt(bytes), little);
  view.setUint32(32, partSize, little);
  view.setUint32(36, checksums.length, little);
  head.set(json, headBytes);
  checksums.forEach((sum, i) => {
    view.setUint32(headBytes + json.length + 4 * i, sum, little);
  });
  head.set(hashOf(head.subarray(0, fieldBytes), head.subarray(headBytes)), fieldBytes);
  return head;
}

/** Bytes that `isContainer` looks at. */
export const firstBytes = 256;

/**
 * Whether a file begins like a container.
 * @param head the first `firstBytes` bytes, or fewer where the file is shorter
 * @throws ERR_ENGINE_FILE if it does but for some damage: such a file must not be taken for a plan
 */
export function isContainer({ name }: EngineSource, head: Uint8Array): boolean {
  const same = magic.filter((byte, i) => head[i] === byte).length;
  if (same === magic.length) return true;
  if (same > 0 && same === head.length) {
    throw damaged(name, `is an engine container that was cut off after ${head.length} bytes`);
  }
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (same > magic.length / 2 || text.includes('{"generator":"node-tensorrt')) {
    throw damaged(name, 'is a damaged engine container: its first bytes are wrong');
  }
  return false;
}

/**
 * Reads what stands before the plan. Nothing is allocated that is larger than the file, or than metadata may be.
 * @throws ERR_ENGINE_FILE
 */
export async function readContainer(source: EngineSource): Promise<ContainerHead> {
  const { name, size } = source;
  const fail = (problem: string) => damaged(name, `is a damaged engine container: ${problem}`);
  if (size < headBytes) throw fail(`it was cut off after ${size} bytes`);
  const head = await source.read(0, headBytes);
  const view = new DataView(head.buffer, head.byteOffset);
  const itsVersion = view.getUint32(8, little);
  const jsonBytes = view.getUint32(12, little);
  const offset = Number(view.getBigUint64(16, little));
  const bytes = Number(view.getBigUint64(24, little));
  const parts = view.getUint32(36, little);
  if (itsVersion !== version) {
    throw damaged(name, `is an engine container of version ${itsVersion}; this release reads version ${version}`);
  }
  if (jsonBytes > longestJson) throw fail(`its metadata claims ${jsonBytes} bytes, more than ${longestJson}`);
  if (offset + bytes !== size) {
    throw fail(
      `it claims ${offset + bytes} bytes, the file has ${size}${size < offset + bytes ? ': it was cut off' : ''}`,
    );
  }
  const isConsistent =
    view.getUint32(32, little) === partSize &&
    parts === partsOf(bytes) &&
    offset === alignedEnd(jsonBytes, parts) &&
    bytes > 0;
  if (!isConsistent) throw fail('its sizes contradict each other');
  const rest = await source.read(headBytes, offset - headBytes);
  if (!hashOf(head.subarray(0, fieldBytes), rest).equals(head.subarray(fieldBytes))) {
    throw fail('the checksum of its header is wrong');
  }
  const table = new DataView(rest.buffer, rest.byteOffset + jsonBytes);
  const checksums = Uint32Array.from({ length: parts }, (_, i) => table.getUint32(4 * i, little));
  return { metadata: await readMetadata(rest.subarray(0, jsonBytes), name), offset, bytes, checksums };
}

/**
 * Compares the checksums of a plan with those it should have.
 * @throws ERR_ENGINE_FILE, with the bytes of the plan that are damaged
 */
export function compareChecksums(name: string, expected: Uint32Array, actual: Uint32Array, planBytes: number): void {
  const wrong = [...expected.keys()].filter((i) => expected[i] !== actual[i]);
  const [first] = wrong;
  if (first === undefined) return;
  const end = Math.min(planBytes, (first + 1) * partSize);
  const others = wrong.length > 1 ? `, and ${wrong.length - 1} other parts` : '';
  throw damaged(
    name,
    `is damaged: the checksum of bytes ${first * partSize} to ${end} of its plan is wrong${others}; copy or build it again`,
  );
}
