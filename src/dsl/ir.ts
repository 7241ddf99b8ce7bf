import type { SourceLocation } from '../errors/error.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { ValueType } from '../values/spec.js';
import type { FileMapping } from '../values/weight.js';

/** Number of a value within its network; nested graphs share the sequence. */
export type ValueId = number;
/** Index of a weight in its network's side table. */
export type WeightId = number;

/** Plain data: a layer's parameters as its schema returns them. */
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
  /** Values by TensorRT's input index; null for an absent optional input. */
  inputs: (ValueId | null)[];
  /** Weights by role (`kernel`, `bias`, `value`, ...). */
  weights: Record<string, WeightId>;
  params: LayerParams;
  outputs: IRValue[];
  /** Nested graphs by role (`body`, `then`, `else`). */
  bodies?: Record<string, IRGraph> | undefined;
  source?: SourceLocation | undefined;
}

export interface IRGraph {
  inputs: IRNamed[];
  nodes: IRNode[];
  outputs: { id: ValueId; name: string }[];
}

/** A checked `WeightLike` in the side table. Its index there is its number. */
export interface IRWeight {
  dtype: DType;
  shape: readonly number[];
  /** Its name in the weight file, used for refitting. */
  name?: string | undefined;
  /** The file it came from, if at most its shape has changed. */
  file?: string | undefined;
  /** Throws once the file it came from can no longer be trusted. */
  check?: (() => void) | undefined;
  data: TypedArray;
  /** @internal The mapped file that `data` lies in, so that a build can use the elements without a copy. */
  mapping?: FileMapping | undefined;
}

/** Serialized form of a network: `weights` hold their elements (base64, little endian), except those from a file, which are stored by name. */
export interface NetworkJSON extends IRGraph {
  format: 'node-tensorrt';
  version: 1;
  name: string;
  /** Values marked by `tensor.debug()`; absent if there are none. */
  debug?: ValueId[] | undefined;
  weights: {
    id: WeightId;
    dtype: DType;
    shape: readonly number[];
    name?: string | undefined;
    data?: string | undefined;
  }[];
}
