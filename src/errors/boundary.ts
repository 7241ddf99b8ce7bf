import { type Called, type CallSite, captureCallSite, currentCall, locate } from './call-site.js';
import { show, TensorRTError } from './error.js';
import { atomic } from './roll-back.js';
import { isOurs, thrown } from './thrown.js';
import { weightsAtFault } from './weights-at-fault.js';

/** Marks this package's own objects, whose fields can be read without a check. */
export const isReadable: unique symbol = Symbol('made by node-tensorrt');

const none: readonly unknown[] = [];

/** What a caller's callback threw last; it is passed on unchanged. */
let callersError: { error: unknown } | undefined;

/** Turns the failure to read arguments into an error of this package. */
function asRefusal(error: unknown, name: string, args: readonly unknown[], code = 'ERR_INPUT'): unknown {
  if (isOurs(error) || (callersError && callersError.error === error)) return error;
  const given = args.map((arg) => show(arg)).join(', ');
  const why = thrown(error);
  return new TensorRTError(code, `the arguments (${given.slice(0, 300)}) cannot be used: ${why}`, {
    method: name,
    source: locate(captureCallSite()),
    weights: weightsAtFault(code),
    cause: error,
  });
}

/** Reads a caller's arguments, and refuses them if reading throws. */
export function readArguments<T>(name: string, args: readonly unknown[], read: () => T, code?: string): T {
  try {
    return read();
  } catch (error) {
    throw asRefusal(error, name, args, code);
  }
}

/** Copying a very sparse array would take gigabytes. */
function refuseHoles(value: unknown): void {
  if (!Array.isArray(value) || value.length < 2 ** 20) return;
  const { length } = value;
  if (length < 2 ** 27 && [0, length >> 1, length - 1].every((i) => i in value)) return;
  throw new TypeError(`a list of ${length} has holes`);
}

/** Throws for arguments that a method would ignore, and knows their names. */
export interface ArgumentCheck extends Partial<Omit<Called, 'method'>> {
  (args: readonly unknown[]): void;
}

/** Refuses arguments that cannot be read. */
function checkArguments(args: readonly unknown[]): void {
  for (const arg of args) {
    refuseHoles(arg);
    if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || ArrayBuffer.isView(arg)) continue;
    if (isReadable in arg) continue;
    refuseHoles((arg as { shape?: unknown }).shape);
    for (const key of Object.keys(arg)) {
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
 * Wraps a method as an entry point for callers. Every layer it records gets the place of the call, so a composite captures
 * only one short stack. Arguments that cannot be read (null for options, a revoked proxy, a getter that throws) are refused
 * with ERR_INPUT. If it throws, nothing it recorded stays.
 * @param name what callers call it; the function's own name is lost where a bundler shortens names
 * @param check throws for arguments that the method would ignore
 * @param frames distance to the caller: 2 if a function of this package calls the returned function
 */
export function publicMethod<A extends unknown[], R>(
  name: string,
  method: (...args: A) => R,
  check?: ArgumentCheck,
  frames = 1,
): (...args: A) => R {
  const called: Called = { method: name, names: check?.names ?? [], nameOf: check?.nameOf };
  // The smaller the function that captures, the cheaper its frame is to walk.
  return function enter(this: unknown, ...args: A): R {
    if (currentCall.entered) return method.apply(this, args);
    const at: CallSite = { beginsWithCaller: frames === 1 };
    const limit = Error.stackTraceLimit;
    // Stacks are off here too if the caller turned them off.
    if (limit !== 0) {
      Error.stackTraceLimit = frames;
      Error.captureStackTrace(at, enter);
      Error.stackTraceLimit = limit;
    }
    return callFrom(at, method, check, called, this, args);
  };
}

/** Calls back into the caller's code. Layers recorded there get their own place in that code. */
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
