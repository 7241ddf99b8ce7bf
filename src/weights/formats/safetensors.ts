import { type Json, JsonFloat, parseJson } from '../../strict-json.js';
import type { ByteSource } from '../byte-source.js';
import { elementCount, maxRank, shapeText, type WeightDType } from '../dtype.js';
import { type Malformed, malformed } from '../format-error.js';
import { maxTensors, type ParsedFile, type TensorEntry } from './parsed-file.js';
import { sortBy } from './sort.js';
import { stepsPerName, type Work } from './work.js';

/** The official reader's limit (MAX_HEADER_SIZE of safetensors/src/tensor.rs). */
export const maxHeader = 100_000_000;

/** Element types of safetensors: bits, and the dtype here, if any. In order of increasing alignment, as files are written. */
export const safetensorsDTypes: ReadonlyMap<string, { bits: number; dtype?: WeightDType }> = new Map(
  Object.entries({
    BOOL: { bits: 8, dtype: 'bool' },
    F4: { bits: 4, dtype: 'float4e2m1' },
    F6_E2M3: { bits: 6 },
    F6_E3M2: { bits: 6 },
    U8: { bits: 8, dtype: 'uint8' },
    I8: { bits: 8, dtype: 'int8' },
    F8_E5M2: { bits: 8, dtype: 'float8e5m2' },
    F8_E4M3: { bits: 8, dtype: 'float8e4m3' },
    F8_E8M0: { bits: 8, dtype: 'float8e8m0' },
    F8_E4M3FNUZ: { bits: 8 },
    F8_E5M2FNUZ: { bits: 8 },
    I16: { bits: 16, dtype: 'int16' },
    U16: { bits: 16, dtype: 'uint16' },
    F16: { bits: 16, dtype: 'float16' },
    BF16: { bits: 16, dtype: 'bfloat16' },
    I32: { bits: 32, dtype: 'int32' },
    U32: { bits: 32, dtype: 'uint32' },
    F32: { bits: 32, dtype: 'float32' },
    C64: { bits: 64 },
    F64: { bits: 64, dtype: 'float64' },
    I64: { bits: 64, dtype: 'int64' },
    U64: { bits: 64, dtype: 'uint64' },
  } as const),
);

const length64 = 8;
const max64 = 2n ** 64n - 1n;

interface Info {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** Whether the bytes begin like safetensors: eight of a length, then `{`. */
export function looksLikeSafetensors(head: Uint8Array): boolean {
  return head.length >= length64 + 2 && head.subarray(length64).find((byte) => !isSpace(byte)) === 0x7b;
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Reads the header of a safetensors file: 8 bytes of little-endian length, that much JSON, then the elements.
 * Format: https://huggingface.co/docs/safetensors. Accepts what the official reader (0.8) accepts, except, where it
 * would drop or guess: duplicate keys, tensor entries written as arrays, dims or offsets above 2^53; and more than
 * 64 axes or a million tensors.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function parseSafetensors(source: ByteSource, work: Work): Promise<ParsedFile> {
  const fail = (problem: string) => malformed(source.name, problem);
  if (source.size < length64) throw fail(`expected at least 8 bytes of safetensors, the file has ${source.size}`);
  const head = source.read(0, length64);
  const n = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (n > BigInt(maxHeader))
    throw fail(`its header claims ${n} bytes, more than the ${maxHeader} that safetensors allows`);
  const begin = length64 + Number(n);
  if (begin > source.size)
    throw fail(
      `its header claims ${n} bytes, the file ends ${source.size - length64} after the length; it was cut off`,
    );
  const header = await parseJson(source.read(length64, Number(n)), (problem) => fail(`its header ${problem}`), work);
  if (!(header instanceof Map)) throw fail('its header is not a JSON object');

  if (header.size - Number(header.has('__metadata__')) > maxTensors)
    throw fail(`it holds ${header.size} tensors, more than ${maxTensors}`);
  const metadata = readMetadata(header.get('__metadata__'), fail);
  const infos: Info[] = [];
  for (const [name, value] of header) {
    if (work.due()) await work.rest();
    if (name === '__metadata__') continue;
    work.spend(stepsPerName);
    infos.push(readInfo(name, value, fail));
  }
  await checkLayout(infos, source.size - begin, work, fail);

  const tensors: TensorEntry[] = [];
  for (const { name, dtype, shape, begin: from, end } of infos) {
    if (work.due()) await work.rest();
    tensors.push({
      name,
      dtype: safetensorsDTypes.get(dtype)?.dtype,
      fileDType: dtype,
      shape,
      byteLength: end - from,
      read: () => source.read(begin + from, end - from),
    });
  }
  return { format: 'safetensors', source, tensors, metadata };
}

function readMetadata(value: Json | undefined, fail: Malformed): Map<string, string> {
  const strings = new Map<string, string>();
  if (value === undefined || value === null) return strings;
  if (!(value instanceof Map)) throw fail('__metadata__ is not an object of strings');
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw fail(`__metadata__ ${JSON.stringify(key.slice(0, 200))} is not a string`);
    strings.set(key, text);
  }
  return strings;
}

function readInfo(name: string, value: Json, file: Malformed): Info {
  const fail: Malformed = (problem) => file(`${JSON.stringify(name.slice(0, 200))} ${problem}`);
  if (!(value instanceof Map)) throw fail('is not an object with dtype, shape and data_offsets');
  const dtype = value.get('dtype');
  const known = typeof dtype === 'string' ? safetensorsDTypes.get(dtype) : undefined;
  if (!known) throw fail(`has dtype ${show(dtype)}; expected one of ${[...safetensorsDTypes.keys()].join(', ')}`);
  const shape = wholeNumbers(value.get('shape'));
  if (!shape) throw fail(`has shape ${show(value.get('shape'))}; expected whole numbers`);
  if (shape.length > maxRank) throw fail(`has ${shape.length} axes, more than ${maxRank}`);
  const offsets = wholeNumbers(value.get('data_offsets'));
  if (offsets?.length !== 2) throw fail(`has data_offsets ${show(value.get('data_offsets'))}; expected [begin, end]`);
  const [begin, end] = offsets as [number, number];
  const bits = bitCount(shape, known.bits);
  if (bits === undefined) throw fail(`has shape ${shapeText(shape)}, whose size overflows`);
  if (bits % 8 !== 0) throw fail(`of ${dtype} and shape ${shapeText(shape)} does not end at a whole byte`);
  if (end - begin !== bits / 8) {
    throw fail(
      `of ${dtype} and shape ${shapeText(shape)} takes ${bits / 8} bytes, its data_offsets are ${shapeText(offsets)}`,
    );
  }
  return { name, dtype: dtype as string, shape, begin, end };
}

/** Whole numbers of a JSON array; undefined for anything else. */
const wholeNumbers = (value: Json | undefined): number[] | undefined =>
  Array.isArray(value) && value.every((item) => typeof item === 'number' && item >= 0)
    ? (value as number[])
    : undefined;

/** Bits a shape takes; undefined if a product on the way overflows 64 bits, as in the official reader, or the result 2^53. */
function bitCount(shape: readonly number[], bits: number): number | undefined {
  const count = elementCount(shape) ?? exactCount(shape);
  return count !== undefined && Number.isSafeInteger(count * bits) ? count * bits : undefined;
}

function exactCount(shape: readonly number[]): number | undefined {
  let count = 1n;
  for (const dim of shape) {
    count *= BigInt(dim);
    if (count > max64) return undefined;
  }
  return Number(count);
}

/** The tensors must cover the rest of the file without a gap and without overlap. */
async function checkLayout(infos: Info[], size: number, work: Work, fail: Malformed): Promise<void> {
  let at = 0;
  // Those without bytes come first of all that begin at one place.
  const sorted = await sortBy(await sortBy([...infos], (info) => info.end, work), (info) => info.begin, work);
  for (const { name, begin, end } of sorted) {
    if (work.due()) await work.rest();
    if (begin !== at) {
      const what = begin < at ? 'overlaps the tensor before it' : `leaves a hole of ${begin - at} bytes before it`;
      throw fail(`${JSON.stringify(name.slice(0, 200))} at data_offsets [${begin}, ${end}] ${what}`);
    }
    at = end;
  }
  if (at !== size) throw fail(`its tensors end at byte ${at} of the data, the file has ${size}`);
}

/** A value for a message, as far as a message goes. */
function show(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Map) return '{…}';
  if (value instanceof JsonFloat) return String(value.value);
  if (!Array.isArray(value)) return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
  const some = value.slice(0, 8).map((item) => (Array.isArray(item) ? '[…]' : show(item)));
  return `[${some.join(',')}${value.length > some.length ? ',…' : ''}]`;
}
