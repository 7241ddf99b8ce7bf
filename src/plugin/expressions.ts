import { refusePlugin } from './fault.js';
import type { Expression } from './recipe.js';
import { type Operand, type SizeNode, textOf } from './sizes.js';

/** Most expressions of one recipe. */
const most = 10_000;

/** Writes sizes as a list of expressions, each one once. */
export class ExpressionWriter {
  readonly list: Expression[] = [];
  readonly #run: object;
  readonly #nodes = new Map<SizeNode, number>();
  readonly #known = new Map<string, number>();

  /** @param run the run of rules that all sizes must come from */
  constructor(run: object) {
    this.#run = run;
  }

  /** The index of a size. @throws ERR_PLUGIN for a size of another run */
  index(operand: Operand): number {
    if (typeof operand === 'number') {
      return this.#add(`constant ${operand}`, { op: 'constant', value: BigInt(operand) });
    }
    const known = this.#nodes.get(operand);
    if (known !== undefined) return known;
    const index = this.#write(operand);
    this.#nodes.set(operand, index);
    return index;
  }

  #write(node: SizeNode): number {
    if ('run' in node && node.run !== this.#run) {
      refusePlugin(`${textOf(node)} comes from another layer or run of the rules: rules may not keep sizes`);
    }
    switch (node.op) {
      case 'dim':
        return this.#add(`dim ${node.input} ${node.axis}`, { op: 'dim', input: node.input, axis: node.axis });
      case 'value':
        return this.#add(`value ${node.input} ${node.element}`, {
          op: 'value',
          input: node.input,
          element: node.element,
        });
      case 'size': {
        const [opt, upper] = [this.index(node.opt), this.index(node.upper)];
        return this.#add(`size ${node.output}`, { op: 'size', output: node.output, opt, upper });
      }
      default: {
        const [a, b] = [this.index(node.a), this.index(node.b)];
        return this.#add(`${node.op} ${a} ${b}`, { op: node.op, a, b });
      }
    }
  }

  #add(key: string, expression: Expression): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.list.length === most) refusePlugin(`the rules make more than ${most} expressions`);
    this.#known.set(key, this.list.length);
    this.list.push(expression);
    return this.list.length - 1;
  }
}
