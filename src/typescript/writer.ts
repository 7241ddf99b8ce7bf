import type { ValueId, WeightId } from '../dsl/ir.js';
import { block, call, chain, type Doc, group, layOut } from './doc.js';
import { type Closure, dataText, type Entry, type Expression, quoted } from './expression.js';
import { baseName, functionName, leftSide } from './identifiers-of.js';
import type { Literals, Place, Store } from './literals.js';
import { Identifiers, isIdentifier } from './names.js';
import type { Item, Segment } from './partition.js';
import { countUses, madeBy, referencesIn } from './usage.js';

/** What a function of the code can refer to. */
interface Scope {
  identifiers: Identifiers;
  values: Map<ValueId, string>;
  /** Stores of which the function's parameters show a part, and what the names there begin with. */
  stores: Map<Store, { prefix: string; name: string }>;
  /** Whether outputs are marked here: in no function, so that it can be called again. */
  marks: boolean;
}

/** What the whole module shares. */
export interface ModuleParts {
  literals: Literals;
  /** Identifiers of stores in the module. */
  stores: ReadonlyMap<Store, string>;
  /** Identifiers of weights that are used more than once. */
  weights: ReadonlyMap<WeightId, string>;
  /** Identifier of the network. */
  net: string;
  plugin(name: string): string;
  /** Notes an import from the package. */
  imports(name: string): void;
  /** Identifiers that functions see. */
  identifiers: Identifiers;
  /** What functions may be called, but for numbers. */
  functions: ReadonlySet<string>;
  /** What outputs are marked with, by value: written after the call that makes it. */
  marks: ReadonlyMap<ValueId, readonly Doc[]>;
}

/** Writes statements. */
export class Writer {
  readonly #parts: ModuleParts;
  /** Functions by their text. */
  readonly functions = new Map<string, string>();

  constructor(parts: ModuleParts) {
    this.#parts = parts;
  }

  scope(outer?: Scope): Scope {
    return {
      identifiers: new Identifiers(outer?.identifiers ?? this.#parts.identifiers),
      values: new Map(outer?.values),
      stores: outer?.stores ?? new Map(),
      marks: false,
    };
  }

  /** Statements in order. `results` are what the code after them uses. */
  lines(items: readonly Item[], results: readonly Expression[], scope: Scope): Doc[] {
    const uses = countUses(items, results);
    const marksOf = (id: ValueId): readonly Doc[] => (scope.marks ? (this.#parts.marks.get(id) ?? []) : []);
    const lines: Doc[] = [];
    let pending: { id: ValueId; links: Doc[]; head: Doc } | undefined;
    for (const [i, item] of items.entries()) {
      const { head, links } = this.#callOf(item, items.slice(i + 1), results, scope, pending);
      pending = undefined;
      const ids = item.is === 'call' ? item.ids : this.#resultsOf(item, items.slice(i + 1), results);
      const single = item.is === 'segment' ? ids.length === 1 : item.call.results.is === 'one';
      if (single && item.is === 'call') links.push(...marksOf(ids[0]!));
      const next = items[i + 1];
      const isChained =
        single &&
        uses.get(ids[0]!) === 1 &&
        next?.is === 'call' &&
        next.call.on?.is === 'tensor' &&
        next.call.on.id === ids[0];
      if (isChained) {
        pending = { id: ids[0]!, head, links };
        continue;
      }
      lines.push(this.#assignment(item, ids, chain(head, links), uses, scope));
      if (!(single && item.is === 'call')) {
        for (const id of ids) for (const mark of marksOf(id)) lines.push([scope.values.get(id)!, mark, ';']);
      }
    }
    return lines;
  }

  #callOf(
    item: Item,
    rest: readonly Item[],
    results: readonly Expression[],
    scope: Scope,
    pending: { id: ValueId; links: Doc[]; head: Doc } | undefined,
  ): { head: Doc; links: Doc[] } {
    if (item.is === 'segment')
      return { head: this.#segment(item, this.#resultsOf(item, rest, results), scope), links: [] };
    const { on, method, args } = item.call;
    const written = args.map((arg) => this.#write(arg, scope));
    const isListed = item.call.results.is === 'list' && item.ids.length === 1;
    const suffix = isListed ? ['[0]!'] : [];
    if (!on) {
      this.#parts.imports(method);
      return { head: [call(method, written), ...suffix], links: [] };
    }
    const link: Doc = [call(`.${method}`, written), ...suffix];
    if (pending) return { head: pending.head, links: [...pending.links, link] };
    if (on.is === 'net') return { head: [this.#parts.net, link], links: [] };
    return { head: this.#write(on, scope), links: [link] };
  }

  /** `const y = …;`, or the call alone where nothing uses what it returns. */
  #assignment(item: Item, ids: readonly ValueId[], value: Doc, uses: ReadonlyMap<ValueId, number>, scope: Scope): Doc {
    const isMarked = (id: ValueId) =>
      scope.marks && this.#parts.marks.has(id) && !(item.is === 'call' && item.call.results.is === 'one');
    const isNeeded = (id: ValueId) => (uses.get(id) ?? 0) > 0 || isMarked(id) || item.is === 'segment';
    if (!ids.some(isNeeded)) return [value, ';'];
    const names = ids.map((id, i) => {
      if (!isNeeded(id)) return undefined;
      const base = baseName(item, i);
      const name = scope.identifiers.make(this.#parts.functions.has(base) ? `${base}Result` : base);
      scope.values.set(id, name);
      return name;
    });
    return [`const ${leftSide(item, names)} = `, value, ';'];
  }

  /** A call of the function that records a segment. */
  #segment(segment: Segment, results: readonly ValueId[], outer: Scope): Doc {
    const own = new Set(madeBy(segment));
    const taken = new Set<ValueId>();
    for (const one of referencesIn(segment)) {
      if (one.is === 'tensor' && !own.has(one.id) && outer.values.has(one.id)) taken.add(one.id);
    }
    const scope = this.scope();
    const parameters: string[] = [];
    const args: Doc[] = [];
    for (const id of taken) {
      const name = scope.identifiers.make('x');
      scope.values.set(id, name);
      parameters.push(`${name}: Tensor`);
      args.push(outer.values.get(id)!);
    }
    const stores = this.#storesOf(segment);
    for (const [store, prefix] of stores) {
      const name = scope.identifiers.make(this.#parts.stores.get(store)!);
      scope.stores.set(store, { prefix, name });
      parameters.push(`${name}: Weights`);
      args.push(this.#part(store, prefix, outer));
      this.#parts.imports('type Weights');
    }
    if (taken.size > 0) this.#parts.imports('type Tensor');
    const returned = results.map((id): Expression => ({ is: 'tensor', id }));
    const lines = this.lines(segment.items, returned, scope);
    const names = results.map((id) => scope.values.get(id)!);
    if (names.length === 1) inlineReturn(lines, names[0]!);
    else if (names.length > 1) lines.push(`return [${names.join(', ')}] as const;`);
    const text = layOut([group('(', parameters, ') ', { hugs: false }), block(lines)]);
    let name = this.functions.get(text);
    if (name === undefined) {
      name = this.#parts.identifiers.make(functionName(segment.prefix), 'layers');
      this.functions.set(text, name);
    }
    const made = call(name, args);
    return segment.scoped ? [this.#parts.net, call('.scope', [quoted(segment.prefix), ['() => ', made]])] : made;
  }

  /** The stores of a segment's weights, and what their names begin with. */
  #storesOf(segment: Segment): Map<Store, string> {
    const { literals } = this.#parts;
    const names = new Map<Store, string[]>();
    for (const one of referencesIn(segment)) {
      if (one.is !== 'layer' && (one.is !== 'weight' || this.#parts.weights.has(one.id))) continue;
      const place = literals.place(one.is === 'layer' ? Object.values(one.options)[0]! : one.id);
      if (place.is !== 'stored') continue;
      const list = names.get(place.store) ?? [];
      names.set(place.store, list);
      list.push(one.is === 'layer' ? `${one.prefix}.` : place.name);
    }
    return new Map(Array.from(names, ([store, list]) => [store, sharedPrefix(list)]));
  }

  /** A part of a store, as an argument. */
  #part(of: Store, prefix: string, scope: Scope): Doc {
    const { name, prefix: outer } = this.#storeIn(of, scope);
    const rest = prefix.slice(outer.length, -1);
    return rest === '' ? name : `${name}.scope(${quoted(rest)})`;
  }

  #storeIn(of: Store, scope: Scope): { name: string; prefix: string } {
    return scope.stores.get(of) ?? { name: this.#parts.stores.get(of)!, prefix: '' };
  }

  /** Values of a segment that the code after it uses, or that are marked as outputs. */
  #resultsOf(segment: Segment, rest: readonly Item[], results: readonly Expression[]): ValueId[] {
    const later = countUses(rest, results);
    return madeBy(segment).filter((id) => later.has(id) || this.#parts.marks.has(id));
  }

  #write(value: Expression, scope: Scope): Doc {
    switch (value.is) {
      case 'net':
        return this.#parts.net;
      case 'tensor':
        return scope.values.get(value.id) ?? 'undefined';
      case 'weight':
        return this.#parts.weights.get(value.id) ?? this.weight(value.id, scope);
      case 'layer': {
        const place = this.#parts.literals.place(Object.values(value.options)[0]!) as Extract<Place, { is: 'stored' }>;
        const { name, prefix } = this.#storeIn(place.store, scope);
        return call(`${name}.layer`, [quoted(value.prefix.slice(prefix.length))]);
      }
      case 'plugin':
        return this.#parts.plugin(value.name);
      case 'data':
        return dataText<Doc>(value.value, dataDocs);
      case 'list':
        return group(
          '[',
          value.items.map((item) => this.#write(item, scope)),
          ']',
        );
      case 'object':
        return this.#object(value.entries, scope);
      case 'closure':
        return this.#closure(value, scope);
    }
  }

  weight(id: WeightId, scope: Scope): Doc {
    const { literals } = this.#parts;
    const place = literals.place(id);
    if (place.is === 'inline') {
      const { name, dtype, shape, data } = literals.weight(id);
      return dataText<Doc>({ name, dtype, shape: [...shape], data }, dataDocs);
    }
    const { name, prefix } = this.#storeIn(place.store, scope);
    const found = call(`${name}.get`, [quoted(place.name.slice(prefix.length))]);
    const shaped = place.shape ? [call('.reshape', [dataText<Doc>([...place.shape], dataDocs)])] : [];
    return [found, ...(place.dtype ? [call('.as', [quoted(place.dtype)])] : []), ...shaped];
  }

  #object(entries: readonly Entry[], scope: Scope): Doc {
    const [only] = entries;
    if (entries.length === 1 && only![0] === undefined) return this.#write(only![1], scope);
    const items = entries.map(([name, value]): Doc => {
      const written = this.#write(value, scope);
      if (name === undefined) return ['...', written];
      return property(name, written);
    });
    return group('{', items, '}', { spaced: true });
  }

  #closure({ graph, destructures, names, statements = [], result }: Closure, outer: Scope): Doc {
    const scope = this.scope(outer);
    const uses = countUses(statements, [result]);
    const parameters = names.map((name, i) => {
      const { id } = graph.inputs[i]!;
      if (destructures && !uses.has(id)) return undefined;
      const own = scope.identifiers.make(name, 'x');
      scope.values.set(id, own);
      return destructures ? property(name, own) : own;
    });
    const listed = parameters.filter((one) => one !== undefined);
    const open: Doc = destructures
      ? listed.length > 0
        ? group('({', listed, '})', { spaced: true })
        : '()'
      : group('(', listed, ')');
    const [only] = statements;
    const isExpression = statements.length === 1 && only!.call.results.is === 'one' && uses.get(only!.ids[0]!) === 1;
    if (isExpression) {
      const { head, links } = this.#callOf(only!, [], [result], scope, undefined);
      const inlined = this.#inlined(result, only!.ids[0]!, chain(head, links), scope);
      if (inlined) return [open, ' => ', inlined];
    }
    if (statements.length === 0) return [open, ' => ', parenthesized(this.#write(result, scope))];
    const lines = this.lines(statements, [result], scope);
    const returned = this.#write(result, scope);
    if (typeof returned === 'string') inlineReturn(lines, returned);
    else lines.push(['return ', returned, ';']);
    return [open, ' => ', block(lines)];
  }

  /** The result with a call in place of what it returns. */
  #inlined(result: Expression, id: ValueId, value: Doc, scope: Scope): Doc | undefined {
    if (result.is === 'tensor') return result.id === id ? value : undefined;
    const made = this.scope(scope);
    const place = '\u0000';
    made.values.set(id, place);
    const replace = (doc: Doc): Doc => {
      if (doc === place) return value;
      if (Array.isArray(doc)) return doc.map(replace);
      return typeof doc === 'object' && 'items' in doc ? { ...doc, items: doc.items.map(replace) } : doc;
    };
    return parenthesized(replace(this.#write(result, made)));
  }
}

/** What dotted names begin with, with its last dot; empty if they have nothing in common. */
function sharedPrefix(names: readonly string[]): string {
  const [first] = names as [string, ...string[]];
  let at = first.lastIndexOf('.');
  const shares = () => names.every((name) => name.startsWith(first.slice(0, at + 1)));
  while (at > 0 && !shares()) at = first.lastIndexOf('.', at - 1);
  // `w.layer('')` is no way to write a layer of its own.
  if (at > 0 && names.includes(first.slice(0, at + 1))) at = first.lastIndexOf('.', at - 1);
  return first.slice(0, Math.max(0, at + 1));
}

const parenthesized = (doc: Doc): Doc =>
  typeof doc === 'object' && 'open' in doc && doc.open === '{' ? { ...doc, open: '({', close: '})' } : doc;

/** `name: value`, or the name alone. */
const property = (name: string, value: Doc): Doc =>
  value === name ? name : [`${isIdentifier(name) ? name : quoted(name)}: `, value];

const dataDocs = {
  text: (code: string): Doc => code,
  list: (items: Doc[], isFlat: boolean): Doc => group('[', items, ']', { fills: isFlat }),
  object: (entries: [string, Doc][]): Doc =>
    group(
      '{',
      entries.map(([key, value]): Doc => [`${isIdentifier(key) ? key : quoted(key)}: `, value]),
      '}',
      { spaced: true },
    ),
  call: (name: string, items: Doc[]): Doc => group(`${name}(`, items, ')', { fills: true }),
};

/** `const y = …; return y;` as `return …;`. */
function inlineReturn(lines: Doc[], name: string): void {
  const last = lines.at(-1);
  if (Array.isArray(last) && last[0] === `const ${name} = `) lines[lines.length - 1] = ['return ', ...last.slice(1)];
  else lines.push(`return ${name};`);
}
