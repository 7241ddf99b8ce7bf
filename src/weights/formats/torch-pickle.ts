import { maxRank, type WeightDType } from '../dtype.js';
import type { Malformed } from '../format-error.js';
import { type Meaning, type PickleRules, unpickle } from './pickle.js';
import { PyDict, PyName, PyObject, PyOpaque, PyTuple, type PyValue, plain } from './python.js';
import type { Work } from './work.js';

/** An element type of PyTorch: its dtype here, if any, and its size. */
interface TorchType {
  readonly dtype?: WeightDType;
  /** bytes */
  readonly size: number;
}

const numbers: [storage: string, names: string, dtype: WeightDType | undefined, size: number][] = [
  ['Double', 'float64 double', 'float64', 8],
  ['Float', 'float32 float', 'float32', 4],
  ['Half', 'float16 half', 'float16', 2],
  ['BFloat16', 'bfloat16', 'bfloat16', 2],
  ['Long', 'int64 long', 'int64', 8],
  ['Int', 'int32 int', 'int32', 4],
  ['Short', 'int16 short', 'int16', 2],
  ['Char', 'int8', 'int8', 1],
  ['Byte', 'uint8', 'uint8', 1],
  ['Bool', 'bool', 'bool', 1],
  ['ComplexFloat', 'complex64 cfloat', undefined, 8],
  ['ComplexDouble', 'complex128 cdouble', undefined, 16],
  ['QInt8', 'qint8', undefined, 1],
  ['QUInt8', 'quint8', undefined, 1],
  ['QInt32', 'qint32', undefined, 4],
  ['QUInt4x2', 'quint4x2', undefined, 1],
  ['QUInt2x4', 'quint2x4', undefined, 1],
  ['', 'uint16', 'uint16', 2],
  ['', 'uint32', 'uint32', 4],
  ['', 'uint64', 'uint64', 8],
  ['', 'float8_e4m3fn', 'float8e4m3', 1],
  ['', 'float8_e5m2', 'float8e5m2', 1],
  ['', 'float8_e8m0fnu', 'float8e8m0', 1],
  ['', 'float4_e2m1fn_x2', 'float4e2m1', 1],
  ['', 'float8_e4m3fnuz float8_e5m2fnuz bits8', undefined, 1],
  ['', 'complex32 chalf bits16', undefined, 4],
];

const untyped = 'torch.UntypedStorage';

/** By the names of storage classes and dtypes. A type without a dtype here is listed, and refused when asked for. */
export const torchTypes: ReadonlyMap<string, TorchType> = new Map<string, TorchType>([
  [untyped, { size: 1 }],
  ['torch.storage.UntypedStorage', { size: 1 }],
  ...numbers.flatMap(([storage, names, dtype, size]): [string, TorchType][] => {
    const type = dtype ? { dtype, size } : { size };
    const all = names.split(' ').map((name): [string, TorchType] => [`torch.${name}`, type]);
    return storage ? [[`torch.${storage}Storage`, type], ...all] : all;
  }),
]);

/** Elements in a checkpoint, shared by the tensors that view them. */
export class TorchStorage extends PyObject {
  constructor(
    readonly key: string,
    /** Python name of its class. */
    readonly type: string,
    /** Elements; bytes of an untyped storage. */
    readonly count: number,
    /** For one that is a part of another: that one, and the element at which it begins. */
    readonly part?: { readonly of: TorchStorage; readonly from: number },
  ) {
    super();
  }
}

export class TorchTensor extends PyObject {
  constructor(
    /** Undefined if the elements can never be read. */
    readonly storage: TorchStorage | undefined,
    /** Python name of its dtype or of its storage's class. */
    readonly type: string,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    /** Why its elements are refused. */
    readonly refusal?: string,
  ) {
    super();
  }
}

/** Pairs that are made a dictionary without a look at the clock. */
const few = 4096;
const stepsPerTensor = 4;
const mostSparse = 16;
const mostBits = 4;

/**
 * Reads the pickle of a checkpoint: what `torch.load(weights_only=True)` allows has its meaning, all else is opaque.
 * @param options.legacy the format before 1.6, whose persistent ids have one item more
 * @returns the value, the byte after the pickle, and the storages it names, the first of each key
 */
export async function unpickleTorch(
  bytes: Uint8Array,
  work: Work,
  fail: Malformed,
  options: { from?: number; legacy?: boolean } = {},
): Promise<{ value: PyValue; end: number; storages: ReadonlyMap<string, TorchStorage> }> {
  const storages = new Map<string, TorchStorage>();
  const rules = torchRules(storages, options.legacy ?? false, work);
  return { ...(await unpickle(bytes, rules, work, fail, options.from)), storages };
}

type Call = (args: readonly PyValue[]) => Meaning | Promise<Meaning>;

// Devices, layouts, sets and bytes hold no tensors.
const dropped: Call = () => plain;

function torchRules(storages: Map<string, TorchStorage>, legacy: boolean, work: Work): PickleRules {
  const setPairs = (dict: PyDict, pairs: readonly PyValue[]): boolean =>
    pairs.every((pair) => {
      work.spend(1);
      const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : [];
      return items.length === 2 && dict.set(items[0]!, items[1]!, work) === undefined;
    });

  const dictionary: Call = (args) => {
    const [first] = args;
    if (args.length === 0) return new PyDict();
    if (first instanceof PyDict) return first;
    if (!Array.isArray(first)) return undefined;
    const dict = new PyDict();
    if (first.length <= few) return setPairs(dict, first) ? dict : undefined;
    return (async () => {
      for (let from = 0; from < first.length; from += few) {
        if (!setPairs(dict, first.slice(from, from + few))) return undefined;
        if (work.due(few)) await work.rest();
      }
      return dict;
    })();
  };

  /** A tensor over a storage. @param typed the storage, or a dtype's name @param metadata bits such as `neg`, by name */
  function view(args: readonly PyValue[], typed: PyValue | undefined, metadata?: PyValue): TorchTensor | undefined {
    const [storage, offset, size, stride] = args;
    if (!(storage instanceof TorchStorage) || !isWhole(offset)) return undefined;
    const type = typed instanceof PyName ? typed.name : storage.type;
    const shape = wholeNumbers(size);
    const strides = wholeNumbers(stride);
    if (!shape || !strides || shape.length !== strides.length) return undefined;
    work.spend(stepsPerTensor + shape.length);
    const bits = setBits(metadata);
    if (!bits) return undefined;
    const lazy = bits.length ? `a tensor with ${bits.join(' and ')} pending; save its .${resolving(bits)}` : undefined;
    return new TorchTensor(storage, type, offset, shape, strides, lazy);
  }

  const table: Readonly<Record<string, Call>> = {
    'torch._utils._rebuild_tensor': (args) => (args.length === 4 ? view(args, args[0]) : undefined),
    'torch._utils._rebuild_tensor_v2': (args) => (isCall(args, 6) ? view(args, args[0], args[6]) : undefined),
    'torch._utils._rebuild_tensor_v3': (args) =>
      isCall(args, 7) && args[6] instanceof PyName ? view(args, args[6], args[7]) : undefined,
    'torch._utils._rebuild_parameter': (args) => (args.length === 3 ? tensorOf(args[0]) : undefined),
    'torch._utils._rebuild_parameter_with_state': (args) => (args.length === 4 ? tensorOf(args[0]) : undefined),
    'torch.nn.parameter.Parameter': (args) => (args.length <= 2 ? tensorOf(args[0]) : undefined),
    'torch._tensor._rebuild_from_type_v2': ([rebuilder, type, inner, ...rest]) => {
      if (!(rebuilder instanceof PyName && type instanceof PyName && inner instanceof PyTuple) || rest.length !== 1)
        return undefined;
      const known = rebuilder.name.startsWith('torch._utils.') ? calls.get(rebuilder.name) : undefined;
      return known ? known(inner.items) : new PyOpaque(type.name);
    },
    'torch._utils._rebuild_sparse_tensor': sparse,
    'torch._utils._rebuild_sparse_csr_tensor': sparse,
    'torch._utils._rebuild_qtensor': (args) => {
      const storage = args[0];
      return args.length === 7 && storage instanceof TorchStorage
        ? listed(storage.type, args[2], 'a quantized tensor; save its .dequantize()')
        : undefined;
    },
    'torch._utils._rebuild_meta_tensor_no_storage': (args) =>
      args.length === 4 && args[0] instanceof PyName
        ? listed(args[0].name, args[1], 'a tensor of the meta device, which has no elements')
        : undefined,
    'collections.OrderedDict': dictionary,
    'collections.Counter': dictionary,
    'collections.defaultdict': (args) => dictionary(args.slice(1)),
    'torch.Size': ([size]) => {
      if (size instanceof PyTuple) return size;
      return Array.isArray(size) && size.length <= maxRank ? new PyTuple([...size]) : undefined;
    },
    'torch.Tensor': () => undefined,
    'torch.device': dropped,
    'torch.serialization._get_layout': dropped,
    '_codecs.encode': dropped,
    'builtins.set': dropped,
    '__builtin__.set': dropped,
    'builtins.frozenset': dropped,
    '__builtin__.frozenset': dropped,
    'builtins.bytearray': dropped,
    '__builtin__.bytearray': dropped,
  };
  const calls = new Map(Object.entries(table));

  return {
    listed: (name) => calls.has(name) || torchTypes.has(name),
    reduce: (name, args) => calls.get(name)?.(args),
    persistent(id) {
      if (!(id instanceof PyTuple)) return undefined;
      const [kind, type, key, , count, window = null] = id.items;
      // A class of the user's, with its source.
      if (legacy && kind === 'module' && id.items.length === 4 && type instanceof PyName) return type;
      if (kind !== 'storage' || id.items.length !== (legacy ? 6 : 5)) return undefined;
      if (!(type instanceof PyName) || typeof key !== 'string') return undefined;
      if (!type.name.endsWith('Storage') || !isWhole(count)) return undefined;
      // Of the typed ones, PyTorch looks only at the class's own name.
      const own = `torch.${type.name.slice(type.name.lastIndexOf('.') + 1)}`;
      if (!torchTypes.has(own === untyped ? type.name : own)) return undefined;
      const storage = known(new TorchStorage(key, own, count));
      if (window === null) return storage;
      if (!(window instanceof PyTuple) || window.items.length !== 3) return undefined;
      const [partKey, from, length] = window.items;
      if (typeof partKey !== 'string' || !isWhole(from) || !isWhole(length)) return undefined;
      return known(new TorchStorage(partKey, own, length, { of: storage, from }));
    },
  };

  /** The first of a key, if it is the same. */
  function known(storage: TorchStorage): TorchStorage {
    const first = storages.get(storage.key);
    if (!first) storages.set(storage.key, storage);
    return first && isSame(first, storage) ? first : storage;
  }
}

const isSame = (a: TorchStorage, b: TorchStorage): boolean =>
  a.type === b.type && a.count === b.count && a.part?.of === b.part?.of && a.part?.from === b.part?.from;

const tensorOf = (value: PyValue | undefined): TorchTensor | undefined =>
  value instanceof TorchTensor ? value : undefined;

/** The arguments that all versions share: …, requires_grad, backward_hooks (None up to 1.1), and one more that may be left out. */
const isCall = (args: readonly PyValue[], least: number): boolean =>
  (args.length === least || args.length === least + 1) &&
  typeof args[4] === 'boolean' &&
  (args[5] === null || args[5] instanceof PyDict);

/** Names of the bits that are set; undefined if PyTorch would refuse the metadata. */
function setBits(metadata: PyValue | undefined): string[] | undefined {
  if (metadata === undefined || metadata === null) return [];
  if (!(metadata instanceof PyDict) || metadata.size > mostBits) return undefined;
  const bits: string[] = [];
  for (const [name, value] of metadata) {
    if (typeof name !== 'string' || typeof value !== 'boolean') return undefined;
    if (value) bits.push(name.slice(0, 40));
  }
  return bits;
}

const resolving = (bits: string[]): string =>
  bits.includes('conj') ? 'resolve_conj()' : bits.includes('neg') ? 'resolve_neg()' : 'clone()';

function sparse([, data, ...rest]: readonly PyValue[]): PyValue | undefined {
  if (!(data instanceof PyTuple) || rest.length || data.items.length > mostSparse) return undefined;
  const { items } = data;
  const size = items.findLast((item) => item instanceof PyTuple);
  const values = items.findLast((item) => item instanceof TorchTensor);
  if (!values) return new PyOpaque('torch._utils._rebuild_sparse_tensor');
  return listed((values as TorchTensor).type, size, 'a sparse tensor; save its .to_dense()');
}

/** A tensor that is listed, but cannot be read. */
function listed(type: string, size: PyValue | undefined, refusal: string): TorchTensor | undefined {
  const shape = wholeNumbers(size);
  return shape && new TorchTensor(undefined, type, 0, shape, [], refusal);
}

function wholeNumbers(value: PyValue | undefined): number[] | undefined {
  const items = value instanceof PyTuple ? value.items : Array.isArray(value) ? value : undefined;
  return items && items.length <= maxRank && items.every(isWhole) ? (items as number[]) : undefined;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
