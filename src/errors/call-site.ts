import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBundled, ownFile } from '../package/place.js';
import type { SourceLocation } from './facts.js';

/** A stack that is captured now and read on demand: capturing takes about a microsecond, reading far longer. */
export interface CallSite {
  stack?: string;
  /** Whether the first frame is the caller's. */
  beginsWithCaller?: boolean;
  /** The caller's place if this stack shows only this package. */
  outer?: CallSite;
}

/** Folders of this package: compiled files, and their sources if source maps are on. */
const ownFolders = ['dist', 'src'].map((name) => join(dirname(ownFile), '..', '..', name) + sep);
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

/** A bundle has the caller's code in the same file, so there only a stack that begins with the caller tells, or source maps. */
function isOwn(file: string, at: CallSite): boolean {
  if (file.includes('/node_modules/zod/')) return true;
  if (!isBundled) return ownFolders.some((folder) => file.startsWith(folder));
  return (file === ownFile && !at.beginsWithCaller) || file.includes('/node_modules/node-tensorrt/');
}

/** The first frame outside this package. */
export function locate(at: CallSite | undefined): SourceLocation | undefined {
  const stack = at?.stack;
  if (typeof stack !== 'string') return at && locate(at.outer);
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.trim());
    if (!found) continue;
    const file = found[1]!.startsWith('file://') ? fileURLToPath(found[1]!) : found[1]!;
    if (isOwn(file, at!)) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return locate(at?.outer);
}
