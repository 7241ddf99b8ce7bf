import { type Buffer, isUtf8 } from 'node:buffer';
import { binding } from '../binding.js';
import type { ByteSource } from '../byte-source.js';
import type { Malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';

// PKWARE's APPNOTE, read as Python's zipfile reads it.

const sizes = { end: 22, locator: 20, end64: 56, entry: 46 };
const signatures = { end: 0x06054b50, locator: 0x07064b50, end64: 0x06064b50, entry: 0x02014b50 };
const longestComment = 2 ** 16 - 1;
/** The newest version of the format that Python knows. */
const newestVersion = 63;
const utf8Names = 0x800;
const [unset32, unset64] = [2 ** 32 - 1, 2 ** 64 - 1];
const [zip64, unicodePath] = [0x0001, 0x7075];

interface Directory {
  readonly begin: number;
  /** bytes */
  readonly length: number;
  /** What offsets are to be moved by: bytes before the zip. */
  readonly shift: number;
  /** Members as the end record counts them. */
  readonly counted: number;
}

/** @throws ERR_WEIGHTS_FORMAT */
export function findDirectory(source: ByteSource, fail: Malformed): Directory {
  const size = Math.min(source.size, sizes.end + longestComment);
  const tail = asBuffer(source.read(source.size - size, size));
  const last = size - sizes.end;
  const noComment = last >= 0 && tail.readUInt32LE(last) === signatures.end && tail.readUInt16LE(size - 2) === 0;
  const at = noComment ? last : tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (at < 0 || at > last)
    throw fail(
      'it has no end record, the last thing of a complete zip; the file was cut off, as by an interrupted download',
    );
  let counted = tail.readUInt16LE(at + 10);
  let length = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  let end = source.size - size + at;
  const record = readEnd64(source, end, fail);
  if (record) {
    counted = number64(record, 32);
    length = number64(record, 40);
    offset = number64(record, 48);
    end -= sizes.end64 + sizes.locator;
  }
  if (length > end) throw fail(`its directory has ${length} bytes, more than lie before its end record`);
  return { begin: end - length, length, shift: end - length - offset, counted };
}

/** The record that large zips have before the usual one. */
function readEnd64(source: ByteSource, end: number, fail: Malformed): Buffer | undefined {
  const locator = end - sizes.locator;
  if (locator < sizes.end64) return undefined;
  const found = asBuffer(source.read(locator, sizes.locator));
  if (found.readUInt32LE() !== signatures.locator) return undefined;
  if (found.readUInt32LE(4) !== 0 || found.readUInt32LE(16) > 1)
    throw fail('one of several parts; expected a whole one');
  const record = asBuffer(source.read(locator - sizes.end64, sizes.end64));
  return record.readUInt32LE() === signatures.end64 ? record : undefined;
}

const number64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

/** What the directory says of a member. */
export interface Entry {
  readonly name: string;
  /** Its bytes in the directory. */
  readonly nameBegin: number;
  readonly nameEnd: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  /** bytes in the file, and uncompressed */
  readonly packed: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly header: number;
  /** Byte after the entry. */
  readonly end: number;
}

/** @throws ERR_WEIGHTS_FORMAT */
export function readEntry(directory: Buffer, at: number, shift: number, fail: Malformed): Entry {
  const nameBegin = at + sizes.entry;
  if (nameBegin > directory.length) throw fail('its directory is cut off');
  if (directory.readUInt32LE(at) !== signatures.entry) throw fail(`its directory has no entry at byte ${at}`);
  const version = directory[at + 6]!;
  if (version > newestVersion) throw fail(`it is of version ${version / 10}; expected at most ${newestVersion / 10}`);
  const flags = directory.readUInt16LE(at + 8);
  const nameEnd = nameBegin + directory.readUInt16LE(at + 28);
  const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
  const end = extraEnd + directory.readUInt16LE(at + 32);
  if (end > directory.length) throw fail('its directory is cut off');
  const raw = directory.subarray(nameBegin, nameEnd);
  const entry = {
    name: untilZero(nameOf(raw, flags, fail)),
    nameBegin,
    nameEnd,
    flags,
    method: directory.readUInt16LE(at + 10),
    crc32: directory.readUInt32LE(at + 16),
    packed: directory.readUInt32LE(at + 20),
    size: directory.readUInt32LE(at + 24),
    header: directory.readUInt32LE(at + 42),
    end,
  };
  if (nameEnd < extraEnd) readExtra(directory.subarray(nameEnd, extraEnd), entry, raw, fail);
  entry.header += shift;
  return entry;
}

type Changed = { -readonly [K in 'name' | 'packed' | 'size' | 'header']: Entry[K] };

function readExtra(extra: Buffer, entry: Changed, rawName: Buffer, fail: Malformed): void {
  for (let at = 0; at + 4 <= extra.length; ) {
    const begin = at + 4;
    const kind = extra.readUInt16LE(at);
    at = begin + extra.readUInt16LE(at + 2);
    if (at > extra.length) throw fail('an entry of its directory has a field that is cut off');
    if (kind === zip64) readSizes(extra.subarray(begin, at), entry, fail);
    else if (kind === unicodePath) readUnicodePath(extra.subarray(begin, at), entry, rawName, fail);
  }
}

/** Sizes and offset, where 32 bits are too few for them. */
function readSizes(field: Buffer, entry: Changed, fail: Malformed): void {
  let at = 0;
  const next = (): number => {
    if (at + 8 > field.length) throw fail('an entry of its directory lacks its 64-bit sizes');
    at += 8;
    return number64(field, at - 8);
  };
  if (entry.size === unset32 || entry.size === unset64) entry.size = next();
  if (entry.packed === unset32) entry.packed = next();
  if (entry.header === unset32) entry.header = next();
}

/** Info-ZIP's name in UTF-8, which counts if it was made for the name beside it. Python heeds it since 3.13. */
function readUnicodePath(field: Buffer, entry: Changed, rawName: Buffer, fail: Malformed): void {
  const corrupt = () => fail('an entry of its directory has a broken name in Unicode');
  if (field.length < 5) throw corrupt();
  if (field[0] !== 1 || field.readUInt32LE(1) !== binding().crc32(rawName as unknown as Uint8Array)) return;
  const text = field.subarray(5);
  if (!isUtf8(text)) throw corrupt();
  if (text.length) entry.name = untilZero(text.toString('utf8'));
}

const untilZero = (name: string): string => {
  const zero = name.indexOf('\0');
  return zero < 0 ? name : name.slice(0, zero);
};

/** A name's bytes as text: UTF-8 if the flags say so, else that of the first PCs. @throws ERR_WEIGHTS_FORMAT */
export function nameOf(raw: Buffer, flags: number, fail: Malformed): string {
  if (flags & utf8Names) {
    if (!isUtf8(raw)) throw fail('a name is not valid UTF-8');
    return raw.toString('utf8');
  }
  const text = raw.toString('latin1');
  return /[^\0-\x7f]/.test(text) ? text.replace(/[^\0-\x7f]/g, (c) => cp437[c.charCodeAt(0) - 0x80]!) : text;
}

/** Code page 437 from byte 128 on. */
const cp437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';
