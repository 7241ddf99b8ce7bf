import { TensorRTError } from '../errors/error.js';
import { type Dim, evaluateDim } from '../values/dim.js';
import { bits } from '../values/dtype.js';
import { evaluateExpressions } from './evaluate.js';
import { launchElements } from './launch-elements.js';
import { sharedMemoryFault, sizesFault } from './launch-limits.js';
import {
  type Argument,
  type FillStep,
  integerRanges,
  type LaunchStep,
  type Operation,
  type Pointer,
  type Recipe,
} from './recipe.js';

/** Sizes at which a recipe is checked. */
export interface RecipePoint {
  /** Sizes by input. */
  dims: readonly (readonly number[])[];
  /** Elements of shape inputs, by input. */
  values: readonly (readonly bigint[])[];
}

/** The most that TensorRT takes for a dim. */
const mostDim = 2n ** 31n - 1n;

/**
 * What is wrong with a recipe at some sizes, in words; undefined if nothing is.
 * @param shapes what inference said of the outputs, with the sizes of their names
 * @throws ERR_PLUGIN for a division by 0, and for a size beyond int64
 */
export function faultAt(
  recipe: Recipe,
  { dims, values }: RecipePoint,
  shapes: { dims: readonly (readonly Dim[])[]; sizes: Readonly<Record<string, number>> },
): string | undefined {
  const results = evaluateExpressions(recipe, dims, values);
  const wraps = wrapping(recipe, results);
  const of: Of = (expression, mayWrap) => {
    if (wraps[expression] && !mayWrap)
      throw new TensorRTError(
        'ERR_PLUGIN',
        `a size is computed from numbers beyond int64, which wrap: it would be ${results[expression]}`,
      );
    return results[expression]!;
  };
  for (const [i, output] of recipe.outputs.entries()) {
    const name = `output '${output.name}'`;
    for (const [axis, expression] of output.dims.entries()) {
      const size = of(expression);
      if (size < 0n || size > mostDim) return `${name}: axis ${axis} would have ${size} elements`;
      const known = evaluateDim(shapes.dims[i]![axis]!, shapes.sizes);
      if (known !== undefined && BigInt(known) !== size) {
        return `${name}: axis ${axis} is ${size} in int64, and ${known} as the network counts`;
      }
    }
  }
  for (const expression of recipe.expressions) {
    if (expression.op !== 'size') continue;
    const [opt, upper] = [of(expression.opt), of(expression.upper)];
    const name = recipe.outputs[expression.output]!.name;
    if (opt < 0n || opt > upper) return `sizeTensor('${name}'): expected 0 ≤ opt ≤ upper, given ${opt} and ${upper}`;
  }
  for (const { input, element, expression } of launchElements(recipe)) {
    const value = of(expression);
    if (value >= 0n && value <= mostDim) continue;
    const name = `${recipe.inputs[input]!.name}.values[${element}]`;
    return `${name}, which launch or workspace depends on: expected 0 to ${mostDim}, given ${value}`;
  }
  if (of(recipe.workspace) < 0n) return `workspace: expected 0 bytes or more, given ${of(recipe.workspace)}`;
  // Nothing is launched then.
  if (recipe.outputs.every((output) => output.dims.some((dim) => of(dim) === 0n))) return undefined;
  for (const [i, steps] of recipe.tactics.entries()) {
    for (const [j, step] of steps.entries()) {
      const fault = step.kind === 'launch' ? launchFault(recipe, step, of) : fillFault(recipe, step, of, dims);
      if (fault) return `${recipe.tactics.length > 1 ? `tactics[${i}]: ` : ''}launch[${j}]${fault}`;
    }
  }
  return undefined;
}

/** Throws for what wraps on the way, unless it may. */
type Of = (expression: number, mayWrap?: boolean) => bigint;

/** Which expressions leave int64, or are made of one that does. */
function wrapping({ expressions }: Recipe, results: readonly bigint[]): boolean[] {
  const wraps: boolean[] = [];
  for (const one of expressions) {
    if (one.op === 'size') wraps.push(wraps[one.upper]!);
    else if ('a' in one)
      wraps.push(wraps[one.a]! || wraps[one.b]! || leavesInt64(one.op, results[one.a]!, results[one.b]!));
    else wraps.push(false);
  }
  return wraps;
}

function leavesInt64(op: Operation, a: bigint, b: bigint): boolean {
  const exact =
    op === 'sum' ? a + b : op === 'sub' ? a - b : op === 'prod' ? a * b : /Div$/.test(op) && b === -1n ? -a : 0n;
  return BigInt.asIntN(64, exact) !== exact;
}

function launchFault(
  recipe: Recipe,
  { kernel, grid, block, sharedMemory, args }: LaunchStep,
  of: Of,
): string | undefined {
  const at = ` (${recipe.kernels[kernel]})`;
  const fault =
    sizesFault(
      'grid',
      grid.map((one) => of(one)),
    ) ??
    sizesFault(
      'block',
      block.map((one) => of(one)),
    ) ??
    sharedMemoryFault(of(sharedMemory));
  if (fault) return `${at}: ${fault.said}`;
  for (const [i, argument] of args.entries()) {
    const fault = argumentFault(recipe, argument, of);
    if (fault) return `${at}: args[${i}]: ${fault}`;
  }
  return undefined;
}

function argumentFault(recipe: Recipe, argument: Argument, of: Of): string | undefined {
  if (argument.kind === 'pointer') return pointerFault(recipe, argument.pointer, of);
  if (argument.kind !== 'integer') return undefined;
  const [least, most] = integerRanges[argument.type];
  // A kernel may want numbers that wrap, such as hashes.
  const value = of(argument.expression, argument.type === 'int64');
  if (value >= least && value <= most) return undefined;
  const wider = argument.type === 'int32' ? '; use int64() and long long in the kernel' : '';
  return `${argument.type} is ${least} to ${most}, given ${value}${wider}`;
}

function pointerFault(recipe: Recipe, pointer: Pointer, of: Of): string | undefined {
  if (pointer.to !== 'workspace') return undefined;
  const [offset, size] = [of(pointer.offset), of(recipe.workspace)];
  return offset >= 0n && offset <= size ? undefined : `${offset} bytes is outside the workspace of ${size}`;
}

function fillFault(recipe: Recipe, { target, bytes }: FillStep, of: Of, dims: RecipePoint['dims']): string | undefined {
  const size = of(bytes);
  if (size < 0n) return `: bytes: expected 0 or more, given ${size}`;
  const outside = pointerFault(recipe, target, of);
  if (outside) return `: ${outside}`;
  const count = (sizes: readonly bigint[], width: number) =>
    (sizes.reduce((a, b) => a * b, 1n) * BigInt(width) + 7n) / 8n;
  const room =
    target.to === 'workspace'
      ? of(recipe.workspace) - of(target.offset)
      : target.to === 'output'
        ? count(
            recipe.outputs[target.index]!.dims.map((one) => of(one)),
            bits[recipe.outputs[target.index]!.dtype],
          )
        : count(dims[target.index]!.map(BigInt), bits[recipe.inputs[target.index]!.dtype]);
  return size > room ? `: bytes: expected at most ${room}, which is all there is, given ${size}` : undefined;
}
