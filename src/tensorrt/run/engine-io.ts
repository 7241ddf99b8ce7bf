import type { Dim } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';

/** An input or output of an engine. */
export interface EngineIO {
  /** Its name. */
  name: string;
  /** Its dtype. */
  dtype: DType;
  /** Numbers, and names or expressions for dynamic dims (made-up names, such as `x_0`, for an engine loaded from a file). */
  shape: readonly Dim[];
  /**
   * For an input whose elements TensorRT computes shapes from: the range of each element, per profile, in row-major order.
   * Feed it like any other input; TensorRT reads it in host memory.
   */
  values?: readonly ElementRange[] | undefined;
  /** What its elements are, in the words of the network; absent if nothing was noted, or the engine was loaded from a file without metadata. */
  note?: string | undefined;
}

/** The range of an input's elements, one number for each. */
export interface ElementRange {
  /** The least. */
  min: readonly number[];
  /** What TensorRT tuned for. */
  opt: readonly number[];
  /** The most. */
  max: readonly number[];
}

/** What TensorRT's IEngineInspector reports about an engine, unchanged. */
export interface EngineInformation {
  /** In execution order: names, or with `profilingVerbosity: 'detailed'` objects with `Name`, `LayerType`, `Inputs`, `Outputs`, `TacticName` … */
  Layers: (string | Record<string, unknown>)[];
  /** Inputs and outputs. */
  Bindings: string[];
}
