import { fileURLToPath } from 'node:url';
import type { SourceLocation } from './errors.js';

/** A stack captured now and read only when somebody asks: capturing costs about a microsecond, reading far more. */
export interface Mark {
  stack?: string;
}

const ownFolder = fileURLToPath(new URL('..', import.meta.url));
const frame = /\(?((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/;
const frames = 12;

/** Remembers where the caller of this package stands. */
export function mark(): Mark {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  const captured: Mark = {};
  Error.captureStackTrace(captured, mark);
  Error.stackTraceLimit = limit;
  return captured;
}

/** The first frame outside this package. */
export function locate(at: Mark | undefined): SourceLocation | undefined {
  const stack = at?.stack;
  if (typeof stack !== 'string') return undefined;
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.trim());
    if (!found) continue;
    const file = found[1]!.startsWith('file://') ? fileURLToPath(found[1]!) : found[1]!;
    if (file.startsWith(ownFolder) || file.includes('/node_modules/zod/')) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return undefined;
}
