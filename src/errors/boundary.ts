import { type Called, type CallSite, captureCallSite, currentCall, locate } from './call-site.js';
import { show, TensorRTError } from './error.js';
import { atomic } from './roll-back.js';
import { weightsAtFault } from './weights-at-fault.js';

/** Stands on this package's own objects, whose fields need no check before they are read. */
export const isReadable: unique symbol = Symbol('made by node-tensorrt');

const none: readonly unknown[] = [];

/** What a callback of the caller's threw last: it goes through as it is. */
let callersError: { error: unknown } | undefined;

/** What came of arguments that could not be read, as an error of this package. */
function asRefusal(error: unknown, name: string, args: readonly unknown[], code = 'ERR_INPUT'): unknown {
  if (error instanceof TensorRTError || (callersError && callersError.error === error)) return error;
  const given = args.map((arg) => show(arg)).join(', ');
  const why = error instanceof Error ? error.message : show(error);
  return new TensorRTError(code, `the arguments (${given.slice(0, 300)}) cannot be used: ${why}`, {
    method: name,
    source: locate(captureCallSite()),
    weights: weightsAtFault(code),
    cause: error,
  });
}

/** Reads a caller's arguments; where that throws, they are refused. */
export function readArguments<T>(name: string, args: readonly unknown[], read: () => T, code?: string): T {
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

/** Throws for arguments that a method would ignore; knows what they are called. */
export interface ArgumentCheck extends Partial<Omit<Called, 'method'>> {
  (args: readonly unknown[]): void;
}

/** Refuses what of a caller's arguments cannot be read. */
function checkArguments(args: readonly unknown[]): void {
  for (const arg of args) {
    refuseHoles(arg);
    if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || ArrayBuffer.isView(arg)) continue;
    if (isReadable in arg) continue;
    refuseHoles((arg as { shape?: unknown }).shape);
    for (const key in arg) {
      const value = (arg as Record<string, unknown>)[key];
      refuseHoles(value);
      if (typeof value === 'object' && value !== null) refuseHoles((value as { shape?: unknown }).shape);
    }
  }
}

function callFrom<A extends unknown[], R>(
  at: CallSite,
  method: (...args: A) => R,
  check: ArgumentCheck | undefined,
  called: Called,
  self: unknown,
  args: A,
): R {
  if (currentCall.around) at.outer = currentCall.around;
  currentCall.entered = at;
  currentCall.call = called;
  currentCall.args = args;
  try {
    return atomic(() => {
      checkArguments(args);
      check?.(args);
      return method.apply(self, args);
    });
  } catch (error) {
    throw asRefusal(error, called.method, args);
  } finally {
    currentCall.entered = undefined;
    currentCall.call = undefined;
    currentCall.args = none;
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
export function publicMethod<A extends unknown[], R>(
  method: (...args: A) => R,
  check?: ArgumentCheck,
  name = method.name,
  frames = 1,
): (...args: A) => R {
  const called: Called = { method: name, names: check?.names ?? [], nameOf: check?.nameOf };
  // The smaller the function that captures, the cheaper its frame is to walk.
  return function enter(this: unknown, ...args: A): R {
    if (currentCall.entered) return method.apply(this, args);
    const at: CallSite = {};
    const limit = Error.stackTraceLimit;
    // Who wants no stacks gets none here either.
    if (limit !== 0) {
      Error.stackTraceLimit = frames;
      Error.captureStackTrace(at, enter);
      Error.stackTraceLimit = limit;
    }
    return callFrom(at, method, check, called, this, args);
  };
}

/** Calls back into the caller's code: what that records stands where it stands itself. */
export function callUser<T>(call: () => T): T {
  const { entered, call: outer, args, around } = currentCall;
  currentCall.around = entered ?? around;
  currentCall.entered = undefined;
  currentCall.call = undefined;
  currentCall.args = none;
  try {
    return call();
  } catch (error) {
    callersError = { error };
    throw error;
  } finally {
    currentCall.entered = entered;
    currentCall.call = outer;
    currentCall.args = args;
    currentCall.around = around;
  }
}
