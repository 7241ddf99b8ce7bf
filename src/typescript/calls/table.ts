import { TensorRTError } from '../../errors/error.js';
import type { Call } from '../expression.js';
import { several } from './composites.js';
import { any, ifConditional, loop, plugin } from './control.js';
import { type Calls, kinds } from './kinds.js';
import { moreKinds } from './more-kinds.js';
import type { View } from './view.js';

const all: Readonly<Record<string, Calls>> = { ...kinds, ...moreKinds, loop, if_conditional: ifConditional, plugin };

/** Calls until one cannot be made: a guess at what the layer is not. */
function* whilePossible(calls: Iterable<Call>): Iterable<Call> {
  try {
    yield* calls;
  } catch (error) {
    if (!(error instanceof TensorRTError || error instanceof TypeError)) throw error;
  }
}

/** The calls to try. */
export const callsFor = {
  /** For one layer: none for a kind without a method of its own. */
  one: (view: View): Iterable<Call> => whilePossible(all[view.node.kind]?.(view) ?? []),
  /** For layers that were recorded by one call of a method. */
  several: (method: string, views: readonly View[]): Iterable<Call> => whilePossible(several(method, views)),
  /** For any layer. */
  any,
};

/** Kinds that have more than the call which records anything. */
export const kindsWithCalls: ReadonlySet<string> = new Set(Object.keys(all));
