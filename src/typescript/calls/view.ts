import type { IRGraph, ValueId } from '../../dsl/ir.js';
import type { Network, RecordedNode } from '../../dsl/network.js';
import type { Shape } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import type { Entry, Expression } from '../expression.js';
import type { Literals } from '../literals.js';

/** Parameters of any kind, which the functions of a kind know. */
// biome-ignore lint/suspicious/noExplicitAny: every kind has its own.
export type AnyParams = Record<string, any>;

/** A layer, in terms of the code that is written for it. */
export class View {
  readonly node: RecordedNode;
  readonly #net: Network;
  readonly #literals: Literals;
  readonly #known: ReadonlyMap<ValueId, Expression> | undefined;

  /** @param known expressions for some of its inputs, which are not tensors of the code */
  constructor(net: Network, node: RecordedNode, literals: Literals, known?: ReadonlyMap<ValueId, Expression>) {
    this.#net = net;
    this.node = node;
    this.#literals = literals;
    this.#known = known;
  }

  get params(): AnyParams {
    return this.node.params;
  }

  get count(): number {
    return this.node.inputs.length;
  }

  /** An input; undefined if it is absent. */
  input(index: number): Expression | undefined {
    const id = this.node.inputs[index];
    return id === null || id === undefined ? undefined : (this.#known?.get(id) ?? { is: 'tensor', id });
  }

  /** The first input. */
  get x(): Expression {
    return this.input(0)!;
  }

  /** All inputs from one on; absent ones are null. */
  inputs(from = 0): (Expression | null)[] {
    return this.node.inputs.slice(from).map((_, i) => this.input(from + i) ?? null);
  }

  type(index: number): { dtype: DType; shape: Shape } {
    return this.#net.tensorOf(this.node.inputs[index]!)!;
  }

  get output(): { dtype: DType; shape: Shape } {
    return this.node.outputs[0]!;
  }

  /** Whether the value of an input is that of a tensor in the code. */
  isTensor(index: number): boolean {
    return this.input(index)?.is === 'tensor';
  }

  weight(role: string): Expression | undefined {
    const id = this.node.weights[role];
    return id === undefined ? undefined : { is: 'weight', id };
  }

  /** Options that are weights or tensors: by name, the weight's role and the tensor's index. */
  operands(roles: Readonly<Record<string, readonly [role: string, index?: number]>>): Entry[] {
    const entries: Entry[] = [];
    for (const [name, [role, index]] of Object.entries(roles)) {
      const value = this.weight(role) ?? (index === undefined ? undefined : this.input(index));
      // The options take weights and tensors, no numbers.
      if (value && value.is !== 'data') entries.push([name, value]);
    }
    return this.#literals.layer(entries);
  }

  /** Expressions for a constant: the shortest first. */
  literals(): readonly { value: Expression; options: readonly Entry[] }[] {
    return this.#literals.constants(this.node);
  }

  /** The same for options that are weights. */
  spread(entries: readonly Entry[]): Entry[] {
    return this.#literals.layer(entries);
  }

  /** A constant as an argument of another method, if that can be written. */
  operand(): Expression | undefined {
    return this.#literals.operand(this.node);
  }

  /** Names of the inputs and outputs of a plugin of the user's own. */
  pluginNames(name: string, version: string): { inputs: readonly string[]; outputs: readonly string[] } {
    return this.#literals.pluginNames(name, version);
  }

  body(role: string): IRGraph | undefined {
    return this.node.bodies?.[role];
  }

  get useFp32Acc(): boolean {
    return this.#net.useFp32Acc;
  }
}
