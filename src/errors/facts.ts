/** The place in the user's code where a layer was recorded. */
export interface SourceLocation {
  /** Absolute path. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/** A weight from a file, as it was passed to a layer. */
export interface WeightOperand {
  /** The option it was passed as, e.g. `weight` or `running_mean`. */
  role: string;
  /** Name in the file. */
  name: string;
  /** Path of the file. */
  file: string;
  /** Dtype in the file. */
  dtype?: string;
  /** Shape in the file. */
  shape: readonly number[];
}

/** A layer of the network. */
export interface LayerAtFault {
  /** Name of the layer. */
  layer: string;
  /** TensorRT layer kind. */
  kind: string;
  /** The method that recorded it. */
  method?: string | undefined;
  /** Where. */
  source?: SourceLocation | undefined;
}

/** What an error carries besides its code. The message is built from these facts; nothing is ever parsed back out of it. */
export interface ErrorFacts {
  /** The method or function that was called, e.g. `conv2d`. */
  method?: string | undefined;
  /** The option or argument at fault, under the caller's name for it, e.g. `weight`. */
  option?: string;
  /** Several that do not fit together; the message begins with all their names. */
  options?: readonly string[];
  /** Those at fault that the message already mentions. */
  involved?: readonly string[];
  /** Name of the layer at fault. */
  layer?: string;
  /** TensorRT layer kind, e.g. `convolution`. */
  kind?: string;
  /** Several layers at fault, in place of one. */
  layers?: readonly LayerAtFault[];
  /** The caller's file and line that recorded the layer. */
  source?: SourceLocation | undefined;
  /** The line of CUDA source at fault. */
  cuda?: SourceLocation;
  /** What would have fitted. */
  expected?: unknown;
  /** What was given. */
  actual?: unknown;
  /** Weights from files that do not fit. */
  weights?: readonly WeightOperand[];
  /** TensorRT's own log lines, oldest first. */
  log?: string[];
  /** TensorRT's own code of the error, e.g. `kINVALID_ARGUMENT`. */
  tensorrtCode?: string | undefined;
  /** The error underneath, such as one of Node's or onnxruntime's. */
  cause?: unknown;
}

/** What a check reports about arguments: facts under its own names, completed by a layer's `record` and by `refuse`. */
export interface Refusal {
  /** The option at fault. The message is about it and does not repeat its name. */
  option?: string;
  /** Or the value at fault, as the caller passed it; the call knows which option or argument it was. */
  value?: unknown;
  /** Several that do not fit together; the message begins with all their names. */
  options?: readonly string[];
  /** Options at fault that the message already mentions. */
  involved?: readonly string[];
  expected?: unknown;
  actual?: unknown;
}

/** Throws an error that carries the call, the caller's place and, if there is a layer, its name and kind. */
export type Fail = (code: string, message: string, facts?: Refusal) => never;
