import type { ValueId } from '../dsl/ir.js';
import type { RecordedNode } from '../dsl/network.js';
import { layerNameOf } from '../values/weight.js';
import type { Statement } from './expression.js';
import type { Lifter } from './lift.js';

/** Layers whose names begin alike, which become a function. */
export interface Segment {
  is: 'segment';
  /** What the names begin with, without the last dot, beyond what those around it have: scopes, if it is one. */
  prefix: string;
  /** Whether `net.scope` gives the names their beginning. */
  scoped: boolean;
  items: readonly Item[];
}

export type Item = Statement | Segment;

/** Layers, or segments of them. */
type Part = RecordedNode | { prefix: string; scoped: boolean; parts: readonly Part[] };

/** Fewest layers of a function. */
const fewest = 3;

const isNode = (part: Part): part is RecordedNode => 'kind' in part;

/** Numbers in a key do not matter for what is like what. */
const patternOf = (key: string): string => key.replace(/\d+/g, '#');

interface Run {
  key: string;
  from: number;
  /** One after the last layer that has the key. */
  to: number;
  /** Layers without a key that follow and use what is before them. */
  trailing: number;
}

/** The first part of a name below `prefix`; undefined for a name that has no parts there. */
function keyOf(name: string, prefix: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const rest = name.slice(prefix.length);
  const dot = rest.indexOf('.');
  return dot > 0 ? rest.slice(0, dot) : undefined;
}

function runsOf(nodes: readonly RecordedNode[], prefix: string): Run[] {
  const runs: Run[] = [];
  for (const [i, { name }] of nodes.entries()) {
    const key = keyOf(name, prefix);
    if (key === undefined) continue;
    const last = runs.at(-1);
    if (last?.key === key) last.to = i + 1;
    else runs.push({ key, from: i, to: i + 1, trailing: 0 });
  }
  for (const [i, run] of runs.entries()) {
    const end = runs[i + 1]?.from ?? nodes.length;
    const made = new Set<ValueId>(nodes.slice(run.from, run.to).flatMap(({ outputs }) => outputs.map(({ id }) => id)));
    for (const { inputs, outputs } of nodes.slice(run.to, end)) {
      if (!inputs.some((id) => id !== null && made.has(id))) break;
      for (const { id } of outputs) made.add(id);
      run.trailing++;
    }
  }
  // Blocks that repeat end alike.
  for (const run of runs) {
    const alike = runs.filter(({ key }) => patternOf(key) === patternOf(run.key));
    run.trailing = Math.min(...alike.map(({ trailing }) => trailing));
  }
  return runs;
}

function* namesIn(nodes: readonly RecordedNode[]): Generator<string> {
  for (const { name, bodies } of nodes) {
    yield name;
    for (const body of Object.values(bodies ?? {})) yield* namesIn(body.nodes as readonly RecordedNode[]);
  }
}

/** Finds runs of layers whose names begin alike. */
export class Partition {
  readonly #weightName: (node: RecordedNode) => string | undefined;

  constructor(weights: readonly { name?: string | undefined }[]) {
    this.#weightName = ({ weights: roles }) => {
      const [first] = Object.values(roles);
      return first === undefined ? undefined : layerNameOf(weights[first]!.name);
    };
  }

  /** @param scope what scopes around the layers give their names */
  parts(nodes: readonly RecordedNode[], prefix = '', scope = '', depth = 0): Part[] {
    const parts: Part[] = [];
    let at = 0;
    const runs = depth < 8 ? runsOf(nodes, prefix) : [];
    for (const { key, from, to, trailing } of runs) {
      const end = to + trailing;
      if (to - from < fewest) continue;
      parts.push(...nodes.slice(at, from));
      parts.push(...this.#segment(nodes.slice(from, end), prefix, key, scope, depth));
      at = end;
    }
    parts.push(...nodes.slice(at));
    return parts;
  }

  /** Layers with a key: a function if their names come from a scope, or if the key has a number, as blocks that repeat have. */
  #segment(nodes: readonly RecordedNode[], outer: string, key: string, scope: string, depth: number): Part[] {
    const whole = `${outer}${key}.`;
    const scoped = this.#isScoped(nodes, whole);
    const own = scoped ? whole.slice(scope.length) : `${key}.`;
    const parts = this.parts(nodes, whole, scoped ? whole : scope, depth + 1);
    const [only] = parts;
    const isOnly = parts.length === 1 && only && !isNode(only);
    if (!isOnly && (scoped || /\d/.test(key))) return [{ prefix: own.slice(0, -1), scoped, parts }];
    // The scope of a part inside a part that is none has the whole of its names already.
    return parts.map((part) =>
      isNode(part) || (part.scoped && !scoped) ? part : { ...part, prefix: own + part.prefix },
    );
  }

  /** Whether the names come from a scope: all begin so, and not because weights do. */
  #isScoped(nodes: readonly RecordedNode[], prefix: string): boolean {
    for (const name of namesIn(nodes)) if (!name.startsWith(prefix)) return false;
    return nodes.some((node) => this.#weightName(node) !== node.name);
  }
}

/** The calls that record all parts, in order. */
export function liftParts(lifter: Lifter, parts: readonly Part[]): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < parts.length; ) {
    const part = parts[at]!;
    if (isNode(part)) {
      let end = at;
      while (end < parts.length && isNode(parts[end]!)) end++;
      items.push(...lifter.statements(parts.slice(at, end) as RecordedNode[]));
      at = end;
      continue;
    }
    const { prefix, scoped } = part;
    const lift = () => liftParts(lifter, part.parts);
    const inner = scoped ? lifter.replica.scope(prefix, lift) : lift();
    // One call needs no function.
    if (inner.length === 1 && !scoped) items.push(...inner);
    else items.push({ is: 'segment', prefix, scoped, items: inner });
    at++;
  }
  return items;
}
