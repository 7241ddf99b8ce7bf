import { fileURLToPath } from 'node:url';
import { Chain } from '../dsl/tensor.js';
import { type SourceLocation, show, TensorRTError } from './error.js';
import { atomic } from './roll-back.js';
import { nameWeights } from './weights-at-fault.js';

/** A stack captured now and read only when somebody asks: capturing costs about a microsecond, reading far more. */
export interface Mark {
  stack?: string;
  /** Where the caller stands if this stack shows nothing but this package. */
  outer?: Mark;
}

/** Frames of this package: compiled, and where source maps are on, the sources they lead to. */
const ownFolders = ['dist', 'src'].map((name) => fileURLToPath(new URL(`../../${name}/`, import.meta.url)));
const frame = /^at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/;

let entered: Mark | undefined;
let around: Mark | undefined;

/** Remembers where the caller of this package stands. */
export function mark(): Mark {
  if (entered) return entered;
  const at: Mark = around ? { outer: around } : {};
  const limit = Error.stackTraceLimit;
  if (limit === 0) return at;
  Error.stackTraceLimit = 12;
  Error.captureStackTrace(at, mark);
  Error.stackTraceLimit = limit;
  return at;
}

/** What a callback of the caller's threw last: it goes through as it is. */
let callersError: { error: unknown } | undefined;

/** What came of arguments that could not be read, as an error of this package. */
function asRefusal(error: unknown, name: string, args: readonly unknown[], code = 'ERR_INPUT'): unknown {
  if (error instanceof TensorRTError || (callersError && callersError.error === error)) return error;
  const given = args.map((arg) => show(arg)).join(', ');
  const why = error instanceof Error ? error.message : show(error);
  return new TensorRTError(code, `${name}: the arguments (${given.slice(0, 300)}) cannot be used: ${why}`, {
    source: locate(mark()),
    cause: error,
  });
}

/** Reads a caller's arguments; where that throws, they are refused. */
export function reading<T>(name: string, args: readonly unknown[], read: () => T, code?: string): T {
  try {
    return read();
  } catch (error) {
    throw asRefusal(error, name, args, code);
  }
}

/** A list that is mostly holes would take gigabytes to copy. */
function refuseHoles(value: unknown): void {
  if (!Array.isArray(value) || value.length < 2 ** 20) return;
  const { length } = value;
  if (length < 2 ** 27 && [0, length >> 1, length - 1].every((i) => i in value)) return;
  throw new TypeError(`a list of ${length} has holes`);
}

/** Refuses what of a caller's arguments cannot be read. */
function checkArguments(args: readonly unknown[]): void {
  for (const arg of args) {
    refuseHoles(arg);
    if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || ArrayBuffer.isView(arg)) continue;
    if (arg instanceof Chain) continue;
    refuseHoles((arg as { shape?: unknown }).shape);
    for (const key in arg) {
      const value = (arg as Record<string, unknown>)[key];
      refuseHoles(value);
      if (typeof value === 'object' && value !== null) refuseHoles((value as { shape?: unknown }).shape);
    }
  }
}

function callFrom<A extends unknown[], R>(
  at: Mark,
  method: (...args: A) => R,
  name: string,
  check: ((args: readonly unknown[]) => void) | undefined,
  self: unknown,
  args: A,
): R {
  if (around) at.outer = around;
  entered = at;
  try {
    return atomic(() => {
      checkArguments(args);
      check?.(args);
      return method.apply(self, args);
    });
  } catch (error) {
    const refusal = asRefusal(error, name, args);
    if (refusal instanceof TensorRTError && refusal !== callersError?.error) nameWeights(refusal, args);
    throw refusal;
  } finally {
    entered = undefined;
    callersError = undefined;
  }
}

/**
 * Makes a method one through which callers come in. All that it records stands where it was called, so one short stack
 * serves for the whole of a composite. Arguments that it cannot even read (null for options, a revoked proxy, a getter that
 * throws) are refused with ERR_INPUT. Where it throws, nothing of it stays recorded.
 * @param check throws for arguments that the method would ignore
 * @param name what callers call it
 * @param frames how far away the caller is: 2 where a function of this package calls what this returns
 */
export function entry<A extends unknown[], R>(
  method: (...args: A) => R,
  check?: (args: readonly unknown[]) => void,
  name = method.name,
  frames = 1,
): (...args: A) => R {
  // The smaller the function that captures, the cheaper its frame is to walk.
  return function enter(this: unknown, ...args: A): R {
    if (entered) return method.apply(this, args);
    const at: Mark = {};
    const limit = Error.stackTraceLimit;
    // Who wants no stacks gets none here either.
    if (limit !== 0) {
      Error.stackTraceLimit = frames;
      Error.captureStackTrace(at, enter);
      Error.stackTraceLimit = limit;
    }
    return callFrom(at, method, name, check, this, args);
  };
}

/** Calls back into the caller's code: what that records stands where it stands itself. */
export function leave<T>(call: () => T): T {
  const outerEntered = entered;
  const outerAround = around;
  around = entered ?? around;
  entered = undefined;
  try {
    return call();
  } catch (error) {
    callersError = { error };
    throw error;
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
    if (ownFolders.some((folder) => file.startsWith(folder)) || file.includes('/node_modules/zod/')) continue;
    return { file, line: Number(found[2]), column: Number(found[3]) };
  }
  return locate(at?.outer);
}
