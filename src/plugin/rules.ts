import { suggestion } from '../errors/nearest.js';
import { type Dim, isSameShape, isStatic, isUnknown, type Shape, unknownDim } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import { isRecord } from '../values/record.js';
import { maxRank } from '../values/spec.js';
import { AttributeArgument, argumentMakers, RuleShapeInput, RuleTensor, RuleWorkspace } from './arguments.js';
import { type AttributeValue, ruleValue } from './attributes.js';
import type { Definition, Rule } from './definition.js';
import { ExpressionWriter } from './expressions.js';
import { refusePlugin, shown } from './fault.js';
import { runRule } from './guard.js';
import { StepReader } from './launches.js';
import type { Recipe } from './recipe.js';
import { dimReader, type Operand, operandOf, type SizeNode, sizeHelpers, sizeOf } from './sizes.js';

/** What rules need to know of an input. */
export interface RuleInput {
  dtype: DType;
  shape: Shape;
  /** Elements of a small integer tensor, as far as they are known. */
  contents?: readonly Dim[] | undefined;
}

/** What the rules say of one layer. */
export interface Ruled {
  recipe: Recipe;
  /** The outputs in the network's dims. */
  outputs: { dtype: DType; shape: Dim[] }[];
}

/** One run of the rules of a layer. */
export class RuleRun {
  readonly #definition: Definition;
  readonly #row: ReadonlyMap<string, DType>;
  readonly #token = {};
  readonly #writer = new ExpressionWriter(this.#token);
  readonly #inputs: RuleTensor[];
  readonly #sizes = new Map<string, SizeNode>();
  readonly #values: Record<string, unknown>;
  readonly #attributes: AttributeArgument[];

  constructor(
    definition: Definition,
    row: ReadonlyMap<string, DType>,
    attributes: Readonly<Record<string, AttributeValue>>,
    inputs: readonly RuleInput[],
  ) {
    this.#definition = definition;
    this.#row = row;
    this.#inputs = inputs.map((input, i) => this.#input(input, i));
    const entries = [...definition.attributes].map(([name, attribute]) => [
      name,
      ruleValue(attribute, attributes[name]!),
    ]);
    this.#values = Object.freeze(Object.fromEntries(entries));
    this.#attributes = [...definition.attributes].map(([name, { type, isList, kind }], i) => {
      return new AttributeArgument(name, type, i, !isList && kind !== 'string', this.#values[name]);
    });
  }

  #input({ dtype, shape, contents }: RuleInput, index: number): RuleTensor {
    const name = this.#definition.inputs[index]!;
    const run = this.#token;
    const sizes = shape.map((dim, axis): Operand => {
      return isStatic(dim) ? dim : { op: 'dim', input: index, axis, text: `${name}.shape[${axis}]`, dim, run };
    });
    if (index < this.#definition.tensors) return new RuleTensor(name, dtype, sizes, 'input', index);
    const count = (shape[0] ?? 1) as number;
    const values = Array.from({ length: count }, (_, element): Operand => {
      const known = contents?.[element];
      if (known !== undefined && isStatic(known)) return known;
      const dim = known === undefined || isUnknown(known) ? unknownDim(name) : known;
      return { op: 'value', input: index, element, text: `${name}.values[${element}]`, dim, run };
    });
    return new RuleShapeInput(name, dtype, sizes, index, values);
  }

  #named(tensors: readonly RuleTensor[]): Record<string, unknown> {
    return Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** `sizeTensor` of the rule `outputs`. */
  readonly #sizeTensor = (name: unknown, options: unknown): unknown => {
    const { outputs } = this.#definition;
    if (typeof name !== 'string' || !outputs.includes(name)) {
      return refusePlugin(`sizeTensor(): expected the name of an output (${outputs.join(', ')}), given ${shown(name)}`);
    }
    if (this.#sizes.has(name)) refusePlugin(`sizeTensor('${name}') is called twice`);
    const dtype = this.#row.get(name)!;
    if (dtype !== 'int32' && dtype !== 'int64') {
      refusePlugin(`sizeTensor('${name}'): expected int32 or int64 in types, given ${dtype}`);
    }
    if (!isRecord(options))
      return refusePlugin(`sizeTensor('${name}'): expected { opt, upper }, given ${shown(options)}`);
    const opt = operandOf(options.opt, `sizeTensor('${name}'): opt`);
    const upper = operandOf(options.upper, `sizeTensor('${name}'): upper`);
    if (typeof opt === 'number' && typeof upper === 'number' && !(opt >= 0 && opt <= upper)) {
      refusePlugin(`sizeTensor('${name}'): expected 0 ≤ opt ≤ upper, given opt ${opt} and upper ${upper}`);
    }
    const output = outputs.indexOf(name);
    const text = `the size in '${name}'`;
    const node: SizeNode = { op: 'size', output, opt, upper, text, dim: unknownDim(name), run: this.#token };
    this.#sizes.set(name, node);
    return sizeOf(node);
  };

  #shapes(): RuleTensor[] {
    const { outputs, outputsRule } = this.#definition;
    const known = { ...this.#named(this.#inputs), ...sizeHelpers, sizeTensor: this.#sizeTensor };
    const context = this.#withoutAttributes('outputs', known);
    return this.#call('outputs', outputsRule, context, this.#values, (shapes) => this.#readShapes(shapes, outputs));
  }

  #readShapes(shapes: unknown, outputs: readonly string[]): RuleTensor[] {
    if (!isRecord(shapes)) return refusePlugin(`outputs: expected shapes by output, given ${shown(shapes)}`);
    for (const name of Object.keys(shapes)) {
      if (outputs.includes(name)) continue;
      refusePlugin(
        `outputs: '${name}' is not among the outputs in types, ${outputs.join(', ')}${suggestion(name, outputs)}`,
      );
    }
    return outputs.map((name, i) => {
      const given = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
      const isSize = this.#sizes.has(name);
      if (given === undefined && !isSize) refusePlugin(`outputs: the shape of '${name}' is missing`);
      const dims = given ?? [];
      if (!Array.isArray(dims) || dims.length > maxRank) {
        return refusePlugin(`outputs: ${name}: expected a list of at most ${maxRank} sizes, given ${shown(given)}`);
      }
      if (isSize && dims.length > 0)
        refusePlugin(`outputs: ${name}: a size tensor has rank 0, given rank ${dims.length}`);
      const operands = Array.from(dims, (dim, axis) => operandOf(dim, `outputs: ${name}[${axis}]`));
      const alias = this.#definition.aliases.get(name);
      if (alias !== undefined) this.#checkAlias(name, operands, this.#inputs[this.#definition.inputs.indexOf(alias)]!);
      const negative = operands.find((dim) => typeof dim === 'number' && dim < 0);
      if (negative !== undefined)
        refusePlugin(`outputs: ${name}: expected sizes of 0 or more, given ${String(negative)}`);
      return new RuleTensor(name, this.#row.get(name)!, operands, 'output', i);
    });
  }

  /** An output that is an input has its shape. */
  #checkAlias(name: string, operands: readonly Operand[], input: RuleTensor): void {
    const toDim = dimReader();
    const [own, other] = [operands.map(toDim), input.operands.map(toDim)];
    if (isSameShape(own, other)) return;
    refusePlugin(
      `outputs: ${name}: expected the shape of '${input.name}' [${other.join(', ')}], which it updates, given [${own.join(', ')}]`,
    );
  }

  /** Where a rule looks for an attribute in the wrong argument, it is told, instead of getting undefined. */
  #withoutAttributes(rule: string, context: Record<string, unknown>): Record<string, unknown> {
    const given = { ...context };
    for (const { name } of this.#attributes) {
      const get = () =>
        refusePlugin(`attribute '${name}' is in the second argument of '${rule}': (tensors, { ${name} }) => …`);
      Object.defineProperty(given, name, { get });
    }
    return given;
  }

  #call<T>(what: string, rule: Rule, context: unknown, second: unknown, read: (result: unknown) => T): T {
    const call = rule as (first: unknown, second: unknown) => unknown;
    return runRule(this.#definition, what, () => call(Object.freeze(context), second), read);
  }

  ruled(): Ruled {
    const definition = this.#definition;
    const outputs = this.#shapes();
    const dims = outputs.map(({ operands }) => operands.map((dim) => this.#writer.index(dim)));
    const tensors = { ...this.#named(this.#inputs), ...this.#named(outputs), ...sizeHelpers };
    const bytes = definition.workspaceRule
      ? this.#call(
          'workspace',
          definition.workspaceRule,
          this.#withoutAttributes('workspace', tensors),
          this.#values,
          (given) => operandOf(given, 'workspace'),
        )
      : 0;
    if (typeof bytes === 'number' && bytes < 0) refusePlugin(`workspace: expected 0 bytes or more, given ${bytes}`);
    const workspace = this.#writer.index(bytes);
    const context = {
      ...tensors,
      ...argumentMakers,
      ...Object.fromEntries(this.#attributes.map((attribute) => [attribute.name, attribute])),
      workspace: new RuleWorkspace(),
    };
    const kernels: string[] = [];
    const isEmpty = outputs.every(({ operands }) => operands.includes(0));
    const reader = new StepReader(this.#writer, kernels, isEmpty, bytes);
    const tactics = (definition.tactics ?? [Object.freeze({})]).map((tactic) =>
      this.#call('launch', definition.launchRule, { ...context }, tactic, (given) => reader.steps(given)),
    );
    const toDim = dimReader();
    const recipe: Recipe = {
      inputs: this.#inputs.map(({ name, dtype, rank, to }) => ({ name, dtype, rank, isShape: to === 'shapeInput' })),
      outputs: outputs.map(({ name, dtype }, i) => ({
        name,
        dtype,
        dims: dims[i]!,
        alias: definition.inputs.indexOf(definition.aliases.get(name) ?? ''),
        isSize: this.#sizes.has(name),
      })),
      attributes: [...definition.attributes].map(([name, { type }]) => ({ name, type })),
      expressions: this.#writer.list,
      workspace,
      kernels,
      tactics,
    };
    return {
      recipe,
      outputs: outputs.map(({ dtype, operands }) => ({ dtype, shape: operands.map(toDim) })),
    };
  }
}
