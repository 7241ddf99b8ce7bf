import type { Expression, Pointer, Recipe } from './recipe.js';

type Element = Extract<Expression, { op: 'value' }> & { expression: number };

/**
 * The elements of shape inputs that workspace and launches depend on. TensorRT brings them to a launch as sizes of an output,
 * which the plugin hides; native/plugin/shape_inputs.cc has the same rule.
 */
export function launchElements({ expressions, outputs, workspace, tactics }: Recipe): Element[] {
  const needed = new Set([workspace]);
  const place = (pointer: Pointer) => pointer.to === 'workspace' && needed.add(pointer.offset);
  for (const step of tactics.flat()) {
    if (step.kind === 'fill') {
      place(step.target);
      needed.add(step.bytes);
      continue;
    }
    for (const size of [...step.grid, ...step.block, step.sharedMemory]) needed.add(size);
    for (const arg of step.args) {
      if (arg.kind === 'pointer') place(arg.pointer);
      else if ('expression' in arg) needed.add(arg.expression);
    }
  }
  // TensorRT tells the sizes of outputs, but for those that the kernel is yet to write.
  const isUnwritten: boolean[] = [];
  for (const one of expressions) {
    isUnwritten.push(one.op === 'size' || ('a' in one && (isUnwritten[one.a]! || isUnwritten[one.b]!)));
  }
  for (const dim of outputs.flatMap(({ dims }) => dims)) if (isUnwritten[dim]) needed.add(dim);
  const elements: Element[] = [];
  for (const [expression, one] of [...expressions.entries()].reverse()) {
    if (!needed.has(expression)) continue;
    if (one.op === 'value') elements.unshift({ ...one, expression });
    else if (one.op === 'size') needed.add(one.upper);
    else if ('a' in one) needed.add(one.a).add(one.b);
  }
  return elements;
}
