import { fileURLToPath } from 'node:url';
import type { SourceLocation } from './facts.js';

/** A stack captured now and read only when somebody asks: capturing costs about a microsecond, reading far more. */
export interface CallSite {
  stack?: string;
  /** Where the caller stands if this stack shows nothing but this package. */
  outer?: CallSite;
}

/** Frames of this package: compiled, and where source maps are on, the sources they lead to. */
const ownFolders = ['dist', 'src'].map((name) => fileURLToPath(new URL(`../../${name}/`, import.meta.url)));
const frame = /^at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/;

/** How callers know a method. */
export interface Called {
  method: string;
  /** Of its arguments; undefined where one is options. */
  names: readonly (string | undefined)[];
  /** The caller's name for an option that layers may call otherwise; undefined where there is none. */
  nameOf?(option: string, args: readonly unknown[]): string | undefined;
}

interface CallUnderWay {
  /** Where it came in. */
  entered: CallSite | undefined;
  call: Called | undefined;
  args: readonly unknown[];
  /** Where the call around a callback of the caller's came in. */
  around: CallSite | undefined;
}

export const currentCall: CallUnderWay = { entered: undefined, call: undefined, args: [], around: undefined };

/** Remembers where the caller of this package stands. */
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

/** The first frame outside this package. */
export function locate(at: CallSite | undefined): SourceLocation | undefined {
  const stack = at?.stack;
  if (typeof stack !== 'string') return at && locate(at.outer);
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.trim());
    if (!found) continue;
    const file = found[1]!.startsWith('file://') ? fileURLToPath(found[1]!) : found[1]!;
    if (ownFolders.some((folder) => file.startsWith(folder)) || file.includes('/node_modules/zod/')) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return locate(at?.outer);
}
