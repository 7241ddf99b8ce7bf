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
  /** TensorRT's own log lines, oldest first. */
  log?: string[];
  cause?: unknown;
}

/** Values that a message quotes may be long. */
const mostText = 4000;

/** The one error class of this package. `code` is stable; the message says what was expected and what was given. */
export class TensorRTError extends Error {
  override readonly name = 'TensorRTError';
  readonly code: string;
  readonly layer?: string;
  readonly kind?: string;
  readonly source?: SourceLocation;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly log?: string[];

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    const at = details.source ? `\n    recorded at ${details.source.file}:${details.source.line}` : '';
    const log = details.log?.length ? `\n    TensorRT: ${details.log.join('\n    TensorRT: ')}` : '';
    const text = message.length > mostText ? `${message.slice(0, mostText)} …` : message;
    super(`${text}${at}${log}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const { cause: _, ...rest } = details;
    Object.assign(this, rest);
  }
}
