import { cppChanges } from './cpp.js';
import type { Change } from './cpp-source.js';
import { enumerators, type Target, targets } from './sources.js';
import { applyEdits } from './text.js';
import { typescriptChanges } from './typescript.js';

/** A file with one place broken. */
export interface Mutant {
  /** Stable: side, file, operator and the text at the place, but no line number. */
  id: string;
  target: Target;
  operator: string;
  /** The whole file with the change. */
  text: string;
}

/** How many mutants of a file run without `--all`. */
export function quotaOf({ side, role, name }: Target): number {
  if (side === 'native') {
    if (role === 'kind') return /^(attention|loop|if_conditional)$/.test(name) ? 7 : 4;
    return { 'options.cc': 32, 'profiles.cc': 6, 'lower.cc': 8 }[name] ?? 4;
  }
  return role === 'kind' ? 2 : 3;
}

/** Every mutant of a file, by operator; equal texts count once. */
export function mutantsOf(target: Target, enums: ReadonlyMap<string, readonly string[]>): Mutant[][] {
  const changes: Change[][] = target.path.endsWith('.ts')
    ? typescriptChanges(target.text, target.path.startsWith('src/cpu/'))
    : cppChanges({ text: target.text, enums });
  const texts = new Set([target.text]);
  const ids = new Map<string, number>();
  return changes.map((list) =>
    list.flatMap(({ operator, what, edits }) => {
      const text = applyEdits(target.text, edits);
      const base = `${target.side} ${target.name} ${operator} ${what}`;
      const count = (ids.get(base) ?? 0) + 1;
      ids.set(base, count);
      if (texts.has(text)) return [];
      texts.add(text);
      return [{ id: count > 1 ? `${base} (${count})` : base, target, operator, text }];
    }),
  );
}

/** One of each operator, then a second of each, until there are `count`. */
export function choose<T>(lists: readonly (readonly T[])[], count: number): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const turns = Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)));
  const chosen = new Set(turns.flat().slice(0, count));
  return lists.flat().filter((one) => chosen.has(one));
}

export interface Catalogue {
  /** Every possible mutant. */
  all: Mutant[];
  /** The mutants that run unless `--all` is given. */
  chosen: Mutant[];
}

export function catalogue(root: string): Catalogue {
  const enums = enumerators(root);
  const byTarget = targets(root).map((target) => ({ target, lists: mutantsOf(target, enums) }));
  return {
    all: byTarget.flatMap(({ lists }) => lists.flat()),
    chosen: byTarget.flatMap(({ target, lists }) => choose(lists, quotaOf(target))),
  };
}
