import { bits, type DType } from '../values/dtype.js';
import { isRecord } from '../values/record.js';
import { AttributeArgument, notAnArgument, RuleTensor, RuleWorkspace, TypedArgument } from './arguments.js';
import type { ExpressionWriter } from './expressions.js';
import { refusePlugin, shown } from './fault.js';
import { sharedMemoryFault, sizesFault } from './launch-limits.js';
import { type Argument, integerTypes, type Pointer, type Step } from './recipe.js';
import { combine, type Operand, operandOf, Size, textOf } from './sizes.js';

/** C++ names of dtypes. */
const cTypes: Partial<Record<DType, string>> = {
  float32: 'float',
  float16: '__half',
  bfloat16: '__nv_bfloat16',
  float8e4m3: '__nv_fp8_e4m3',
  int64: 'long long',
  int32: 'int',
  int8: 'signed char',
  uint8: 'unsigned char',
  bool: 'bool',
};

const functionName = /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/;
const typeName = /^[A-Za-z_][\w:<>,*& ]*$/;
const mostLaunches = 1000;
const mostArguments = 1000;

function templateArgument(value: unknown, where: string): string {
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value + 0);
  if (typeof value === 'string') {
    if (Object.hasOwn(cTypes, value)) return cTypes[value as DType]!;
    if (typeName.test(value)) return value;
  }
  const hint =
    value instanceof Size
      ? `${textOf(Size.node(value))}, which only the run knows`
      : value instanceof AttributeArgument
        ? `attribute '${value.name}': use its .value`
        : shown(value);
  return refusePlugin(`${where}: expected a dtype, a C++ type, a whole number or a boolean, given ${hint}`);
}

/** What one launch rule returned, as steps. */
export class StepReader {
  readonly #write: ExpressionWriter;
  readonly #kernels: string[];
  readonly #isEmpty: boolean;
  readonly #workspace: Operand;

  /**
   * @param kernels name expressions so far; grows
   * @param isEmpty whether every output is known to have no elements
   * @param workspace bytes of scratch memory
   */
  constructor(write: ExpressionWriter, kernels: string[], isEmpty: boolean, workspace: Operand) {
    this.#write = write;
    this.#kernels = kernels;
    this.#isEmpty = isEmpty;
    this.#workspace = workspace;
  }

  steps(given: unknown): Step[] {
    if (!Array.isArray(given)) return refusePlugin(`launch: expected a list of launches, given ${shown(given)}`);
    if (given.length === 0 || given.length > mostLaunches) {
      refusePlugin(`launch: expected 1 to ${mostLaunches} launches, given ${given.length}`);
    }
    return Array.from(given, (step, i) => this.#step(step, `launch[${i}]`));
  }

  #step(step: unknown, where: string): Step {
    if (!isRecord(step)) return refusePlugin(`${where}: expected { kernel, … } or { fill, … }, given ${shown(step)}`);
    const isFill = 'fill' in step;
    const keys = isFill ? ['fill', 'value', 'bytes'] : ['kernel', 'template', 'grid', 'block', 'sharedMemory', 'args'];
    for (const key of Object.keys(step)) {
      if (!keys.includes(key)) refusePlugin(`${where}: unknown ${shown(key)}; expected ${keys.join(', ')}`);
    }
    return isFill ? this.#fill(step, where) : this.#launch(step, where);
  }

  #launch({ kernel, template, grid, block, sharedMemory = 0, args }: Record<string, unknown>, where: string): Step {
    const name = this.#kernelName(kernel, template, where);
    const at = `${where} (${name})`;
    const blockSizes = this.#three(block, `${at}: block`);
    const gridSizes = this.#three(grid, `${at}: grid`);
    const known = (sizes: readonly Operand[]) => sizes.map((size) => (typeof size === 'number' ? size : undefined));
    const fault = sizesFault('block', known(blockSizes)) ?? sizesFault('grid', known(gridSizes), this.#isEmpty ? 0 : 1);
    if (fault) refusePlugin(`${at}: ${fault.said}`, { actual: fault.actual });
    const shared = operandOf(sharedMemory, `${at}: sharedMemory`);
    const excess = typeof shared === 'number' && sharedMemoryFault(shared);
    if (excess) refusePlugin(`${at}: ${excess.said}`);
    if (!Array.isArray(args) || args.length > mostArguments) {
      return refusePlugin(`${at}: args: expected a list of at most ${mostArguments} arguments, given ${shown(args)}`);
    }
    let index = this.#kernels.indexOf(name);
    if (index < 0) index = this.#kernels.push(name) - 1;
    return {
      kind: 'launch',
      kernel: index,
      grid: gridSizes.map((size) => this.#write.index(size)) as [number, number, number],
      block: blockSizes.map((size) => this.#write.index(size)) as [number, number, number],
      sharedMemory: this.#write.index(shared),
      args: Array.from(args, (arg, i) => this.#argument(arg, `${at}: args[${i}]`)),
    };
  }

  #kernelName(kernel: unknown, template: unknown, where: string): string {
    if (typeof kernel !== 'string' || kernel.length > 500 || !functionName.test(kernel)) {
      refusePlugin(`${where}: kernel: expected the name of a __global__ function, given ${shown(kernel)}`);
    }
    if (template === undefined) return kernel;
    if (!Array.isArray(template) || template.length > 100) {
      return refusePlugin(`${where}: template: expected a list, given ${shown(template)}`);
    }
    const list = Array.from(template, (one, i) => templateArgument(one, `${where}: template[${i}]`));
    return list.length === 0 ? kernel : `${kernel}<${list.join(', ')}>`;
  }

  #three(given: unknown, where: string): Operand[] {
    const list: unknown[] = Array.isArray(given) ? given : [given];
    if (list.length < 1 || list.length > 3) refusePlugin(`${where}: expected 1 to 3 sizes, given ${list.length}`);
    const sizes = Array.from(list, (size) => operandOf(size, where));
    return [...sizes, ...Array<number>(3 - sizes.length).fill(1)];
  }

  #argument(arg: unknown, where: string): Argument {
    if (arg instanceof RuleTensor || arg instanceof RuleWorkspace) {
      return { kind: 'pointer', pointer: this.#pointer(arg, where) };
    }
    if (arg instanceof AttributeArgument) {
      if (arg.isScalar) return { kind: 'attribute', attribute: arg.index };
      return refusePlugin(
        `${where}: attribute '${arg.name}' is a list or text, which no kernel can take: use its .value`,
      );
    }
    if (!(arg instanceof TypedArgument)) return refusePlugin(`${where}: ${notAnArgument(arg)}`, { actual: arg });
    const { type, operand, number } = arg;
    if (operand === undefined) return { kind: 'float', type: type as 'float32', value: number! };
    const expression = this.#write.index(operand);
    const isInteger = (integerTypes as readonly string[]).includes(type);
    return isInteger
      ? { kind: 'integer', type: type as 'int32', expression }
      : { kind: 'floatOf', type: type as 'float32', expression };
  }

  #pointer(target: RuleTensor | RuleWorkspace, where: string): Pointer {
    if (target instanceof RuleWorkspace) {
      if (this.#workspace === 0) refusePlugin(`${where}: the definition has no workspace: give its bytes as workspace`);
      const { offset } = target;
      const isOutside =
        typeof offset === 'number' &&
        (offset < 0 || (typeof this.#workspace === 'number' && offset >= this.#workspace));
      if (isOutside) refusePlugin(`${where}: ${textOf(offset)} bytes is not inside the workspace`);
      return { to: 'workspace', offset: this.#write.index(offset) };
    }
    if (target.to !== 'shapeInput') return { to: target.to, index: target.index };
    return refusePlugin(
      `${where}: TensorRT gives shape input '${target.name}' to the host alone: pass what its values make of an output's shape`,
    );
  }

  #fill({ fill, value, bytes }: Record<string, unknown>, where: string): Step {
    if (
      !(fill instanceof RuleTensor || fill instanceof RuleWorkspace) ||
      (fill instanceof RuleTensor && fill.to === 'input')
    ) {
      return refusePlugin(`${where}: fill: expected an output or workspace, given ${shown(fill)}`);
    }
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 255) {
      refusePlugin(`${where}: value: expected a byte, 0 to 255, given ${shown(value)}`);
    }
    let size: Operand;
    if (bytes !== undefined) size = operandOf(bytes, `${where}: bytes`);
    else if (fill instanceof RuleWorkspace) return refusePlugin(`${where}: bytes: expected how many to fill`);
    else size = bytesOf(fill);
    if (typeof size === 'number' && size < 0) refusePlugin(`${where}: bytes: expected 0 or more, given ${size}`);
    const target = this.#pointer(fill, where);
    return { kind: 'fill', target, byte: value as number, bytes: this.#write.index(size) };
  }
}

/** The bytes of a tensor. */
function bytesOf({ dtype, size }: RuleTensor): Operand {
  const width = bits[dtype];
  const count = operandOf(size, 'size');
  return width >= 8 ? combine('prod', count, width / 8) : combine('ceilDiv', count, 8 / width);
}
