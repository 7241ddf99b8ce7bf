import { Buffer } from 'node:buffer';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import type { ParsedFile } from './parsed-file.js';
import { PyDict } from './python.js';
import { maxPickle } from './pytorch.js';
import { torchTypes, unpickleTorch } from './torch-pickle.js';
import { type StorageRecord, torchTensors } from './torch-tensors.js';
import type { Work } from './work.js';

/** What torch.save began with before version 1.6, as it lies in a pickle: LONG1, ten bytes. */
const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');
const magicNumber = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;
const longestPrologue = 16;

export const looksLikeLegacyPyTorch = (head: Uint8Array): boolean =>
  head[0] === 0x80 && Buffer.from(head.subarray(0, longestPrologue + magic.length)).includes(magic);

/**
 * Reads a checkpoint in the format before 1.6 (`_use_new_zipfile_serialization=False`): pickles of the magic number, the
 * protocol's version, facts of the machine, the object and the list of storage keys, then each storage as a 64-bit count
 * and its elements, little-endian on every machine. Tensors are named, and limits are kept, as in the zip format.
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function parseLegacyPyTorch(source: ByteSource, work: Work): Promise<ParsedFile> {
  const fail = (problem: string) => malformed(source.name, problem);
  const bytes = source.read(0, Math.min(source.size, maxPickle));
  let at = 0;
  const next = async (what: string, legacy = false) => {
    const read = await unpickleTorch(bytes, work, (problem) => fail(`${what} ${problem}`), { from: at, legacy });
    at = read.end;
    return read;
  };
  if ((await next('its magic number')).value !== magicNumber)
    throw fail('its magic number is not that of a PyTorch checkpoint');
  const version = (await next('its protocol version')).value;
  if (version !== protocolVersion)
    throw fail(`its protocol version is ${String(version)}, expected ${protocolVersion}`);
  if (!((await next('its system information')).value instanceof PyDict))
    throw fail('its system information is not a dictionary');
  const { value, storages } = await next('its pickle', true);
  const keys = (await next('its list of storages')).value;
  if (!Array.isArray(keys)) throw fail('its storages are not a list');

  const records = new Map<string, StorageRecord>();
  for (const key of keys) {
    if (work.due()) await work.rest();
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || storage.part || records.has(storage.key))
      throw fail('its list of storages names one twice, or one that its pickle does not');
    const { count, type } = storage;
    const label = storage.key.slice(0, 100);
    const size = torchTypes.get(type)?.size;
    if (size === undefined) throw fail(`storage ${label} is a ${type}, whose elements have no known size`);
    const begin = at + 8;
    const length = count * size;
    if (begin + length > source.size)
      throw fail(`storage ${label} ends at byte ${begin + length}, the file has ${source.size}`);
    const stored = Buffer.from(source.read(at, 8)).readBigInt64LE();
    if (stored !== BigInt(count)) throw fail(`storage ${label} should have ${count} elements, the file has ${stored}`);
    records.set(storage.key, { name: 'the file', size: length, read: () => source.read(begin, length) });
    at = begin + length;
  }
  const find = ({ key }: { key: string }) => records.get(key);
  const failPickle = (problem: string) => fail(`its pickle ${problem}`);
  const { tensors, opaque } = await torchTensors(value, { find, bigEndian: false }, work, failPickle);
  return { format: 'pytorch', source, tensors, opaque, metadata: new Map() };
}
