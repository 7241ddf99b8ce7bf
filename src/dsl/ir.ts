import type { SourceLocation } from '../errors/error.js';
import type { DType, TypedArray } from '../values/dtype.js';
import type { IOTraits } from '../values/io-options.js';
import type { Origin } from '../values/recipe.js';
import type { ValueType } from '../values/spec.js';
import type { FileMapping, StoredAt } from '../values/weight.js';

/** Number of a value within its network; nested graphs share the sequence. */
export type ValueId = number;
/** Index of a weight in its network's side table. */
export type WeightId = number;

/** Plain data: a layer's parameters as its schema returns them. */
export type LayerParams = Record<string, unknown>;

export interface IRValue extends ValueType {
  /** Its number. */
  id: ValueId;
}

/** An input of a graph. Only those of the network itself, and its outputs, have traits. */
export interface IRNamed extends IRValue, IOTraits {
  /** Its name. */
  name: string;
}

/** An output of a graph. */
export type IROutput = Pick<IRNamed, 'id' | 'name' | keyof IOTraits>;

/** A layer of a graph. */
export interface IRNode {
  /** Its number. */
  id: number;
  /** TensorRT layer kind. */
  kind: string;
  /** Name of the layer, unique within the network. */
  name: string;
  /** Values by TensorRT's input index; null for an absent optional input. */
  inputs: (ValueId | null)[];
  /** Weights by role (`kernel`, `bias`, `value`, ...). */
  weights: Record<string, WeightId>;
  /** TensorRT's parameters, as the kind's schema returns them. */
  params: LayerParams;
  /** Its outputs, in TensorRT's order. */
  outputs: IRValue[];
  /** Nested graphs by role (`body`, `then`, `else`). */
  bodies?: Record<string, IRGraph> | undefined;
  /** The line that recorded it; absent where it is not known. */
  source?: SourceLocation | undefined;
}

/** A graph: that of a network, or a body of a loop or conditional. */
export interface IRGraph {
  /** Its inputs, in the order of recording. */
  inputs: IRNamed[];
  /** Its layers. A layer comes after those whose outputs it takes. */
  nodes: IRNode[];
  /** Its outputs, in the order in which they were marked. */
  outputs: IROutput[];
}

/** A checked `WeightLike` in the side table. Its index there is its number. */
export interface IRWeight {
  /** Its dtype. */
  dtype: DType;
  /** Its sizes. */
  shape: readonly number[];
  /** Its name in the weight file, used for refitting. */
  name?: string | undefined;
  /** The file it came from, if at most its shape has changed. */
  file?: string | undefined;
  /** @internal What that file has. */
  stored?: StoredAt | undefined;
  /** Throws once the file it came from can no longer be trusted. */
  check?: (() => void) | undefined;
  /** Its elements, row-major. */
  data: TypedArray;
  /** @internal The mapped file that `data` lies in, so that a build can use the elements without a copy. */
  mapping?: FileMapping | undefined;
  /** @internal How `data` was made from a file, so that an engine can be refitted from another. */
  origin?: Origin | undefined;
}

/** Serialized form of a network: `weights` hold their elements (base64, little endian), except those from a file, which are stored by name. */
export interface NetworkJSON extends IRGraph {
  /** Says what the object is. */
  format: 'node-tensorrt';
  /** Version of the form. */
  version: 1;
  /** Name of the network. */
  name: string;
  /** Values marked by `tensor.debug()`; absent if there are none. */
  debug?: ValueId[] | undefined;
  /** The weights: `data` has the elements, `name` the name in the file they are loaded from. */
  weights: {
    id: WeightId;
    dtype: DType;
    shape: readonly number[];
    name?: string | undefined;
    data?: string | undefined;
  }[];
}
