import { atSizes, type CaseSize, type ConcreteCase, elementsIn, type PluginCase, sizesIn } from './cases.js';

/** A generated case, or why there is none. */
export type Edge = { what: string; made: ConcreteCase } | { what: string; why: string };

/** Most elements of an input of a generated case. */
const mostElements = 2 ** 22;

/**
 * A case at the edges of each size: 0, 1, and more than a block without being a multiple of one. Sizes that have a name are
 * changed by name; in a case without names, equal sizes of all inputs are changed together.
 * @param blocks numbers of threads of the kernels' blocks
 */
export function edgesOf(one: PluginCase, index: number, blocks: readonly number[]): Edge[] {
  const edges: Edge[] = [];
  for (const [size, value] of variablesOf(one)) {
    for (const other of new Set([0, 1, unevenSize(value, blocks)])) {
      if (other === value) continue;
      const what = typeof size === 'string' ? `${size} = ${other}` : `${other} in place of ${size}`;
      const made = atSizes(one, index, new Map([[size, other]]), what);
      const why = reasonAgainst(made);
      edges.push(why ? { what, why } : { what, made });
    }
  }
  return edges;
}

/** What edge cases change, and its size. */
function variablesOf(one: PluginCase): Map<CaseSize, number> {
  const names = sizesIn(one).filter((size) => typeof size === 'string');
  if (names.length > 0) return new Map(names.map((name) => [name, one.sizes![name]!]));
  const sizes = sizesIn({ inputs: one.inputs }) as number[];
  return new Map(sizes.map((size) => [size, size]));
}

/** The smallest size above all blocks that is no multiple of one; the size itself if it is such. */
function unevenSize(size: number, blocks: readonly number[]): number {
  const wide = blocks.filter((block) => block > 1);
  const isUneven = (n: number) => wide.every((block) => n > block && n % block !== 0);
  if (isUneven(size)) return size;
  let other = Math.max(...wide) + 1;
  while (!isUneven(other)) other++;
  return other;
}

function reasonAgainst({ inputs }: ConcreteCase): string | undefined {
  for (const [name, { shape, data }] of Object.entries(inputs)) {
    const count = elementsIn(shape);
    if (data && data.length !== count)
      return `the elements of '${name}' are given, and would no longer fit [${shape.join(', ')}]`;
    if (count > mostElements) return `'${name}' would have ${count} elements`;
  }
  return undefined;
}
