import type { CpuAttribute, CpuBody, CpuGraph, CpuValue } from '../dsl/define-layer.js';
import type { IRWeight, WeightId } from '../dsl/ir.js';
import { TensorRTError } from '../errors/error.js';
import {
  byteLength,
  bytesOf,
  copyOfBytes,
  type DType,
  isTypedArray,
  type TypedArray,
  viewAs,
} from '../values/dtype.js';
import { carries, decodeElements, encodeElements } from '../values/elements.js';
import type { ValueType } from '../values/spec.js';
import { checkElements } from '../values/weight.js';
import {
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  onnxTypes,
} from './onnx.js';

/** The type that holds a dtype's values between operators: bfloat16 and the narrow floats have no kernels, int4 has few. */
export const cpuTypes: Readonly<Record<DType, OnnxType>> = {
  float32: 'float32',
  float16: 'float16',
  bfloat16: 'float32',
  float8e4m3: 'float32',
  float4e2m1: 'float32',
  float8e8m0: 'float32',
  int64: 'int64',
  int32: 'int32',
  int8: 'int8',
  int4: 'int8',
  uint8: 'uint8',
  bool: 'bool',
};

/** Converts elements to the type that holds them. */
export function asCpuElements(dtype: DType, data: TypedArray, count: number): TypedArray {
  if (dtype === cpuTypes[dtype]) return data;
  const decoded = decodeElements(dtype, data, count);
  return dtype === 'int4' ? Int8Array.from(decoded) : decoded;
}

/** A copy: neither a file nor the caller may change it later. */
export function ownCpuElements(dtype: DType, data: TypedArray, count: number): TypedArray {
  const elements = asCpuElements(dtype, data, count);
  return elements === data ? viewAs(dtype, copyOfBytes(data)) : elements;
}

/** Larger constants are passed outside the model, whose protobuf may not exceed 2 GB. */
const inlineBytes = 1024;
const cachedBytes = 64;
/** onnxruntime copies what is passed beside a model into it, and holds no constant of this size or more. Tests lower it. */
export const heldBytes = { below: 2 ** 31 };

/** Weights that several graphs take: held once, and fed to each. */
export class SharedWeights {
  readonly #ids: ReadonlySet<WeightId>;
  readonly #elements = new Map<WeightId, TypedArray>();

  constructor(ids: ReadonlySet<WeightId> = new Set()) {
    this.#ids = ids;
  }

  /** A copy in the type that holds it; undefined for a weight that a graph had better hold itself. */
  elements({ dtype, data }: IRWeight, id: WeightId, count: number): TypedArray | undefined {
    if (!this.#ids.has(id) || data.byteLength <= inlineBytes) return undefined;
    const known = this.#elements.get(id) ?? ownCpuElements(dtype, data, count);
    this.#elements.set(id, known);
    return known;
  }
}

export interface FedConstant {
  name: string;
  type: OnnxType;
  shape: readonly number[];
  data: TypedArray;
}

/** State shared by all graphs of a model: names, constants, and the layer whose operators are being written. */
export class CpuModule {
  readonly initializers: OnnxTensor[] = [];
  /** Bytes of large constants, by the file name the model refers to. */
  readonly files: { path: string; data: Uint8Array }[] = [];
  /** Constants too large for the runtime to hold, which every run is fed. */
  readonly fed: FedConstant[] = [];
  /** Casts that widen large constants; they run before all other nodes. */
  readonly prelude: OnnxNode[] = [];
  /** Layer names by node name. */
  readonly layerOf = new Map<string, string>();
  /** Conditions to check after a run. */
  readonly requirements: { value: CpuValue; message: string; layer: string }[] = [];
  /** What the failure of a node means, by its name. */
  readonly guards = new Map<string, string>();
  layer = '';
  #values = 0;
  readonly #constants = new Map<string, CpuValue>();
  readonly #weights = new Map<IRWeight, CpuValue>();
  readonly #shared: SharedWeights;

  constructor(shared = new SharedWeights()) {
    this.#shared = shared;
  }

  newValue(): CpuValue {
    return `v${this.#values++}`;
  }

  /** A layer's first node has its name; the others add a number. */
  newNodeName(base = this.layer): string {
    let name = base;
    for (let n = 2; this.layerOf.has(name); n++) name = `${base}#${n}`;
    this.layerOf.set(name, this.layer);
    return name;
  }

  constant(dtype: DType, shape: readonly number[], data: TypedArray): CpuValue {
    const count = shape.reduce((a, b) => a * b, 1);
    if (data.byteLength !== byteLength(dtype, count)) {
      throw new TensorRTError(
        'ERR_INTERNAL',
        `a constant ${dtype}[${shape.join(', ')}] takes ${byteLength(dtype, count)} bytes, given ${data.byteLength}`,
      );
    }
    if (data.byteLength > cachedBytes) return this.#initializer(dtype, shape, data, count);
    const key = `${dtype} ${shape.join()} ${bytesOf(data).join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const value = this.#initializer(dtype, shape, data, count);
    this.#constants.set(key, value);
    return value;
  }

  weight(weight: IRWeight, id: WeightId): CpuValue {
    const known = this.#weights.get(weight);
    if (known !== undefined) return known;
    const { dtype, shape, data, mapping } = weight;
    const count = shape.reduce((a, b) => a * b, 1);
    checkElements(weight, id);
    const elements = this.#shared.elements(weight, id, count);
    const value = elements
      ? this.#feed(dtype, shape, elements)
      : this.#initializer(dtype, shape, data, count, !mapping);
    this.#weights.set(weight, value);
    return value;
  }

  /** @param data in the type that holds it; nobody else may change it */
  #feed(dtype: DType, shape: readonly number[], data: TypedArray, name = this.newValue()): CpuValue {
    this.fed.push({ name, type: cpuTypes[dtype], shape, data });
    return name;
  }

  /** @param isCallers whether the caller could change `data` before the runtime reads it */
  #initializer(dtype: DType, shape: readonly number[], data: TypedArray, count: number, isCallers = false): CpuValue {
    const type = cpuTypes[dtype];
    const name = this.newValue();
    if (data.byteLength <= inlineBytes) {
      this.initializers.push({ name, type, shape, data: bytesOf(asCpuElements(dtype, data, count)) });
      return name;
    }
    const held = type === 'float32' ? 4 * count : data.byteLength;
    if (held >= heldBytes.below) return this.#feed(dtype, shape, ownCpuElements(dtype, data, count), name);
    // The runtime widens these two, so the bytes need no copy here.
    const widened = dtype === 'bfloat16' || dtype === 'float8e4m3';
    const elements = widened ? data : asCpuElements(dtype, data, count);
    const bytes = elements === data && isCallers ? copyOfBytes(data) : bytesOf(elements);
    const path = `weight${this.files.length}`;
    this.files.push({ path, data: bytes });
    this.initializers.push({ name, type: widened ? dtype : type, shape, data: { file: path, length: bytes.length } });
    if (!widened) return name;
    const wide = this.newValue();
    const attributes = { to: onnxTypes[type] };
    this.prelude.push({ op: 'Cast', name: this.newNodeName(path), inputs: [name], outputs: [wide], attributes });
    return wide;
  }
}

/** An ONNX graph under construction: the model's, or the body of a Loop or If. */
export class OnnxGraphWriter implements CpuGraph {
  readonly module: CpuModule;
  readonly graph: OnnxGraph;
  readonly #made = new Set<CpuValue>();

  readonly #nested: boolean;

  constructor(module: CpuModule, name: string, nested = false) {
    this.module = module;
    this.#nested = nested;
    this.graph = { name, nodes: [], inputs: [], outputs: [], values: [], initializers: [] };
  }

  op(type: string, inputs: readonly (CpuValue | null)[], attributes: Record<string, CpuAttribute> = {}): CpuValue {
    return this.ops(type, inputs, attributes, 1)[0]!;
  }

  ops(
    type: string,
    inputs: readonly (CpuValue | null)[],
    attributes: Record<string, CpuAttribute>,
    outputs: number,
  ): CpuValue[] {
    const results = Array.from({ length: outputs }, () => this.module.newValue());
    this.#node(type, inputs, results, attributes);
    return results;
  }

  constant(dtype: DType, shape: readonly number[], data: readonly (number | bigint)[] | TypedArray): CpuValue {
    const elements =
      isTypedArray(data) && carries(dtype, data) ? data : encodeElements(dtype, data as ArrayLike<number | bigint>);
    return this.module.constant(dtype, shape, elements);
  }

  cast(value: CpuValue, dtype: DType): CpuValue {
    return this.round(this.#cast(value, cpuTypes[dtype]), dtype);
  }

  require(condition: CpuValue, message: string): void {
    if (!this.#nested) this.module.requirements.push({ value: condition, message, layer: this.module.layer });
  }

  guard(value: CpuValue, condition: CpuValue, message: string): CpuValue {
    // ONNX has no operator that fails; the second of one element is missing.
    const [first, second] = [0, 1].map((v) => this.constant('int64', [], [v]));
    const list = this.op('Unsqueeze', [value, this.constant('int64', [1], [0])]);
    const guarded = this.op('Gather', [list, this.op('Where', [condition, first!, second!])]);
    this.module.guards.set(this.graph.nodes.at(-1)!.name, message);
    return guarded;
  }

  body(inputs: readonly ValueType[], build: (graph: CpuGraph, inputs: CpuValue[]) => readonly CpuValue[]): CpuBody {
    const nested = new OnnxGraphWriter(this.module, `${this.module.layer}.body`, true);
    const parameters = inputs.map((type) => nested.input(this.module.newValue(), type));
    for (const value of build(nested, parameters)) nested.output(this.module.newValue(), value);
    return { graph: nested.graph };
  }

  /** Rounds a value, already in the type that holds `dtype`, to what `dtype` can represent. */
  round(value: CpuValue, dtype: DType): CpuValue {
    if (dtype === 'bfloat16' || dtype === 'float8e4m3') return this.#cast(this.#cast(value, dtype), 'float32');
    return dtype === 'float4e2m1' ? this.#roundFloat4(value) : value;
  }

  input(name: string, { dtype, shape }: ValueType): CpuValue {
    this.graph.inputs.push({ name, type: cpuTypes[dtype], shape });
    return name;
  }

  /** Adds an Identity, because an output may be an input, a constant, a value of an outer graph, or given twice. */
  output(name: string, value: CpuValue, dtype?: DType): void {
    this.#node('Identity', [value], [name], {});
    this.graph.outputs.push({ name, type: dtype && cpuTypes[dtype] });
  }

  /** Lets the runtime check the element type of a value made in this graph. */
  declare(value: CpuValue, dtype: DType): void {
    if (this.#made.delete(value)) this.graph.values.push({ name: value, type: cpuTypes[dtype] });
  }

  #node(
    op: string,
    inputs: readonly (CpuValue | null)[],
    outputs: readonly CpuValue[],
    attributes: Record<string, CpuAttribute>,
  ): void {
    this.graph.nodes.push({
      op,
      name: this.module.newNodeName(),
      inputs: inputs.map((value) => value ?? ''),
      outputs,
      attributes: attributes as Record<string, OnnxAttribute>,
    });
    for (const value of outputs) this.#made.add(value);
  }

  #cast(value: CpuValue, type: OnnxType): CpuValue {
    return this.op('Cast', [value], { to: onnxTypes[type] });
  }

  /** MX 1.0's E2M1 has steps of 0.5 below 2, 1 below 4 and 2 up to 6. ONNX's Round rounds half to even. */
  #roundFloat4(value: CpuValue): CpuValue {
    const number = (v: number) => this.constant('float32', [], [v]);
    const clipped = this.op('Clip', [value, number(-6), number(6)]);
    const size = this.op('Abs', [clipped]);
    const coarse = this.op('Where', [this.op('Less', [size, number(4)]), number(1), number(2)]);
    const step = this.op('Where', [this.op('Less', [size, number(2)]), number(0.5), coarse]);
    return this.op('Mul', [this.op('Round', [this.op('Div', [clipped, step])]), step]);
  }
}
