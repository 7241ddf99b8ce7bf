import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBundled, ownFile } from '../package/place.js';
import type { SourceLocation } from './facts.js';

/** A stack that is captured now and read on demand: capturing takes about a microsecond, reading far longer. */
export interface CallSite {
  stack?: string;
  /** The caller's place if this stack shows only this package. */
  outer?: CallSite;
}

/**
 * Frames of this package: compiled files, and their sources if source maps are on. A bundle has the caller's code in the same
 * file, so only source maps can tell where the caller is.
 */
const own = isBundled
  ? [ownFile, '/node_modules/node-tensorrt/']
  : ['dist', 'src'].map((name) => join(dirname(ownFile), '..', '..', name) + sep);
const frame = /^at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/;

/** How callers refer to a method. */
export interface Called {
  method: string;
  /** Names of its arguments; undefined for options. */
  names: readonly (string | undefined)[];
  /** The caller's name for an option that layers may call something else; undefined if there is none. */
  nameOf?(option: string, args: readonly unknown[]): string | undefined;
}

interface CallUnderWay {
  /** Where it was called. */
  entered: CallSite | undefined;
  call: Called | undefined;
  args: readonly unknown[];
  /** Where the call that runs the caller's callback was made. */
  around: CallSite | undefined;
}

export const currentCall: CallUnderWay = { entered: undefined, call: undefined, args: [], around: undefined };

/** Remembers where this package was called. */
export function captureCallSite(): CallSite {
  if (currentCall.entered) return currentCall.entered;
  const at: CallSite = currentCall.around ? { outer: currentCall.around } : {};
  const limit = Error.stackTraceLimit;
  if (limit === 0) return at;
  Error.stackTraceLimit = 12;
  Error.captureStackTrace(at, captureCallSite);
  Error.stackTraceLimit = limit;
  return at;
}

const isOwn = (file: string): boolean =>
  own.some((part) => (isBundled ? file.includes(part) : file.startsWith(part))) || file.includes('/node_modules/zod/');

/** The first frame outside this package. */
export function locate(at: CallSite | undefined): SourceLocation | undefined {
  const stack = at?.stack;
  if (typeof stack !== 'string') return at && locate(at.outer);
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.trim());
    if (!found) continue;
    const file = found[1]!.startsWith('file://') ? fileURLToPath(found[1]!) : found[1]!;
    if (isOwn(file)) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return locate(at?.outer);
}
