import type { DType } from '../../values/dtype.js';
import type { HeldLayer, HeldOptions, LibraryInfo } from '../binding.js';

/** One output of a layer as TensorRT inferred it. */
export interface LayerReport {
  /** Name of the layer. */
  name: string;
  /** TensorRT layer kind. */
  kind: string;
  /** TensorRT's dtype. */
  dtype: DType;
  /** TensorRT's shape; -1 where it is dynamic. */
  shape: number[];
}

/** The names in a TensorRT network, as TensorRT reports them. */
export interface NetworkNames {
  /** The inputs, in TensorRT's order. */
  inputs: string[];
  /**
   * Every layer with its output tensors, in the order they were added. Includes those in loops and conditionals, and the
   * parts a layer is composed of, e.g. `loop/state0`.
   */
  layers: { name: string; outputs: string[] }[];
  /** The outputs, in TensorRT's order. */
  outputs: string[];
}

/** What `net.check()` returns. */
export interface LoweringReport {
  /** The library that took the network. */
  library: LibraryInfo;
  /** Every layer of the outermost graph and of nested graphs, in order. */
  layers: LayerReport[];
  /** TensorRT's names of all layers and tensors. */
  names: NetworkNames;
  /** What TensorRT's getters return for every layer, already compared with what was recorded. Nested layers precede the layer they are in. */
  readBack: HeldLayer[];
  /** What TensorRT's getters return for the build options, already compared with the options given. */
  options: HeldOptions;
  /** Milliseconds to create the network, without building it. */
  lowerMs: number;
}
