/** Where a layer was recorded, in the user's code. */
export interface SourceLocation {
  file: string;
  line: number;
  column: number;
}

/** A weight from a file that a layer was given. */
export interface WeightOperand {
  /** The option it was given as, e.g. `weight` or `running_mean`. */
  role: string;
  /** Name in the file. */
  name: string;
  file: string;
  dtype?: string;
  shape: readonly number[];
}

/** What an error knows beside its code. The message is worded from it, and nothing is read back out of a message. */
export interface ErrorFacts {
  /** The method or function that was called, e.g. `conv2d`. */
  method?: string;
  /** The option or argument at fault, by the name it has for the caller, e.g. `weight`. */
  option?: string;
  /** Several that do not fit together: the message begins with all their names. */
  options?: readonly string[];
  /** Those at fault that the message speaks of itself. */
  involved?: readonly string[];
  /** Name of the layer at fault. */
  layer?: string;
  /** TensorRT layer kind, e.g. `convolution`. */
  kind?: string;
  /** The caller's file and line, where the layer was recorded. */
  source?: SourceLocation;
  expected?: unknown;
  actual?: unknown;
  /** Weights of files that do not fit. */
  weights?: readonly WeightOperand[];
  /** TensorRT's own log lines, oldest first. */
  log?: string[];
  cause?: unknown;
}

/** What a check says of arguments: facts under its own names, which a layer's `record` and `refuse` complete. */
export interface Refusal {
  /** The option at fault; the message is about it and does not name it again. */
  option?: string;
  /** Or the value at fault, as the caller gave it: the call knows as which option or argument. */
  value?: unknown;
  /** Several that do not fit together: the message begins with all their names. */
  options?: readonly string[];
  /** Options at fault that the message speaks of itself. */
  involved?: readonly string[];
  expected?: unknown;
  actual?: unknown;
}

/** Throws an error which carries the call, the caller's place, and the layer's name and kind where there is one. */
export type Fail = (code: string, message: string, facts?: Refusal) => never;
