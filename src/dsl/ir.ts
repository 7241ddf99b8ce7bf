import type { SourceLocation } from '../errors/error.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { Origin } from '../values/recipe.js';
import type { ValueType } from '../values/spec.js';
import type { TensorFormat } from '../values/tensor-format.js';
import type { FileMapping, StoredAt } from '../values/weight.js';

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
  /** Memory layouts that an input or output of the network may have; absent for the linear one. */
  formats?: readonly TensorFormat[] | undefined;
}

/** An output of a graph. */
export type IROutput = Pick<IRNamed, 'id' | 'name' | 'formats'>;

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
  outputs: IROutput[];
}

/** A checked `WeightLike` in the side table. Its index there is its number. */
export interface IRWeight {
  dtype: DType;
  shape: readonly number[];
  /** Its name in the weight file, used for refitting. */
  name?: string | undefined;
  /** The file it came from, if at most its shape has changed. */
  file?: string | undefined;
  /** @internal What that file has. */
  stored?: StoredAt | undefined;
  /** Throws once the file it came from can no longer be trusted. */
  check?: (() => void) | undefined;
  data: TypedArray;
  /** @internal The mapped file that `data` lies in, so that a build can use the elements without a copy. */
  mapping?: FileMapping | undefined;
  /** @internal How `data` was made from a file, so that an engine can be refitted from another. */
  origin?: Origin | undefined;
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
