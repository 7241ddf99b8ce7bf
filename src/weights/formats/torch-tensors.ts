import { weightBits } from '../dtype.js';
import type { Malformed } from '../format-error.js';
import { contiguousStrides, gatherStrided, swapBytes } from '../rearrange.js';
import { maxTensors, type TensorEntry } from './parsed-file.js';
import { isObject, PyDict, PyName, PyOpaque, PyTuple, type PyValue } from './python.js';
import { type TorchStorage, TorchTensor, torchTypes } from './torch-pickle.js';

/** The bytes of a storage in the file. */
export interface StorageRecord {
  /** What errors call it. */
  readonly name: string;
  /** bytes */
  readonly size: number;
  read(): Uint8Array;
}

/** A checkpoint's storages. */
export interface Records {
  find(storage: TorchStorage): StorageRecord | undefined;
  bigEndian: boolean;
}

const maxDepth = 64;
const maxNames = 64 * 2 ** 20;
const maxSteps = 16_000_000;
const smallView = 64 * 2 ** 20;

/**
 * All tensors in nested dictionaries, lists and tuples, by their paths, and what is at the paths that no
 * reader could follow.
 * @throws what `fail` makes: limits, tensors outside their storage, and a checkpoint that is nothing but opaque
 */
export function torchTensors(
  root: PyValue,
  records: Records,
  fail: Malformed,
): { tensors: TensorEntry[]; opaque: Map<string, string> } {
  if (root instanceof PyName)
    throw fail(`is the name ${root.name.slice(0, 200)} and holds no tensors; nothing was run`);
  if (root instanceof PyOpaque) throw fail(`is ${describe(root)}, which only its own code could read; ${remedy(root)}`);
  const { tensors, opaque } = flatten(root, fail);
  const [first] = opaque;
  if (tensors.size === 0 && first) {
    const [path, value] = first;
    const key = JSON.stringify(path.slice(0, 200));
    throw fail(`holds no tensors, but at ${key} ${describe(value)}; ${remedy(value, path)}`);
  }
  const storages = new Map<string, TorchStorage>();
  const firsts = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, tensor] of tensors) {
    const { storage } = tensor;
    let tiedTo: string | undefined;
    if (storage && torchTypes.has(tensor.type)) {
      const same = storages.get(storage.key) ?? storage;
      if (same.type !== storage.type || same.count !== storage.count)
        throw fail(`storage ${storage.key} is ${same.type} and ${storage.type}, or of two sizes`);
      storages.set(storage.key, same);
      const place = JSON.stringify([storage.key, tensor.type, tensor.offset, tensor.shape, tensor.strides]);
      tiedTo = firsts.get(place);
      if (tiedTo === undefined) firsts.set(place, name);
    }
    entries.push({ ...entry(name, tensor, records, fail), tiedTo });
  }
  const described = [...opaque].map(([path, value]): [string, string] => [
    path,
    `${describe(value)}, which only its own code could read; ${remedy(value, path)}`,
  ]);
  return { tensors: entries, opaque: new Map(described) };
}

const describe = (value: PyOpaque): string => {
  const name = value.name.slice(0, 200);
  if (isArray(value)) return `a NumPy array (${name})`;
  return value.isModule ? `a whole model (${name})` : `an object made by ${name}`;
};

/** @param at path of the value. Its keys may hold dots, so Python's form of it is known only without dots. */
const remedy = (value: PyOpaque, at = ''): string => {
  const item = at === '' ? 'checkpoint' : at.includes('.') ? 'it' : `checkpoint[${JSON.stringify(at)}]`;
  const load = 'nothing was run. In Python';
  if (isArray(value))
    return `${load}: checkpoint = torch.load(path, weights_only=False); save torch.from_numpy(${item}) in its place`;
  const what = value.isModule ? `${item}.state_dict()` : "checkpoint['state_dict']";
  return `${load}, with its code at hand: checkpoint = torch.load(path, weights_only=False); torch.save(${what}, 'weights.pt')`;
};

const isArray = (value: PyOpaque): boolean => /^numpy\._?core\.multiarray\._reconstruct$/.test(value.name);

/** Walks containers, which may be shared or cyclic, within limits. */
function flatten(root: PyValue, fail: Malformed): { tensors: Map<string, TorchTensor>; opaque: Map<string, PyOpaque> } {
  const tensors = new Map<string, TorchTensor>();
  const opaque = new Map<string, PyOpaque>();
  let visited = 0;
  let steps = 0;
  let characters = 0;
  const name = (path: string): void => {
    characters += path.length;
    if (characters > maxNames) throw fail(`its names have more than ${maxNames} characters`);
  };
  const walk = (value: PyValue, path: string, depth: number): void => {
    if (++visited > maxTensors) throw fail(`holds more than ${maxTensors} values`);
    if (value instanceof TorchTensor) {
      if (tensors.has(path)) throw fail(`two tensors have the path ${JSON.stringify(path.slice(0, 200))}`);
      name(path);
      tensors.set(path, value);
      return;
    }
    if (value instanceof PyOpaque) {
      name(path);
      opaque.set(path, value);
      return;
    }
    const items =
      value instanceof PyDict
        ? value.entries()
        : value instanceof PyTuple
          ? value.items.entries()
          : Array.isArray(value)
            ? value.entries()
            : undefined;
    if (!items) return;
    if (depth >= maxDepth) throw fail(`is nested deeper than ${maxDepth}, or contains itself`);
    for (const [key, item] of items) {
      if (++steps > maxSteps) throw fail(`holds more than ${maxSteps} items`);
      // Scalars need no path.
      if (isObject(item)) walk(item, path ? `${path}.${key}` : String(key), depth + 1);
    }
  };
  if (root instanceof TorchTensor) tensors.set('tensor', root);
  else walk(root, '', 0);
  return { tensors, opaque };
}

function entry(name: string, tensor: TorchTensor, records: Records, fail: Malformed): TensorEntry {
  const { storage, shape, strides, offset } = tensor;
  const label = JSON.stringify(name.slice(0, 200));
  const type = torchTypes.get(tensor.type);
  const declared = storage && torchTypes.get(storage.type);
  const count = shape.reduce((a, b) => a * b, 1);
  const common = { name, fileDType: tensor.type, shape: [...shape] };
  const unread = (refusal?: string): TensorEntry => ({
    ...common,
    dtype: undefined,
    byteLength: type && storage && Number.isSafeInteger(count * type.size) ? count * type.size : undefined,
    refusal,
    read: () => new Uint8Array(0),
  });
  if (!storage || !type || !declared) return unread(tensor.refusal);
  const { size } = type;
  const record = records.find(storage);
  if (!record)
    throw fail(`${label} lies in storage ${JSON.stringify(storage.key.slice(0, 100))}, which is not in the file`);
  if (record.size !== storage.count * declared.size) {
    throw fail(
      `storage ${storage.key} should have ${storage.count * declared.size} bytes, ${record.name} has ${record.size}`,
    );
  }
  const last = shape.reduce((at, dim, i) => at + (dim - 1) * strides[i]!, offset);
  if (!Number.isSafeInteger(count) || (count > 0 && (!Number.isSafeInteger(last) || (last + 1) * size > record.size))) {
    throw fail(
      `${label} of shape [${shape}] and strides [${strides}] from element ${offset} lies outside its storage of ${record.size} bytes`,
    );
  }
  const row = contiguousStrides(shape);
  const contiguous = count === 0 || shape.every((dim, i) => dim === 1 || strides[i] === row[i]);
  if (!contiguous && count * size > Math.max(16 * record.size, smallView)) {
    throw fail(`${label} of shape [${shape}] repeats a storage of ${record.size} bytes into ${count * size}`);
  }
  if (!type.dtype || tensor.refusal) return unread(tensor.refusal);
  // PyTorch swaps by the storage's dtype, and so leaves elements in bare bytes as they are.
  if (records.bigEndian && size !== declared.size) {
    return unread(
      'a tensor of big-endian elements in bare bytes, which PyTorch reads wrongly; save it on a little-endian machine',
    );
  }
  const swap = (bytes: Uint8Array) => (records.bigEndian && size > 1 ? swapBytes(bytes, size) : bytes);
  const read = (): Uint8Array => {
    const bytes = record.read();
    if (contiguous) return swap(bytes.subarray(offset * size, (offset + count) * size));
    return swap(gatherStrided(bytes, size, shape, strides, offset));
  };
  return { ...common, dtype: type.dtype, byteLength: (count * weightBits[type.dtype]) / 8, read };
}
