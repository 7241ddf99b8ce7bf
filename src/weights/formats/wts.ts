import { Buffer } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { maxRank, type WeightDType, weightBits } from '../dtype.js';
import { type Malformed, malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';
import { maxTensors, type ParsedFile, type TensorEntry } from './parsed-file.js';
import { stepsPerName, type Work } from './work.js';

/**
 * Three layouts share the name .wts. The first line after the count tells which one it is:
 * - tensorrtx (github.com/wang-xinyu/tensorrtx): `name count hex hex …`, float32 bits;
 * - NVIDIA's dumpTFWts.py version 1: `name type count hex hex …`;
 * - its version 2, which sampleCharRNN reads: `name type (2, 3) ` and raw little-endian bytes.
 * Types are TensorRT's: 0 float32, 1 float16, 2 int8, 3 int32. Text has no shapes: its tensors are one-dimensional.
 */
export function looksLikeWts(head: Uint8Array): 'wts' | 'wts2' | undefined {
  const text = Buffer.from(head).toString('latin1');
  if (/^\d{1,9}[ \r]*\n[^\s]+ \d+ \(/.test(text)) return 'wts2';
  return /^[ \t]*\d{1,9}[ \t\r]*\n\s*[^\s]+[ \t]+\d+\s/.test(text) ? 'wts' : undefined;
}

const types: readonly (WeightDType | undefined)[] = ['float32', 'float16', 'int8', 'int32'];
const newline = 0x0a;
/** Blank within a line. */
const isBlank = (c: number | undefined): boolean => c === 0x20 || c === 0x09 || c === 0x0d;
const longestName = 4096;

/** Bytes that are read without a look at the clock; a power of two. */
const piece = 2 ** 20;

/** @throws ERR_WEIGHTS_FORMAT */
export async function parseWts(source: ByteSource, format: 'wts' | 'wts2', work: Work): Promise<ParsedFile> {
  const fail: Malformed = (problem) => malformed(source.name, problem);
  const file = asBuffer(source.read(0, source.size));
  const end = file.indexOf(newline);
  const count = Number(file.toString('latin1', 0, end));
  if (count > maxTensors) throw fail(`says it holds ${count} tensors, more than ${maxTensors}`);
  const tensors = new Map<string, TensorEntry>();
  let at = end + 1;
  for (let i = 0; i < count; i++) {
    if (work.due()) await work.rest();
    work.spend(stepsPerName);
    const [tensor, next] =
      format === 'wts' ? await textTensor(source, file, at, work, fail) : binaryTensor(source, file, at, fail);
    if (tensors.has(tensor.name)) throw fail(`holds ${JSON.stringify(tensor.name.slice(0, 200))} twice`);
    tensors.set(tensor.name, tensor);
    at = next;
  }
  if (!/^\s*$/.test(file.toString('latin1', at, at + longestName)) || file.length - at > longestName) {
    throw fail(`says it holds ${count} tensors, but continues after them`);
  }
  return { format, source, tensors: [...tensors.values()], metadata: new Map() };
}

async function textTensor(
  source: ByteSource,
  file: Buffer,
  from: number,
  work: Work,
  fail: Malformed,
): Promise<[TensorEntry, number]> {
  let begin = from;
  for (; isBlank(file[begin]) || file[begin] === newline; begin++)
    if (begin % piece === 0 && work.due(piece)) await work.rest();
  if (begin >= file.length) throw fail('ends before the last tensor it counts');
  const found = file.indexOf(newline, begin);
  const end = found < 0 ? file.length : found;
  const head = /^(\S+)[ \t]+(\d+)(?![^ \t\r])/.exec(file.toString('latin1', begin, Math.min(end, begin + longestName)));
  if (!head) throw fail(`has no name and count at byte ${begin}`);
  const name = utf8(file.subarray(begin, begin + head[1]!.length), fail);
  const label = JSON.stringify(name.slice(0, 200));
  let at = begin + head[0].length;
  let count = Number(head[2]);
  let dtype: WeightDType = 'float32';
  let values = 0;
  for (let i = at; i < end; i += piece) {
    values += countTokens(file, i, Math.min(i + piece, end));
    if (work.due(piece)) await work.rest();
  }
  if (values !== count) {
    // Not a count, but NVIDIA's type, and the count comes next.
    const typed = /^[ \t]+(\d+)(?![^ \t\r])/.exec(file.toString('latin1', at, Math.min(end, at + 32)));
    if (count > 1 || !typed || Number(typed[1]) !== values - 1) {
      throw fail(`${label} counts ${count} values, its line has ${values}`);
    }
    dtype = types[count]!;
    count = values - 1;
    at += typed[0].length;
  }
  const size = weightBits[dtype] / 8;
  // A value cut short would still be a value, unless it has all its digits.
  const [last = ''] = /[^ \t\r]*$/.exec(file.toString('latin1', Math.max(at, end - 2 * size - 1), end)) ?? [];
  if (found < 0 && count > 0 && isBlank(file[end - 1]) === false && last.length !== 2 * size)
    throw fail(`ends within a line, after the value ${last}; expected ${2 * size} digits, or a new line after them`);
  const read = () => {
    const text = asBuffer(source.read(at, end - at));
    return hexValues(text, count, size, (problem) => fail(`${label} ${problem}`));
  };
  return [{ name, dtype, fileDType: dtype, shape: [count], read }, end + 1];
}

const blanks = Uint8Array.from({ length: 256 }, (_, c) => Number(isBlank(c)));

/** How many values begin here. */
function countTokens(file: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = from, before = blanks[file[from - 1]!]!; i < to; i++) {
    const blank = blanks[file[i]!]!;
    count += before & ~blank;
    before = blank;
  }
  return count;
}

/** `count` values of at most 2·size hex digits, as little-endian integers of `size` bytes. */
function hexValues(text: Buffer, count: number, size: number, fail: Malformed): Uint8Array {
  const out = size === 2 ? new Uint16Array(count) : new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    while (isBlank(text[at])) at++;
    const begin = at;
    let value = 0;
    let digits = 0;
    for (; at < text.length && !isBlank(text[at]); at++, digits++) {
      const digit = hexDigit(text[at]!);
      if (digit < 0) {
        const given = JSON.stringify(/^[^ \t\r]{0,20}/.exec(text.toString('latin1', begin, begin + 20))![0]);
        throw fail(
          `has a value that is not a hexadecimal number (value ${i}): expected bits such as 3f800000, given ${given}`,
        );
      }
      value = value * 16 + digit;
    }
    if (digits === 0 || digits > 2 * size) throw fail(`has a value of ${digits} hexadecimal digits (value ${i})`);
    out[i] = value;
  }
  return new Uint8Array(out.buffer);
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function binaryTensor(source: ByteSource, file: Buffer, begin: number, fail: Malformed): [TensorEntry, number] {
  const close = file.subarray(begin, begin + longestName).indexOf(')');
  const text = file.toString('latin1', begin, begin + close + 2);
  const head = /^(\S+) (\d+) \(((?:\d+, )*(?:\d+,?)?)\) /.exec(text);
  if (!head) throw fail(`has no 'name type (shape)' at byte ${begin}`);
  const name = utf8(file.subarray(begin, begin + head[1]!.length), fail);
  const label = JSON.stringify(name.slice(0, 200));
  const dtype = types[Number(head[2])];
  if (!dtype) throw fail(`${label} has type ${head[2]}; expected 0 to 3`);
  const shape = head[3]!
    .split(',')
    .filter((d) => d.trim() !== '')
    .map(Number);
  if (shape.length > maxRank) throw fail(`${label} has ${shape.length} axes, more than ${maxRank}`);
  const bytes = shape.reduce((a, b) => a * b, 1) * (weightBits[dtype] / 8);
  const from = begin + head[0].length;
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(bytes) || bytes > file.length - from) {
    throw fail(`${label} of shape (${head[3]}) takes ${bytes} bytes, the file has ${file.length - from} left`);
  }
  const end = from + bytes;
  if (end < file.length && file[end] !== newline)
    throw fail(`${label}: its ${bytes} bytes are not followed by a new line`);
  const read = () => source.read(from, bytes);
  return [{ name, dtype, fileDType: dtype, shape, read }, end + 1];
}

function utf8(bytes: Buffer, fail: Malformed): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes as unknown as Uint8Array);
  } catch {
    throw fail('has a name that is not valid UTF-8');
  }
}
