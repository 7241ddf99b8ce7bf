import type { GivenArgument } from './cubin.js';
import type { Argument, FieldType, Pointer, Recipe } from './recipe.js';

/** Bytes of what kernels take by value. */
const sizes: Readonly<Record<string, number>> = {
  int8: 1,
  uint8: 1,
  bool: 1,
  char: 1,
  float8e4m3: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/** CUDA's pointers. */
const pointerSize = 8;

/** Bytes of a scalar attribute as an argument. */
export function fieldSize(type: FieldType): number {
  const size = sizes[type];
  if (size === undefined) throw new Error(`an attribute of type ${type} is no argument`);
  return size;
}

function pointerName(recipe: Recipe, pointer: Pointer): string {
  if (pointer.to === 'workspace') return 'workspace';
  return (pointer.to === 'input' ? recipe.inputs : recipe.outputs)[pointer.index]!.name;
}

/** An argument's name in messages, and its size. */
export function givenArgument(recipe: Recipe, argument: Argument): GivenArgument {
  switch (argument.kind) {
    case 'pointer':
      return { name: pointerName(recipe, argument.pointer), size: pointerSize };
    case 'attribute': {
      const { name, type } = recipe.attributes[argument.attribute]!;
      return { name, size: fieldSize(type) };
    }
    default:
      return { name: `${argument.type}(…)`, size: sizes[argument.type]! };
  }
}

/** What every launch of a recipe passes to which kernel. */
export const launchesOf = (recipe: Recipe): { kernel: number; args: GivenArgument[] }[] =>
  recipe.tactics.flat().flatMap((step) => {
    if (step.kind !== 'launch') return [];
    return [{ kernel: step.kernel, args: step.args.map((argument) => givenArgument(recipe, argument)) }];
  });
