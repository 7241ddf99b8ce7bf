import type { DType } from '../values/dtype.js';

// A recipe is what a definition's rules say about one recorded layer, as plain data. Native code makes TensorRT's
// expressions of it and evaluates it at enqueue; `encode.ts` writes its bytes, `native/plugin/recipe.cc` reads them.

/** TensorRT's PluginFieldType, by the names of dtypes. */
export const fieldTypes = {
  float16: 0,
  float32: 1,
  float64: 2,
  int8: 3,
  int16: 4,
  int32: 5,
  char: 6,
  dims: 7,
  unknown: 8,
  bfloat16: 9,
  int64: 10,
  float8e4m3: 11,
  int4: 12,
  float4e2m1: 13,
} as const;

/** An element type of plugin fields. @useDeclaredType */
export type FieldType = keyof typeof fieldTypes;

/** TensorRT's DimensionOperation, in its order. */
export const operations = ['sum', 'prod', 'max', 'min', 'sub', 'equal', 'less', 'floorDiv', 'ceilDiv'] as const;
export type Operation = (typeof operations)[number];

/** An int64 that wraps. Operands are indices of earlier expressions; inputs are counted with the shape inputs last. */
export type Expression =
  | { op: 'constant'; value: bigint }
  | { op: 'dim'; input: number; axis: number }
  /** An element of a shape input. */
  | { op: 'value'; input: number; element: number }
  /** What the kernel writes to a size tensor; `opt` and `upper` are expressions. At enqueue it is `upper`. */
  | { op: 'size'; output: number; opt: number; upper: number }
  | { op: Operation; a: number; b: number };

export const integerTypes = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bool'] as const;
/** Types of integer arguments of kernels. @useDeclaredType */
export type IntegerType = (typeof integerTypes)[number];

export const floatTypes = ['float16', 'bfloat16', 'float32', 'float64'] as const;
/** Types of floating-point arguments of kernels. @useDeclaredType */
export type FloatType = (typeof floatTypes)[number];

export type Pointer =
  | { to: 'input' | 'output'; index: number }
  /** `offset`: an expression, in bytes. */
  | { to: 'workspace'; offset: number };

/** An argument of a kernel. An integer that does not fit its type is an error, never cut off. */
export type Argument =
  | { kind: 'pointer'; pointer: Pointer }
  | { kind: 'integer'; type: IntegerType; expression: number }
  | { kind: 'float'; type: FloatType; value: number }
  /** An integer expression, converted. */
  | { kind: 'floatOf'; type: 'float32' | 'float64'; expression: number }
  /** A scalar attribute, by its own type. */
  | { kind: 'attribute'; attribute: number };

type Three = [x: number, y: number, z: number];

/** Grid, block and shared memory (bytes) are expressions. */
export interface LaunchStep {
  kind: 'launch';
  kernel: number;
  grid: Three;
  block: Three;
  sharedMemory: number;
  args: Argument[];
}

/** Sets bytes: `bytes` is an expression. */
export interface FillStep {
  kind: 'fill';
  target: Pointer;
  byte: number;
  bytes: number;
}

export type Step = LaunchStep | FillStep;

/** What a plugin does for one recorded layer. Numbers called expressions are indices into `expressions`. */
export interface Recipe {
  /** Tensors, then shape inputs. */
  inputs: { name: string; dtype: DType; rank: number; isShape: boolean }[];
  /** `dims`: expressions. `alias`: the input that it updates in place, or -1. */
  outputs: { name: string; dtype: DType; dims: number[]; alias: number; isSize: boolean }[];
  attributes: { name: string; type: FieldType }[];
  expressions: Expression[];
  /** Bytes, an expression. */
  workspace: number;
  /** NVRTC's name expressions, e.g. `rmsNorm<__half>`. */
  kernels: string[];
  /** At least one. TensorRT's tactic i + 1 is `tactics[i]`; a single one is not announced. */
  tactics: Step[][];
}

/** The least and the most value of an integer type. */
export const integerRanges: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  // Expressions are int64.
  uint64: [0n, 2n ** 63n - 1n],
  bool: [0n, 1n],
};
