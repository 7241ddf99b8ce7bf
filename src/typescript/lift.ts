import type { IRGraph, ValueId, WeightId } from '../dsl/ir.js';
import { Network, type RecordedNode } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { TensorRTError } from '../errors/error.js';
import { atomic } from '../errors/roll-back.js';
import { usesOf } from '../passes/layer.js';
import { callsFor } from './calls/table.js';
import { View } from './calls/view.js';
import type { Call, Closure, Expression, Statement } from './expression.js';
import { type Difference, Likeness } from './likeness.js';
import type { Literals } from './literals.js';

/** Calls have to be found anew, as a weight that was a number has to be one object. */
export class Restart extends Error {}

/** Undoes an attempt. */
class Unlike extends Error {
  readonly why: Difference;
  constructor(why: Difference) {
    super(why);
    this.why = why;
  }
}

/** The call that records the next layers. */
interface Found {
  statement: Statement;
  call: Call;
  /** How many layers. */
  count: number;
}

/** Most constants that one call may take as numbers. */
const mostOperands = 4;

/**
 * Finds, for the layers of a network, the calls that record them. Each call is made on a second network, and what it
 * recorded there is compared with the original: a call that records anything else is undone, and the next is tried.
 */
export class Lifter {
  readonly source: Network;
  readonly replica: Network;
  readonly literals: Literals;
  readonly #values = new Map<ValueId, Tensor>();
  readonly #uses = new Map<ValueId, number>();
  readonly #likeness: Likeness;
  readonly #found = new Map<RecordedNode, Found>();

  constructor(source: Network, literals: Literals) {
    this.source = source;
    this.literals = literals;
    this.replica = new Network(source.name, { useFp32Acc: source.useFp32Acc });
    this.#likeness = new Likeness(source, this.replica, this.#values, literals);
    for (const { nodes, outputs } of [source.graph]) {
      for (const node of nodes) for (const id of usesOf(node)) this.#count(id);
      for (const { id } of outputs) this.#count(id);
    }
    for (const id of source.debugIds) this.#count(id);
  }

  #count(id: ValueId): void {
    this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
  }

  /** Declares an input, as the code will. */
  input(id: ValueId): void {
    const { name, dtype, shape } = this.source.inputs.find((input) => input.id === id)!;
    this.#values.set(id, this.replica.input(name, { dtype, shape }));
  }

  /** The calls that record these layers, which follow each other in one graph. */
  statements(nodes: readonly RecordedNode[]): Statement[] {
    const statements: Statement[] = [];
    for (let at = 0; at < nodes.length; ) {
      const { statement, count } = this.#next(nodes, at);
      statements.push(statement);
      at += count;
    }
    return statements;
  }

  #next(nodes: readonly RecordedNode[], at: number): Found {
    // The body of a loop is recorded at every attempt at the loop.
    const known = this.#found.get(nodes[at]!);
    if (known && typeof this.#try(known.call, nodes.slice(at, at + known.count)) === 'object') return known;
    for (const { calls, count } of this.#ways(nodes, at)) {
      const taken = nodes.slice(at, at + count);
      for (const call of calls) {
        const found = this.#attempt(call, taken);
        if (!found) continue;
        this.#found.set(nodes[at]!, found);
        return found;
      }
    }
    const { kind, name, weights } = nodes[at]!;
    // A constant that an earlier call made of a number cannot be shared.
    const hidden = Object.values(weights).filter((id) => this.literals.share(id));
    if (hidden.length > 0) throw new Restart();
    throw new TensorRTError(
      'ERR_TYPESCRIPT',
      `toTypeScript: ${kind} '${name}' cannot be recorded again as it is: it depends on elements that its network knew, and the code does not`,
      { layer: name, kind },
    );
  }

  /** Calls to try, and how many of the next layers they record. */
  *#ways(nodes: readonly RecordedNode[], at: number): Generator<{ calls: Iterable<Call>; count: number }> {
    const view = (node: RecordedNode, known?: ReadonlyMap<ValueId, Expression>) =>
      new View(this.source, node, this.literals, known);
    const { callSite, method } = nodes[at]!;
    let end = at + 1;
    while (end < nodes.length && callSite && nodes[end]!.callSite === callSite && nodes[end]!.method === method) end++;
    const sharesNothing = (node: RecordedNode) => !Object.values(node.weights).some((id) => this.literals.isShared(id));
    while (end > at + 1 && !nodes.slice(at, end).every(sharesNothing)) end--;
    for (let to = end; to > at + 1; to--) {
      const views = nodes.slice(at, to).map((node) => view(node));
      yield { calls: callsFor.several(method ?? '', views), count: to - at };
    }
    const operands = this.#operands(nodes, at);
    if (operands.size > 0) {
      const node = nodes[at + operands.size]!;
      yield { calls: callsFor.one(view(node, operands)), count: operands.size + 1 };
    }
    yield { calls: callsFor.one(view(nodes[at]!)), count: 1 };
    yield { calls: [callsFor.any(view(nodes[at]!))], count: 1 };
  }

  /** Constants from here on that only the layer after them takes, as what a method makes constants of. */
  #operands(nodes: readonly RecordedNode[], at: number): Map<ValueId, Expression> {
    const found = new Map<ValueId, Expression>();
    let end = at;
    while (end < nodes.length && nodes[end]!.kind === 'constant' && end - at < mostOperands) end++;
    const taker = nodes[end];
    for (const node of taker ? nodes.slice(at, end) : []) {
      const { id } = node.outputs[0]!;
      if (this.#uses.get(id) !== 1 || !taker!.inputs.includes(id)) return new Map();
      const operand = this.literals.operand(node);
      if (!operand) return new Map();
      found.set(id, operand);
    }
    return found;
  }

  /** The statement if the call records just these layers, with or without a name of its own. */
  #attempt(call: Call, nodes: readonly RecordedNode[]): Found | undefined {
    const last = nodes.at(-1)!;
    const count = nodes.length;
    const unnamed = last.bodies && !this.#isAutomatic(last) ? 'name' : this.#try(call, nodes);
    if (typeof unnamed === 'object') return { statement: unnamed, call, count };
    if (unnamed !== 'name' || !(call.options || call.named)) return undefined;
    const { prefix } = this.replica;
    const { name: layer } = last;
    if (!layer.startsWith(prefix) || layer.length === prefix.length) return undefined;
    const named = { ...call, name: layer.slice(prefix.length) };
    const statement = this.#try(named, nodes);
    return typeof statement === 'object' ? { statement, call: named, count } : undefined;
  }

  /** Whether a loop or conditional has the name that it gets if none is given. */
  #isAutomatic({ name, kind }: RecordedNode): boolean {
    const { prefix, names } = this.replica;
    const stem = prefix + kind;
    let free = stem;
    for (let n = 1; names.has(free); n++) free = `${stem}_${n}`;
    return name === free;
  }

  #try(call: Call, nodes: readonly RecordedNode[]): Statement | Difference {
    const mark = this.#likeness.mark();
    try {
      return atomic(() => {
        const { length } = this.replica.openNodes;
        const { target, args } = this.#prepare(call);
        (target as Record<string, (...args: unknown[]) => unknown>)[call.method]!(
          ...args.map((arg) => this.evaluate(arg)),
        );
        const why = this.#likeness.compare(nodes, this.replica.openNodes.slice(length));
        if (why) throw new Unlike(why);
        return this.#statement({ ...call, args, options: undefined }, nodes);
      });
    } catch (error) {
      this.#likeness.forget(mark);
      if (error instanceof Unlike) return error.why;
      if (error instanceof TensorRTError || error instanceof TypeError) return 'other';
      throw error;
    }
  }

  /** The receiver, and all arguments with options and name. */
  #prepare({ on, args, options, named, name }: Call): { target: unknown; args: readonly Expression[] } {
    const target = on ? this.evaluate(on) : this.literals.functions;
    if (name !== undefined && named) return { target, args: named(name) };
    const entries = [
      ...(options ?? []),
      ...(name === undefined ? [] : [['name', { is: 'data', value: name }] as const]),
    ];
    return { target, args: entries.length > 0 ? [...args, { is: 'object', entries }] : args };
  }

  #statement(call: Call, nodes: readonly RecordedNode[]): Statement {
    const { name: layer, kind, outputs } = nodes.at(-1)!;
    return { is: 'call', call, layer, kind, unnamed: call.name === undefined, ids: outputs.map(({ id }) => id) };
  }

  evaluate(value: Expression): unknown {
    switch (value.is) {
      case 'net':
        return this.replica;
      case 'tensor':
        return this.#values.get(value.id);
      case 'weight':
        return this.#weight(value.id);
      case 'layer':
        return Object.fromEntries(Object.entries(value.options).map(([name, id]) => [name, this.#weight(id)]));
      case 'plugin':
        return this.literals.plugin(value.name, value.version);
      case 'data':
        return value.value;
      case 'list':
        return value.items.map((item) => this.evaluate(item));
      case 'object':
        return Object.assign(
          {},
          ...value.entries.map(([name, one]) =>
            name === undefined ? this.evaluate(one) : { [name]: this.evaluate(one) },
          ),
        );
      case 'closure':
        return this.#closure(value);
    }
  }

  #weight(id: WeightId) {
    return this.literals.weight(id);
  }

  #closure(closure: Closure): (...given: unknown[]) => unknown {
    const { graph, destructures, names } = closure;
    return (...given) => {
      const values = destructures ? names.map((name) => (given[0] as Record<string, unknown>)[name]) : given;
      for (const [i, { id }] of graph.inputs.entries()) this.#values.set(id, values[i] as Tensor);
      closure.statements = this.statements(nodesOf(graph));
      return this.evaluate(closure.result);
    };
  }
}

/** Layers of a nested graph, which knows their places in code although its type does not say so. */
const nodesOf = (graph: IRGraph): readonly RecordedNode[] => graph.nodes as readonly RecordedNode[];
