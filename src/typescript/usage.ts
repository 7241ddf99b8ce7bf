import type { ValueId, WeightId } from '../dsl/ir.js';
import type { Expression, Statement } from './expression.js';
import type { Item } from './partition.js';

/** Everything an expression refers to, in the order of the code, inside closures too. */
export function* referencesOf(value: Expression): Generator<Expression> {
  switch (value.is) {
    case 'list':
      for (const item of value.items) yield* referencesOf(item);
      return;
    case 'object':
      for (const [, one] of value.entries) yield* referencesOf(one);
      return;
    case 'closure':
      for (const statement of value.statements ?? []) yield* referencesIn(statement);
      yield* referencesOf(value.result);
      return;
    default:
      yield value;
  }
}

export function* referencesIn(item: Item): Generator<Expression> {
  if (item.is === 'segment') {
    for (const inner of item.items) yield* referencesIn(inner);
    return;
  }
  const { on, args } = item.call;
  if (on) yield on;
  for (const arg of args) yield* referencesOf(arg);
}

/** How often values are used. */
export function countUses(items: Iterable<Item>, results: Iterable<Expression>): Map<ValueId, number> {
  const uses = new Map<ValueId, number>();
  const add = (one: Expression) => {
    if (one.is === 'tensor') uses.set(one.id, (uses.get(one.id) ?? 0) + 1);
  };
  for (const item of items) for (const one of referencesIn(item)) add(one);
  for (const result of results) for (const one of referencesOf(result)) add(one);
  return uses;
}

/** How often weights are written. */
export function countWeights(items: Iterable<Item>): Map<WeightId, number> {
  const uses = new Map<WeightId, number>();
  for (const item of items) {
    for (const one of referencesIn(item)) if (one.is === 'weight') uses.set(one.id, (uses.get(one.id) ?? 0) + 1);
  }
  return uses;
}

export function* statementsIn(item: Item): Generator<Statement> {
  if (item.is === 'call') yield item;
  else for (const inner of item.items) yield* statementsIn(inner);
}

/** The values that an item makes for those after it. */
export const madeBy = (item: Item): ValueId[] => Array.from(statementsIn(item), ({ ids }) => ids).flat();
