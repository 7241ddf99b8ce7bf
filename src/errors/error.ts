import { inspect } from 'node:util';

/** Where a layer was recorded, in the user's code. */
export interface SourceLocation {
  file: string;
  line: number;
  column: number;
}

/** A value as messages show it: short, whatever it is. */
export function show(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 8, maxStringLength: 80, breakLength: Infinity });
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
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

/** What an error knows beside its message. */
export interface ErrorDetails {
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

/** Values that a message quotes may be long. */
const mostText = 4000;
/** Of an LSTM's, say. */
const mostWeights = 8;

/** The one error class of this package. `code` is stable; the message says what was expected and what was given. */
export class TensorRTError extends Error {
  override readonly name = 'TensorRTError';
  /** What went wrong, e.g. `ERR_SHAPE`: stable, to be compared with. */
  readonly code: string;
  /** Name of the layer at fault. */
  declare readonly layer?: string;
  /** TensorRT layer kind, e.g. `convolution`. */
  declare readonly kind?: string;
  /** Your file and line, where the layer was recorded. */
  declare readonly source?: SourceLocation;
  /** What would have fitted, e.g. a shape or a dtype. */
  declare readonly expected?: unknown;
  /** What was given in its place. */
  declare readonly actual?: unknown;
  /** Weights of files that do not fit. */
  declare readonly weights?: readonly WeightOperand[];
  /** TensorRT's own log lines, oldest first. */
  declare readonly log?: string[];

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    const at = details.source ? `\n    recorded at ${details.source.file}:${details.source.line}` : '';
    const log = details.log?.length ? `\n    TensorRT: ${details.log.join('\n    TensorRT: ')}` : '';
    const text = message.length > mostText ? `${message.slice(0, mostText)} …` : message;
    super(`${text}${at}${log}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const { cause: _, weights, ...rest } = details;
    for (const [key, value] of Object.entries(rest)) if (value !== undefined) Object.assign(this, { [key]: value });
    if (weights?.length) this.nameWeights(weights);
  }

  /** @internal Says which weights of which files did not fit. */
  nameWeights(weights: readonly WeightOperand[]): void {
    const lines = weights
      .slice(0, mostWeights)
      .map(({ role, name, file, shape }) => `\n    ${role}: '${name}' of ${file} [${shape.join(', ')}]`);
    if (weights.length > mostWeights) lines.push(`\n    and ${weights.length - mostWeights} weights more`);
    const { message, stack } = this;
    this.message = message + lines.join('');
    // It begins with the message it was made with.
    this.stack = stack?.replace(message, () => this.message);
    Object.assign(this, { weights });
  }
}
