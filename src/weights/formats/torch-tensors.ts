import { weightBits } from '../dtype.js';
import type { Malformed } from '../format-error.js';
import { contiguousStrides, gatherStrided, swapBytes } from '../rearrange.js';
import { maxTensors, type TensorEntry } from './parsed-file.js';
import { isObject, PyDict, PyName, PyOpaque, PyTuple, type PyValue } from './python.js';
import { type TorchStorage, TorchTensor, torchTypes } from './torch-pickle.js';
import { charactersPerStep, stepsPerName, type Work } from './work.js';

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
const smallView = 64 * 2 ** 20;

/**
 * All tensors in nested dictionaries, lists and tuples, by their paths, and what is at the paths that no
 * reader could follow.
 * @throws what `fail` makes: limits, tensors outside their storage, and a checkpoint that is nothing but opaque
 */
export async function torchTensors(
  root: PyValue,
  records: Records,
  work: Work,
  fail: Malformed,
): Promise<{ tensors: TensorEntry[]; opaque: (path: string) => string | undefined }> {
  if (root instanceof PyName)
    throw fail(`is the name ${root.name.slice(0, 200)} and holds no tensors; nothing was run`);
  if (root instanceof PyOpaque) throw fail(`is ${describe(root)}, which only its own code could read; ${remedy(root)}`);
  const { tensors, opaque } = await flatten(root, work, fail);
  const [first] = opaque;
  if (tensors.size === 0 && first) {
    const [path, value] = first;
    const key = JSON.stringify(path.slice(0, 200));
    throw fail(`holds no tensors, but at ${key} ${describe(value)}; ${remedy(value, path)}`);
  }
  const known = new Known(records, fail);
  const firsts = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, tensor] of tensors) {
    if (work.due()) await work.rest();
    work.spend(stepsPerName + tensor.shape.length);
    const storage = known.of(tensor);
    let tiedTo: string | undefined;
    if (storage) {
      const place = `${storage.number} ${tensor.type} ${storage.from + tensor.offset} ${tensor.shape} ${tensor.strides}`;
      tiedTo = firsts.get(place);
      if (tiedTo === undefined) firsts.set(place, name);
    }
    entries.push(entry(name, tensor, storage?.record, tiedTo, records.bigEndian, fail));
  }
  const described = (path: string): string | undefined => {
    const value = opaque.get(path);
    return value && `${describe(value)}, which only its own code could read; ${remedy(value, path)}`;
  };
  return { tensors: entries, opaque: described };
}

/** A storage that some tensor uses. */
interface Used {
  readonly storage: TorchStorage;
  readonly record: StorageRecord | undefined;
  /** That of the whole storage, if it is a part. */
  readonly number: number;
  /** Where it begins in that one. */
  readonly from: number;
}

/** The storages in use, each looked for once. */
class Known {
  readonly #used = new Map<string, Used>();

  constructor(
    readonly records: Records,
    readonly fail: Malformed,
  ) {}

  /** Undefined if the tensor's elements can never be read. */
  of({ storage, type }: TorchTensor): Used | undefined {
    return storage && torchTypes.has(type) ? this.#find(storage) : undefined;
  }

  #find(storage: TorchStorage): Used {
    const used = this.#used.get(storage.key);
    if (used?.storage === storage) return used;
    const label = storage.key.slice(0, 100);
    if (used) throw this.fail(`storage ${label} is ${used.storage.type} and ${storage.type}, or of two sizes`);
    const { part } = storage;
    const whole = part && this.#find(part.of);
    if (part && part.from + storage.count > part.of.count)
      throw this.fail(`storage ${label} is a part beyond the ${part.of.count} elements of another`);
    const found: Used = {
      storage,
      record: whole ? partOf(whole.record, storage, part!.from) : this.records.find(storage),
      number: whole?.number ?? this.#used.size,
      from: whole ? part!.from : 0,
    };
    this.#used.set(storage.key, found);
    return found;
  }
}

function partOf(
  whole: StorageRecord | undefined,
  { type, count }: TorchStorage,
  from: number,
): StorageRecord | undefined {
  const bytes = torchTypes.get(type)?.size;
  if (!whole || bytes === undefined) return undefined;
  return {
    name: whole.name,
    size: count * bytes,
    read: () => whole.read().subarray(from * bytes, (from + count) * bytes),
  };
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
    return `${load}: checkpoint = torch.load(path, 'cpu', weights_only=False); save torch.from_numpy(${item}) in its place`;
  const what = value.isModule ? `${item}.state_dict()` : "checkpoint['state_dict']";
  return `${load}, with its code at hand: checkpoint = torch.load(path, 'cpu', weights_only=False); torch.save(${what}, 'weights.pt')`;
};

const isArray = (value: PyOpaque): boolean => /^numpy\._?core\.multiarray\._reconstruct$/.test(value.name);

/** Walks containers, which may be shared or cyclic, within limits. */
async function flatten(
  root: PyValue,
  work: Work,
  fail: Malformed,
): Promise<{ tensors: Map<string, TorchTensor>; opaque: Map<string, PyOpaque> }> {
  const tensors = new Map<string, TorchTensor>();
  const opaque = new Map<string, PyOpaque>();
  /** The containers around. */
  const open: { readonly items: Iterator<readonly [string | number, PyValue]>; readonly path: string }[] = [];
  const visit = (value: PyValue, path: string): void => {
    const items = itemsOf(value, work);
    if (items) {
      if (open.length >= maxDepth) throw fail(`is nested deeper than ${maxDepth}, or contains itself`);
      open.push({ items, path });
    } else if (value instanceof TorchTensor || value instanceof PyOpaque) {
      // Charged before anything makes the path whole.
      work.spend(stepsPerName + path.length / charactersPerStep);
      if (value instanceof PyOpaque) opaque.set(path, value);
      else if (tensors.has(path)) throw fail(`two tensors have the path ${JSON.stringify(path.slice(0, 200))}`);
      else tensors.set(path, value);
      if (tensors.size > maxTensors) throw fail(`holds more than ${maxTensors} tensors`);
    }
  };
  visit(root, root instanceof TorchTensor ? 'tensor' : '');
  for (;;) {
    if (work.due()) await work.rest();
    const inner = open.at(-1);
    if (!inner) return { tensors, opaque };
    const { done, value: item } = inner.items.next();
    work.spend(1);
    if (done) open.pop();
    // Scalars need no path.
    else if (isObject(item[1])) visit(item[1], inner.path ? `${inner.path}.${item[0]}` : String(item[0]));
  }
}

function itemsOf(value: PyValue, work: Work): Iterator<readonly [string | number, PyValue]> | undefined {
  if (value instanceof PyDict) return value.entries(work)[Symbol.iterator]();
  if (value instanceof PyTuple) return value.items.entries();
  return Array.isArray(value) ? value.entries() : undefined;
}

function entry(
  name: string,
  tensor: TorchTensor,
  record: StorageRecord | undefined,
  tiedTo: string | undefined,
  bigEndian: boolean,
  fail: Malformed,
): TensorEntry {
  const { storage, shape, strides, offset } = tensor;
  const label = JSON.stringify(name.slice(0, 200));
  const type = torchTypes.get(tensor.type);
  const declared = storage && torchTypes.get(storage.type);
  const count = shape.reduce((a, b) => a * b, 1);
  const unread = (refusal?: string): TensorEntry => ({
    name,
    fileDType: tensor.type,
    shape,
    dtype: undefined,
    byteLength: type && storage && Number.isSafeInteger(count * type.size) ? count * type.size : undefined,
    refusal,
    tiedTo,
    read: () => new Uint8Array(0),
  });
  if (!storage || !type || !declared) return unread(tensor.refusal);
  const { size } = type;
  if (!record)
    throw fail(`${label} lies in storage ${JSON.stringify(storage.key.slice(0, 100))}, which is not in the file`);
  if (record.size !== storage.count * declared.size) {
    throw fail(
      `storage ${storage.key.slice(0, 100)} should have ${storage.count * declared.size} bytes, ${record.name} has ${record.size}`,
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
  if (bigEndian && size !== declared.size) {
    return unread(
      'a tensor of big-endian elements in bare bytes, which PyTorch reads wrongly; save it on a little-endian machine',
    );
  }
  // Of two 4-bit elements to a byte, PyTorch's shapes count the bytes.
  const packed = weightBits[type.dtype] < 8;
  if (packed && !shape.length) return unread('a pair of 4-bit elements without an axis; save it as .reshape(1)');
  const elements = packed ? [...shape.slice(0, -1), 2 * shape.at(-1)!] : shape;
  const swap = (bytes: Uint8Array) => (bigEndian && size > 1 ? swapBytes(bytes, size) : bytes);
  const read = (): Uint8Array => {
    const bytes = record.read();
    if (contiguous) return swap(bytes.subarray(offset * size, (offset + count) * size));
    return swap(gatherStrided(bytes, size, shape, strides, offset));
  };
  return { name, fileDType: tensor.type, shape: elements, dtype: type.dtype, byteLength: count * size, tiedTo, read };
}
