import { captureCallSite, currentCall, locate } from './call-site.js';
import { type ErrorFacts, type Fail, type Refusal, TensorRTError } from './error.js';
import { weightsAtFault } from './weights-at-fault.js';

/** The argument of the current call that holds a value; undefined if none or several do. */
function placeOf(value: unknown): string | undefined {
  const names = currentCall.call?.names ?? [];
  // Nothing was passed: the first argument that is missing.
  if (value === undefined) return names.find((name, at) => name !== undefined && currentCall.args[at] === undefined);
  const places = currentCall.args.flatMap((arg, at) => {
    const name = names[Math.min(at, names.length - 1)];
    if (Object.is(arg, value)) return name === undefined ? [] : [name];
    if (typeof arg !== 'object' || arg === null) return [];
    const isPlain = Object.getPrototypeOf(arg) === Object.prototype;
    return isPlain ? Object.keys(arg).filter((key) => Object.is((arg as Record<string, unknown>)[key], value)) : [];
  });
  return places.length === 1 ? places[0] : undefined;
}

type AtFault = Pick<ErrorFacts, 'option' | 'options' | 'involved'>;

/** The options at fault, under the names used by the current method's caller. */
function inCallersTerms(facts: Refusal): AtFault {
  const { option, options = [], involved = [], value } = facts;
  const { call, args } = currentCall;
  if ('value' in facts && option === undefined) return { option: placeOf(value), options, involved };
  const named = (one: string) => (call?.nameOf ? call.nameOf(one, args) : one);
  const all = (list: readonly string[]) => list.flatMap((one) => named(one) ?? []);
  return { option: option && named(option), options: all(options), involved: all(involved) };
}

/** The error for what a method refuses, with the current call, the caller's place and the weights at fault. */
export function refusal(
  method: string,
  code: string,
  said: string,
  facts: Refusal = {},
  layer: ErrorFacts = {},
): TensorRTError {
  const { expected, actual } = facts;
  const atFault = inCallersTerms(facts);
  // If the caller did not pass it, one of the methods that make up the call did.
  const inner = facts.option !== undefined && atFault.option === undefined ? `${facts.option}: ` : '';
  return new TensorRTError(code, inner + said, {
    method: currentCall.call?.method ?? method,
    ...atFault,
    source: locate(captureCallSite()),
    expected,
    actual,
    ...layer,
    weights: weightsAtFault(code, atFault),
  });
}

/** Throws for a fault that a method finds before it records anything. */
export function refuse(method: string, code: string, said: string, facts?: Refusal): never {
  throw refusal(method, code, said, facts);
}

/** `refuse` for checks that also run during inference. */
export const refusing =
  (method: string): Fail =>
  (code, said, facts) =>
    refuse(method, code, said, facts);
