import { maxRank, type WeightDType, weightBits } from './dtype.js';
import { maxTensors, type ParsedFile, type TensorEntry } from './entry.js';
import { malformed } from './format-error.js';
import { swapBytes } from './npy.js';
import { PyDict, PyName, PyObject, PySet, PyTuple, type PyValue, unpickle } from './pickle.js';
import { contiguousStrides, gatherStrided } from './rearrange.js';
import type { Source } from './source.js';
import type { ZipMember } from './zip.js';

/** Storage classes and dtypes by their Python names. Undefined: known, but no dtype of weights here. */
const torchDTypes: ReadonlyMap<string, WeightDType | undefined> = new Map([
  ...storage('Double', 'float64'),
  ...storage('Float', 'float32'),
  ...storage('Half', 'float16'),
  ...storage('BFloat16', 'bfloat16'),
  ...storage('Long', 'int64'),
  ...storage('Int', 'int32'),
  ...storage('Short', 'int16'),
  ...storage('Char', 'int8'),
  ...storage('Byte', 'uint8'),
  ...storage('Bool', 'bool'),
  ...storage('ComplexFloat', undefined),
  ...storage('ComplexDouble', undefined),
  ['torch.float64', 'float64'],
  ['torch.float32', 'float32'],
  ['torch.float16', 'float16'],
  ['torch.bfloat16', 'bfloat16'],
  ['torch.float8_e4m3fn', 'float8e4m3'],
  ['torch.float8_e5m2', 'float8e5m2'],
  ['torch.float8_e8m0fnu', 'float8e8m0'],
  ['torch.int64', 'int64'],
  ['torch.int32', 'int32'],
  ['torch.int16', 'int16'],
  ['torch.int8', 'int8'],
  ['torch.uint64', 'uint64'],
  ['torch.uint32', 'uint32'],
  ['torch.uint16', 'uint16'],
  ['torch.uint8', 'uint8'],
  ['torch.bool', 'bool'],
  ['torch.complex64', undefined],
  ['torch.complex128', undefined],
]);

function storage<T extends WeightDType | undefined>(name: string, dtype: T): [string, T][] {
  return [[`torch.${name}Storage`, dtype]];
}

const complexBytes: ReadonlyMap<string, number> = new Map([
  ['torch.ComplexFloatStorage', 8],
  ['torch.ComplexDoubleStorage', 16],
]);

const untyped = ['torch.storage.UntypedStorage', 'torch.UntypedStorage'];

// What torch.load(weights_only=True) lets a checkpoint name, less sparse, quantized and meta tensors.
const rebuilders = new Set([
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch._tensor._rebuild_from_type_v2',
]);
const others = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'torch.Size',
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.device',
  'torch.serialization._get_layout',
  '_codecs.encode',
  'builtins.set',
  '__builtin__.set',
  'builtins.bytearray',
  '__builtin__.bytearray',
]);

/** Elements of a checkpoint, shared by the tensors that view them. */
class Storage extends PyObject {
  constructor(
    readonly key: string,
    /** Python name of its class. */
    readonly type: string,
    /** Elements; bytes of an untyped storage. */
    readonly count: number,
  ) {
    super();
  }
}

class Tensor extends PyObject {
  constructor(
    readonly storage: Storage,
    /** Python name of its dtype or of its storage's class. */
    readonly type: string,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

const opaque = new PySet();

/** The pickled magic number with which torch.save began before version 1.6. */
const legacyMagic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

export const looksLikeLegacyPyTorch = (head: Uint8Array): boolean => legacyMagic.every((byte, i) => head[i] === byte);
export const looksLikePickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

/** Path of the pickle in a PyTorch zip; undefined in other zips. */
export const pickleMember = (members: ReadonlyMap<string, ZipMember>): string | undefined =>
  [...members.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));

const maxPickle = 256 * 2 ** 20;
const maxDepth = 64;
const maxNames = 64 * 2 ** 20;
const smallView = 64 * 2 ** 20;

/**
 * Reads a PyTorch checkpoint (the zip format of torch.save since 1.6): all tensors in nested dictionaries, lists and
 * tuples, named by their keys joined with dots. Nothing is executed: the pickle may name only what
 * `torch.load(weights_only=True)` allows. Limits: a pickle of 256 MiB, 4 million opcodes, a million values; a strided
 * view may take 16 times its storage, or 64 MiB.
 * @throws ERR_WEIGHTS_FORMAT
 */
export function parsePyTorch(source: Source, members: ReadonlyMap<string, ZipMember>, pickle: string): ParsedFile {
  const fail = (problem: string) => malformed(source.name, problem);
  const root = pickle.slice(0, pickle.indexOf('/') + 1);
  const member = members.get(pickle)!;
  if (member.size > maxPickle) throw fail(`${pickle} has ${member.size} bytes, more than ${maxPickle}`);
  const hint = members.has(`${root}constants.pkl`) ? ' (a TorchScript archive: save its state_dict() instead)' : '';
  const value = unpickle(member.read(), rules, (problem) => fail(`${pickle} ${problem}${hint}`));
  const order = members.get(`${root}byteorder`)?.head(8);
  const bigEndian = order !== undefined && Buffer.from(order).toString('latin1') === 'big';

  const tensors: TensorEntry[] = [];
  const storages = new Map<string, Storage>();
  for (const [name, tensor] of flatten(value, fail)) {
    const { key, type, count } = tensor.storage;
    const same = storages.get(key) ?? tensor.storage;
    if (same.type !== type || same.count !== count)
      throw fail(`storage ${key} is ${same.type} and ${type}, or of two sizes`);
    storages.set(key, same);
    tensors.push(entry(name, tensor, members.get(`${root}data/${tensor.storage.key}`), bigEndian, fail));
  }
  return { format: 'pytorch', source, tensors, metadata: new Map() };
}

const rules = {
  allowed: (name: string): boolean =>
    rebuilders.has(name) || others.has(name) || torchDTypes.has(name) || untyped.includes(name),
  stateful: (value: PyValue): boolean => value instanceof PyDict || value instanceof Tensor,
  persistent(id: PyValue): PyValue | undefined {
    if (!(id instanceof PyTuple) || id.items.length !== 5) return undefined;
    const [kind, type, key, , count] = id.items;
    if (text(kind) !== 'storage' || !(type instanceof PyName) || !isWhole(count)) return undefined;
    const name = text(key);
    if (name === undefined || !(torchDTypes.has(type.name) || untyped.includes(type.name))) return undefined;
    return new Storage(name, type.name, count);
  },
  reduce(name: string, args: readonly PyValue[]): PyValue | undefined {
    switch (name) {
      case 'torch._utils._rebuild_tensor':
        return args.length === 4 ? rebuild(args, args[0]) : undefined;
      case 'torch._utils._rebuild_tensor_v2':
        return isCall(args, 6) ? rebuild(args, args[0]) : undefined;
      case 'torch._utils._rebuild_tensor_v3':
        return isCall(args, 7) && args[6] instanceof PyName ? rebuild(args, args[6]) : undefined;
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
        return args[0] instanceof Tensor && args.length === (name.endsWith('state') ? 4 : 3) ? args[0] : undefined;
      case 'torch.nn.parameter.Parameter':
        return args[0] instanceof Tensor && args.length <= 2 ? args[0] : undefined;
      case 'torch._tensor._rebuild_from_type_v2': {
        const [rebuilder, , inner] = args;
        const known = rebuilder instanceof PyName && rebuilders.has(rebuilder.name) && rebuilder.name !== name;
        return known && args.length === 4 && inner instanceof PyTuple
          ? rules.reduce(rebuilder.name, inner.items)
          : undefined;
      }
      case 'collections.OrderedDict':
      case 'collections.Counter':
        return dictionary(args);
      case 'torch.Size':
        return args.length === 1 && Array.isArray(args[0])
          ? new PyTuple([...args[0]])
          : args[0] instanceof PyTuple
            ? args[0]
            : undefined;
      case 'torch.Tensor':
        return undefined;
      default:
        // Devices, layouts, sets and bytes hold no tensors.
        return torchDTypes.has(name) || untyped.includes(name) ? undefined : opaque;
    }
  },
};

function dictionary(args: readonly PyValue[]): PyValue | undefined {
  const dict = new PyDict();
  if (args.length === 0) return dict;
  const [first] = args;
  if (first instanceof PyDict) return first;
  if (!Array.isArray(first)) return undefined;
  for (const pair of first) {
    const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : [];
    const key = items[0];
    if (items.length !== 2 || (key !== null && typeof key === 'object')) return undefined;
    dict.map.set(key as string, items[1]!);
  }
  return dict;
}

/** The arguments that all versions share: …, requires_grad, backward_hooks, and one more that may be left out. */
const isCall = (args: readonly PyValue[], least: number): boolean =>
  (args.length === least || args.length === least + 1) && typeof args[4] === 'boolean' && args[5] instanceof PyDict;

function rebuild(args: readonly PyValue[], typed: PyValue | undefined): Tensor | undefined {
  const [storage, offset, size, stride] = args;
  const type = typed instanceof Storage ? typed.type : typed instanceof PyName ? typed.name : '';
  if (!(storage instanceof Storage) || !torchDTypes.has(type) || !isWhole(offset)) return undefined;
  const shape = wholeNumbers(size);
  const strides = wholeNumbers(stride);
  if (!shape || !strides || shape.length !== strides.length || shape.length > maxRank) return undefined;
  return new Tensor(storage, type, offset, shape, strides);
}

function wholeNumbers(value: PyValue | undefined): number[] | undefined {
  const items = value instanceof PyTuple ? value.items : Array.isArray(value) ? value : undefined;
  return items?.every(isWhole) ? (items as number[]) : undefined;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A string, also one that Python 2 wrote as bytes. */
function text(value: PyValue | undefined): string | undefined {
  return value instanceof Uint8Array
    ? Buffer.from(value).toString('latin1')
    : typeof value === 'string'
      ? value
      : undefined;
}

/** A key as Python's str() writes it. */
const pythonText = (key: unknown): string =>
  key === null ? 'None' : typeof key === 'boolean' ? (key ? 'True' : 'False') : String(key);

/** The tensors by their paths. Shared and cyclic containers are walked within limits. */
function flatten(root: PyValue, fail: (problem: string) => Error): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  let visited = 0;
  let characters = 0;
  const walk = (value: PyValue, path: string, depth: number): void => {
    if (++visited > maxTensors) throw fail(`holds more than ${maxTensors} values`);
    if (value instanceof Tensor) {
      if (found.has(path)) throw fail(`two tensors have the path ${JSON.stringify(path.slice(0, 200))}`);
      characters += path.length;
      if (characters > maxNames) throw fail(`its tensors' names have more than ${maxNames} characters`);
      found.set(path, value);
      return;
    }
    const items =
      value instanceof PyDict
        ? value.map
        : value instanceof PyTuple
          ? value.items.entries()
          : Array.isArray(value)
            ? value.entries()
            : undefined;
    if (!items) return;
    if (depth >= maxDepth) throw fail(`is nested deeper than ${maxDepth}, or contains itself`);
    for (const [key, item] of items) {
      // Scalars need no path.
      if (item !== null && typeof item === 'object')
        walk(item, path ? `${path}.${pythonText(key)}` : pythonText(key), depth + 1);
    }
  };
  if (root instanceof Tensor) found.set('tensor', root);
  else walk(root, '', 0);
  return found;
}

function entry(
  name: string,
  tensor: Tensor,
  record: ZipMember | undefined,
  bigEndian: boolean,
  fail: (problem: string) => Error,
): TensorEntry {
  const { storage, shape, strides, offset } = tensor;
  const label = JSON.stringify(name.slice(0, 200));
  if (!record)
    throw fail(`${label} lies in storage ${JSON.stringify(storage.key.slice(0, 100))}, which is not in the file`);
  const dtype = torchDTypes.get(tensor.type);
  const size = dtype ? weightBits[dtype] / 8 : (complexBytes.get(storage.type) ?? 16);
  const storageDType = torchDTypes.get(storage.type);
  const declared =
    storage.count * (untyped.includes(storage.type) ? 1 : storageDType ? weightBits[storageDType] / 8 : size);
  if (record.size !== declared) {
    throw fail(`storage ${storage.key} should have ${declared} bytes, ${record.name} has ${record.size}`);
  }
  const count = shape.reduce((a, b) => a * b, 1);
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
  const swap = (bytes: Uint8Array) => (bigEndian && size > 1 ? swapBytes(bytes, size) : bytes);
  const read = (): Uint8Array => {
    const bytes = record.readUnchecked();
    if (contiguous) return swap(bytes.subarray(offset * size, (offset + count) * size));
    return swap(gatherStrided(bytes, size, shape, strides, offset));
  };
  return { name, dtype, fileDType: tensor.type, shape: [...shape], read };
}
