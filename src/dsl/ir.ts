import type { SourceLocation } from '../errors/error.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { ValueType } from '../values/spec.js';
import type { FileMapping } from '../values/weight.js';

/** Number of a value within its network; nested graphs draw from the same sequence. */
export type ValueId = number;
/** Place of a weight in its network's side table. */
export type WeightId = number;

/** Plain data: what a layer's schema makes of the caller's options. */
export type LayerParams = Record<string, unknown>;

export interface IRValue extends ValueType {
  id: ValueId;
}

export interface IRNamed extends IRValue {
  name: string;
}

export interface IRNode {
  id: number;
  /** TensorRT layer kind. */
  kind: string;
  name: string;
  /** Values by TensorRT's input index; null where an optional input is absent. */
  inputs: (ValueId | null)[];
  /** Weights by role (`kernel`, `bias`, `value`, ...). */
  weights: Record<string, WeightId>;
  params: LayerParams;
  outputs: IRValue[];
  /** Nested graphs by role (`body`, `then`, `else`). */
  bodies?: Record<string, IRGraph>;
  source?: SourceLocation;
}

export interface IRGraph {
  inputs: IRNamed[];
  nodes: IRNode[];
  outputs: { id: ValueId; name: string }[];
}

/** A weight in the side table: a `WeightLike` that was checked. Its place there is its number. */
export interface IRWeight {
  dtype: DType;
  shape: readonly number[];
  /** Its name in the weight file, by which it can be refitted. */
  name?: string | undefined;
  /** The file it came from, unchanged but for its shape. */
  file?: string | undefined;
  /** Throws once the file it came from can no longer be trusted. */
  check?: (() => void) | undefined;
  data: TypedArray;
  /** @internal The mapped file that `data` lies in, so that a build uses the elements where they are. */
  mapping?: FileMapping | undefined;
}

/** Serialized form of a network: `weights` hold their elements (base64, little endian) unless they came from a named weight. */
export interface NetworkJSON extends IRGraph {
  format: 'node-tensorrt';
  version: 1;
  name: string;
  weights: { id: WeightId; dtype: DType; shape: readonly number[]; name?: string; data?: string }[];
}
