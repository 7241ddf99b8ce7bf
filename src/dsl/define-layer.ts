import type { z } from 'zod';
import type { Fail } from '../errors/facts.js';
import type { Dim } from '../values/dim.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { ValueType } from '../values/spec.js';
import type { IRWeight, LayerParams } from './ir.js';

/** What inference knows about a value: its type and, for small integer tensors, its elements as far as they are known. */
export interface InferredValue extends ValueType {
  contents?: readonly Dim[];
  /** Elements of a constant of any size and rank, except of narrow dtypes. */
  elements?: TypedArray;
}

export type { Fail };

/** What a layer's inference gets. */
export interface InferContext<P> {
  params: P;
  /** By TensorRT's input index; null for an absent optional input. */
  inputs: readonly (InferredValue | null)[];
  /** The input at `index`; throws if it is absent. */
  input(index: number): InferredValue;
  /** By role. */
  weights: Readonly<Record<string, IRWeight | undefined>>;
  /** Output types of nested graphs, by role. */
  bodies: Readonly<Record<string, readonly InferredValue[]>>;
  /** Types consumed by layers in the nested graph of that role, including graphs nested inside it. */
  takenIn(role: string): readonly InferredValue[];
  fail: Fail;
}

/** A value of the CPU graph. */
export type CpuValue = string & { readonly cpuValue?: never };
export type CpuAttribute =
  | number
  | string
  | boolean
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | CpuBody;

/** A finished nested graph, used as a graph attribute (Loop's `body`, If's `then_branch` and `else_branch`). */
export interface CpuBody {
  readonly graph: unknown;
}

/**
 * The graph that a layer writes its CPU mapping into. Operators come from ONNX's default domain. bfloat16 and the 8- and
 * 4-bit floats are held as float32 and rounded at the end of each layer. int4 is held as int8, so a layer that produces
 * int4 clips to −8 … 7.
 */
export interface CpuGraph {
  /** Adds an operator and returns its first output. Whole numbers become INT attributes; write `{ float: 1 }` for a FLOAT one. */
  op(type: string, inputs: readonly (CpuValue | null)[], attributes?: Record<string, CpuAttribute>): CpuValue;
  /** Adds an operator with several outputs. */
  ops(
    type: string,
    inputs: readonly (CpuValue | null)[],
    attributes: Record<string, CpuAttribute>,
    outputs: number,
  ): CpuValue[];
  /** A constant tensor of `dtype`, from numbers or from the typed array that carries that dtype. */
  constant(dtype: DType, shape: readonly number[], data: readonly (number | bigint)[] | TypedArray): CpuValue;
  /** ONNX's Cast to `dtype`; for bfloat16 the values are rounded to it. */
  cast(value: CpuValue, dtype: DType): CpuValue;
  /** Makes a run fail with `message` unless all elements of a bool are true. Does nothing inside a nested graph. */
  require(condition: CpuValue, message: string): void;
  /**
   * `value`, but the run fails with `message` unless `condition`, a bool of rank 0, is true; within nested graphs too. It
   * copies the value.
   */
  guard(value: CpuValue, condition: CpuValue, message: string): CpuValue;
  /**
   * A nested graph with inputs of the given types. `build` writes into it and returns its outputs; it may use any value of
   * the enclosing graphs.
   */
  body(inputs: readonly ValueType[], build: (graph: CpuGraph, inputs: CpuValue[]) => readonly CpuValue[]): CpuBody;
}

/** A recorded layer, as its CPU mapping sees it. */
export interface CpuLayer<P> {
  params: P;
  inputs: readonly (CpuValue | null)[];
  /** The input at `index`; throws if it is absent. */
  input(index: number): CpuValue;
  weights: Readonly<Record<string, CpuValue | undefined>>;
  inputTypes: readonly (InferredValue | null)[];
  weightTypes: Readonly<Record<string, IRWeight | undefined>>;
  outputTypes: readonly ValueType[];
  /** The layer's nested graphs, by role. */
  bodies: Readonly<Record<string, CpuLayerBody>>;
}

/** A recorded nested graph, as its layer's CPU mapping sees it. */
export interface CpuLayerBody {
  inputTypes: readonly ValueType[];
  outputTypes: readonly ValueType[];
  /** Writes its layers into `graph`, opened by `CpuGraph.body`, with `inputs` as its parameters; returns its outputs. */
  write(graph: CpuGraph, inputs: readonly CpuValue[]): CpuValue[];
}

export interface LayerDefinition<P extends LayerParams = LayerParams> {
  /** TensorRT layer kind, in snake case. */
  kind: string;
  /** Whether TensorRT lets it consume 8-bit floats and 4-bit types; other kinds need them dequantized first. */
  takesNarrow?: true;
  /** Whether TensorRT lets it consume uint8, which otherwise exists only at a network's inputs and outputs. */
  takesUint8?: true;
  /**
   * Schema of TensorRT's parameters, which methods derive from their options (described only by the methods' types). Applied
   * when the layer is recorded; the IR holds its result.
   */
  params: z.ZodType<P>;
  infer(context: InferContext<P>): InferredValue | InferredValue[];
  /** Input types of its nested graph of that role; without it, nested graphs have no inputs. */
  bodyInputs?(role: string, params: P, inputs: readonly (InferredValue | null)[], fail: Fail): ValueType[];
  /** Whether it has effects besides its outputs, so that it is kept even if nothing depends on it. */
  hasEffects?: true | ((params: P) => boolean);
  /** Whether constant folding may replace it with its result. Default: true, unless it has effects. */
  isFoldable?(params: P): boolean;
  /** Writes the operators that compute the same on the CPU backend. */
  cpu(graph: CpuGraph, layer: CpuLayer<P>): CpuValue | CpuValue[];
}

const kinds = new Map<string, LayerDefinition>();

/** Defines a layer kind. Throws if the kind is already defined. */
export function defineLayer<P extends LayerParams>(definition: LayerDefinition<P>): LayerDefinition<P> {
  if (kinds.has(definition.kind)) throw new Error(`layer kind '${definition.kind}' is defined twice`);
  kinds.set(definition.kind, definition as unknown as LayerDefinition);
  return definition;
}

/** Every kind defined so far. */
export const layerKinds: ReadonlyMap<string, LayerDefinition> = kinds;
