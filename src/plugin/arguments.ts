import type { DType } from '../values/dtype.js';
import { refusePlugin, shown } from './fault.js';
import { type FloatType, floatTypes, type IntegerType, integerRanges, integerTypes } from './recipe.js';
import { type AnySize, combine, type Operand, operandOf, sizeOf, textOf } from './sizes.js';
import type { PluginArgument, PluginShape, PluginShapeInput, PluginTensor, PluginWorkspace } from './types.js';

/** A tensor in rules. */
export class RuleTensor implements PluginTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly rank: number;
  readonly shape: PluginShape;
  readonly size: AnySize;
  /** @internal */
  readonly to: 'input' | 'output' | 'shapeInput';
  /** @internal Its number among the inputs or outputs. */
  readonly index: number;
  /** @internal */
  readonly operands: readonly Operand[];

  constructor(name: string, dtype: DType, operands: readonly Operand[], to: RuleTensor['to'], index: number) {
    this.name = name;
    this.dtype = dtype;
    this.rank = operands.length;
    this.operands = operands;
    this.shape = Object.freeze(operands.map(sizeOf)) as unknown as PluginShape;
    this.size = sizeOf(operands.reduce((a, b) => combine('prod', a, b), 1 as Operand));
    this.to = to;
    this.index = index;
  }
}

/** A shape input in rules. */
export class RuleShapeInput extends RuleTensor implements PluginShapeInput {
  readonly values: PluginShape;

  constructor(name: string, dtype: DType, operands: readonly Operand[], index: number, values: readonly Operand[]) {
    super(name, dtype, operands, 'shapeInput', index);
    this.values = Object.freeze(values.map(sizeOf)) as unknown as PluginShape;
  }
}

/** An address in scratch memory. */
export class RuleWorkspace implements PluginWorkspace {
  /** @internal In bytes. */
  readonly offset: Operand;

  constructor(offset: Operand = 0) {
    this.offset = offset;
    Object.freeze(this);
  }

  at(bytes: unknown): RuleWorkspace {
    return new RuleWorkspace(combine('sum', this.offset, operandOf(bytes, 'workspace.at()')));
  }
}

/** A number with its type. */
export class TypedArgument implements PluginArgument {
  readonly type: IntegerType | FloatType;
  /** @internal */
  readonly operand: Operand | undefined;
  /** @internal A floating-point constant. */
  readonly number: number | undefined;

  constructor(type: IntegerType | FloatType, operand: Operand | undefined, number?: number) {
    this.type = type;
    this.operand = operand;
    this.number = number;
    Object.freeze(this);
  }
}

/** An attribute as an argument. */
export class AttributeArgument implements PluginArgument {
  readonly type: string;
  readonly value: unknown;
  /** @internal */
  readonly name: string;
  /** @internal */
  readonly index: number;
  /** @internal */
  readonly isScalar: boolean;

  constructor(name: string, type: string, index: number, isScalar: boolean, value: unknown) {
    this.name = name;
    this.type = type;
    this.index = index;
    this.isScalar = isScalar;
    this.value = value;
    Object.freeze(this);
  }

  /** @throws ERR_PLUGIN */
  [Symbol.toPrimitive](): never {
    return refusePlugin(`attribute '${this.name}' is an argument here, no number: what it holds is ${this.name}.value`);
  }
}

/** A caller's value where a number with a type is made: an attribute is refused, as it has one. */
function refuseAttribute(type: string, value: unknown): void {
  if (value instanceof AttributeArgument) {
    refusePlugin(
      `${type}(): attribute '${value.name}' has the type ${value.type} already; pass it as it is, or its .value`,
    );
  }
}

const integer = (type: IntegerType) => (value: unknown) => {
  refuseAttribute(type, value);
  const operand = operandOf(type === 'bool' && typeof value === 'boolean' ? Number(value) : value, `${type}()`);
  const [least, most] = integerRanges[type];
  if (typeof operand === 'number' && (operand < least || operand > most)) {
    refusePlugin(`${type}(${operand}) does not fit: ${type} is ${least} to ${most}`, { actual: operand });
  }
  return new TypedArgument(type, operand);
};

const float = (type: FloatType) => (value: unknown) => {
  refuseAttribute(type, value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) refusePlugin(`${type}(): expected a number, given NaN`);
    return new TypedArgument(type, undefined, value);
  }
  const operand = operandOf(value, `${type}()`);
  if (typeof operand === 'number') return new TypedArgument(type, undefined, operand);
  if (type === 'float16' || type === 'bfloat16') {
    refusePlugin(`${type}(${textOf(operand)}): a dynamic size may become int32, int64, float32 or float64`);
  }
  return new TypedArgument(type, operand);
};

/** `int32(…)` and the like. */
export const argumentMakers: Readonly<Record<string, (value: unknown) => TypedArgument>> = Object.freeze({
  ...Object.fromEntries(integerTypes.map((type) => [type, integer(type)])),
  ...Object.fromEntries(floatTypes.map((type) => [type, float(type)])),
});

/** Why a value is no argument of a kernel, in words. */
export function notAnArgument(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return `expected an argument with a type, given ${value}: write int32(${value}), int64(…) or float32(…), as the kernel declares it`;
  }
  return `expected a tensor, workspace, an attribute or a typed number such as int32(…), given ${shown(value)}`;
}
