import { fileURLToPath } from 'node:url';
import type { SourceLocation } from './errors.js';

/** A stack captured now and read only when somebody asks: capturing costs about a microsecond, reading far more. */
export interface Mark {
  stack?: string;
  /** Where the caller stands if this stack shows nothing but this package. */
  outer?: Mark;
}

const ownFolder = fileURLToPath(new URL('..', import.meta.url));
const frame = /^at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/;

let entered: Mark | undefined;
let around: Mark | undefined;

function capture(above: (...args: never[]) => unknown, frames: number): Mark {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  const captured: Mark = around ? { outer: around } : {};
  Error.captureStackTrace(captured, above);
  Error.stackTraceLimit = limit;
  return captured;
}

/** Remembers where the caller of this package stands. */
export function mark(): Mark {
  return entered ?? capture(mark, 12);
}

/**
 * Makes a method one through which callers come in. All that it records stands where it was called, so one short stack
 * serves for the whole of a composite.
 */
export function entry<A extends unknown[], R>(method: (...args: A) => R): (...args: A) => R {
  return function enter(this: unknown, ...args: A): R {
    if (entered) return method.apply(this, args);
    entered = capture(enter, 1);
    try {
      return method.apply(this, args);
    } finally {
      entered = undefined;
    }
  };
}

/** Calls back into the caller's code: what that records stands where it stands itself. */
export function leave<T>(call: () => T): T {
  const [outerEntered, outerAround] = [entered, around];
  around = entered ?? around;
  entered = undefined;
  try {
    return call();
  } finally {
    entered = outerEntered;
    around = outerAround;
  }
}

/** The first frame outside this package. */
export function locate(at: Mark | undefined): SourceLocation | undefined {
  const stack = at?.stack;
  if (typeof stack !== 'string') return at && locate(at.outer);
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.trim());
    if (!found) continue;
    const file = found[1]!.startsWith('file://') ? fileURLToPath(found[1]!) : found[1]!;
    if (file.startsWith(ownFolder) || file.includes('/node_modules/zod/')) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return locate(at?.outer);
}
