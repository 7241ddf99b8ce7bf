import type { ByteSource } from '../byte-source.js';
import { elementCount, maxRank, shapeText, type WeightDType, weightBits } from '../dtype.js';
import { type Malformed, malformed } from '../format-error.js';
import { gatherStrided, swapBytes } from '../rearrange.js';
import { asBuffer } from './buffer.js';
import type { ParsedFile, TensorEntry } from './parsed-file.js';

/** NumPy's own limit for headers of files it does not trust (numpy.lib.format, max_header_size). */
const maxHeader = 10_000;
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const kinds: ReadonlyMap<string, WeightDType> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['f2', 'float16'],
  ['i4', 'int32'],
  ['u4', 'uint32'],
  ['f4', 'float32'],
  ['i8', 'int64'],
  ['u8', 'uint64'],
  ['f8', 'float64'],
]);

/** What stands before the elements of an npy. */
interface NpyHeader {
  /** Undefined if this package has no name for the elements' type. */
  dtype: WeightDType | undefined;
  /** As in the file, e.g. `<f4`. */
  descr: string;
  bigEndian: boolean;
  fortran: boolean;
  shape: number[];
  /** Byte at which the elements begin. */
  begin: number;
  /** Bytes the elements take, if known. */
  length: number | undefined;
}

export const looksLikeNpy = (head: Uint8Array): boolean => magic.every((byte, i) => head[i] === byte);

/** At most this many bytes stand before the elements. */
export const npyHead = 12 + maxHeader;

/** Where the elements begin, as the first bytes say; 0 if they do not. Never above `npyHead`. */
export function npyHeaderEnd(head: Uint8Array): number {
  if (head.length < 12) return 0;
  const { buffer, byteOffset, byteLength } = head;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Math.min(npyHead, head[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true));
}

/**
 * Reads the header of an npy, versions 1 to 3. Format: NumPy Enhancement Proposal 1 and numpy.lib.format.
 * @param head the first `npyHead` bytes, or fewer if the file is shorter
 * @param file how errors refer to it
 * @throws ERR_WEIGHTS_FORMAT
 */
export function parseNpyHeader(head: Uint8Array, file: string): NpyHeader {
  const fail = (problem: string) => malformed(file, problem);
  if (!looksLikeNpy(head)) throw fail('is not an npy file: it does not begin with \\x93NUMPY');
  if (head.length < 10) throw fail(`ends after ${head.length} bytes, within the header of an npy`);
  const [major, minor] = [head[6]!, head[7]!];
  if (major < 1 || major > 3 || minor !== 0)
    throw fail(`is an npy of version ${major}.${minor}; expected 1.0, 2.0 or 3.0`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const prefix = major === 1 ? 10 : 12;
  if (head.length < prefix) throw fail(`ends after ${head.length} bytes, within the header of an npy`);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeader) throw fail(`its header claims ${length} bytes, more than the ${maxHeader} that NumPy allows`);
  if (head.length < prefix + length) throw fail(`its header claims ${length} bytes, the file ends before`);
  const text = decode(head.subarray(prefix, prefix + length), major === 3, fail);
  const { descr, fortran, shape } = parseDict(text, fail);
  const dtype = /^[<>=|]?..$/.test(descr) ? kinds.get(descr.slice(-2)) : undefined;
  const size = dtype ? weightBits[dtype] / 8 : otherSize(descr);
  const unsized = /^(?:\|O|\[)/.test(descr);
  if (size === undefined && !unsized) throw fail(`has dtype '${descr.slice(0, 100)}'; ${dtypeHint(descr)}`);
  if (shape.length > maxRank) throw fail(`has ${shape.length} axes, more than ${maxRank}`);
  const count = elementCount(shape);
  if (count === undefined || !Number.isSafeInteger(count * Math.max(8, size ?? 0))) {
    throw fail(`has shape ${shapeText(shape)}, whose size overflows`);
  }
  return {
    dtype,
    descr,
    bigEndian: descr.startsWith('>') && dtype !== undefined && weightBits[dtype] > 8,
    fortran: fortran && shape.filter((d) => d !== 1).length > 1,
    shape,
    begin: prefix + length,
    length: size === undefined ? undefined : count * size,
  };
}

/** Bytes of an element of complex, long double, string, void or time dtypes, which have no name here. */
function otherSize(descr: string): number | undefined {
  const [, kind, digits] = /^[<>=|]?([cfSUVmM])(\d{1,9})(?:\[\w+\])?$/.exec(descr) ?? [];
  const size = Number(digits);
  if (kind === undefined || (kind === 'c' && ![8, 16, 32].includes(size)) || (kind === 'f' && size !== 16))
    return undefined;
  return kind === 'U' ? 4 * size : size;
}

/** The one tensor of an npy, named after the file. @throws ERR_WEIGHTS_FORMAT */
export function parseNpy(source: ByteSource, name: string): ParsedFile {
  const header = parseNpyHeader(source.read(0, Math.min(source.size, npyHead)), source.name);
  if (!header.dtype) throw malformed(source.name, `has dtype '${header.descr}'; ${dtypeHint(header.descr)}`);
  const size = source.size - header.begin;
  if (size !== header.length) {
    throw malformed(
      source.name,
      `${header.descr} and shape ${shapeText(header.shape)} take ${header.length} bytes, the file has ${size} after its header`,
      { expected: header.length, actual: size },
    );
  }
  const read = () => npyElements(header, source.read(header.begin, size));
  const entry: TensorEntry = { name, dtype: header.dtype, fileDType: header.descr, shape: header.shape, read };
  return { format: 'npy', source, tensors: [entry], metadata: new Map() };
}

/** Elements in row-major little-endian order: the same bytes if they already are. */
export function npyElements(header: NpyHeader, bytes: Uint8Array): Uint8Array {
  const size = weightBits[header.dtype!] / 8;
  const elements = header.bigEndian ? swapBytes(bytes, size) : bytes;
  if (!header.fortran) return elements;
  const strides: number[] = [];
  for (let stride = 1, axis = 0; axis < header.shape.length; stride *= header.shape[axis++]!) strides.push(stride);
  return gatherStrided(elements, size, header.shape, strides);
}

function decode(bytes: Uint8Array, utf8: boolean, fail: Malformed): string {
  if (!utf8) return asBuffer(bytes).toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail('its header is not valid UTF-8');
  }
}

function dtypeHint(descr: string): string {
  if (/^\|?O/.test(descr))
    return 'expected numbers; Python objects are a pickle, which is never run: save their numbers as arrays';
  if (descr.startsWith('[')) return 'expected numbers; save each field of a structured array as an array of its own';
  if (/[SU]/.test(descr)) return 'expected numbers; objects and strings are refused';
  if (/[mM]/.test(descr)) return "expected numbers; save dates and times by their .astype('int64')";
  if (/c/.test(descr)) return 'expected real numbers; save .real and .imag apart';
  if (/f16/.test(descr)) return "expected numbers of at most 64 bits; save its .astype('float64')";
  if (/V/.test(descr))
    return "expected numbers; raw 'void' elements are how NumPy saves bfloat16 and float8, save them as safetensors";
  return `expected one of ${[...kinds.keys()].map((k) => `<${k}`).join(', ')}`;
}

/** Why the elements are refused, after "is "; for a header without a dtype. */
export const npyRefusal = (descr: string): string => `of dtype '${descr.slice(0, 100)}'; ${dtypeHint(descr)}`;

// The header is a Python literal as NumPy writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
const tokens = /[ \t\f\r\n]*(?:(['"])([^'"\\\n]*)\1|(-?\d+)L?|(True|False)|([{}():,[\]]))/y;

function parseDict(text: string, fail: Malformed): { descr: string; fortran: boolean; shape: number[] } {
  let at = 0;
  const next = (): string | number | boolean | { mark: string } => {
    tokens.lastIndex = at;
    const match = tokens.exec(text);
    if (!match) throw fail(`its header is malformed at character ${at}`);
    at = tokens.lastIndex;
    const [, quote, string, digits, word, mark] = match;
    if (quote !== undefined) return string!;
    if (digits !== undefined) return wholeNumber(digits, fail);
    return word !== undefined ? word === 'True' : { mark: mark! };
  };
  const isMark = (token: unknown, mark: string): boolean =>
    typeof token === 'object' && (token as { mark: string }).mark === mark;
  const expect = (mark: string): void => {
    if (!isMark(next(), mark)) throw fail(`its header is malformed at character ${at}: expected ${mark}`);
  };
  const found = new Map<string, unknown>();

  const tuple = (): number[] => {
    const dims: number[] = [];
    for (;;) {
      const token = next();
      if (isMark(token, ')')) return dims;
      if (typeof token !== 'number') throw fail('its shape is not a tuple of whole numbers');
      dims.push(token);
      const after = next();
      if (isMark(after, ')')) {
        if (dims.length === 1) throw fail('its shape is not a tuple of whole numbers');
        return dims;
      }
      if (!isMark(after, ',')) throw fail('its shape is not a tuple of whole numbers');
    }
  };

  /** The fields of a structured dtype, as they are written. */
  const list = (): string => {
    const begin = at - 1;
    for (let depth = 1; depth; ) {
      const token = next();
      if (isMark(token, '[')) depth++;
      else if (isMark(token, ']')) depth--;
    }
    return text.slice(begin, at);
  };

  expect('{');
  for (let token = next(); !isMark(token, '}'); ) {
    if (typeof token !== 'string') throw fail('its header is not a dictionary with string keys');
    const key = token;
    if (found.has(key)) throw fail(`its header has the key '${key}' twice`);
    expect(':');
    const value = next();
    found.set(key, isMark(value, '(') ? tuple() : isMark(value, '[') ? list() : value);
    token = next();
    if (isMark(token, ',')) token = next();
    else if (!isMark(token, '}')) throw fail(`its header is malformed at character ${at}: expected , or }`);
  }
  if (!/^[ \t\f\r\n]*$/.test(text.slice(at))) throw fail('its header continues after the dictionary');
  const [descr, fortran, shape] = [found.get('descr'), found.get('fortran_order'), found.get('shape')];
  if (found.size !== 3 || typeof descr !== 'string' || typeof fortran !== 'boolean' || !Array.isArray(shape)) {
    throw fail("its header is malformed; expected exactly 'descr', 'fortran_order' and 'shape'");
  }
  return { descr, fortran, shape: shape as number[] };
}

function wholeNumber(digits: string, fail: Malformed): number {
  const value = Number(digits) + 0; // Python's -0 is 0
  if (!Number.isSafeInteger(value) || value < 0 || /^-?0\d/.test(digits)) {
    throw fail(`has the dimension ${digits.slice(0, 40)}`);
  }
  return value;
}
