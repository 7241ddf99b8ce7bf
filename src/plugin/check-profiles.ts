import type { ValueId } from '../dsl/ir.js';
import type { RecordedNode } from '../dsl/network.js';
import { locate } from '../errors/call-site.js';
import { TensorRTError } from '../errors/error.js';
import { type Dim, evaluateDim } from '../values/dim.js';
import { faultAt, type RecipePoint } from './check-launches.js';
import type { Definition } from './definition.js';
import type { Recipe } from './recipe.js';
import type { RuleInput } from './rules.js';

/** One of the sizes that a build prepares for. */
export interface ProfilePoint {
  /** `profiles[0].max`; empty where nothing is dynamic. */
  where: string;
  /** By name. */
  sizes: Readonly<Record<string, number>>;
  /** Elements of network inputs, by their value's number, where the profile gives them. */
  elements: ReadonlyMap<ValueId, readonly number[]>;
}

/** A layer of a definition. */
export interface CheckedPlugin {
  node: Pick<RecordedNode, 'kind' | 'name' | 'inputs' | 'outputs' | 'callSite'>;
  definition: Definition;
  recipe: Recipe;
}

type Node = CheckedPlugin['node'];

function refuseNode({ name, kind, callSite }: Node, said: string): never {
  throw new TensorRTError('ERR_PLUGIN', said, { method: 'plugin', layer: name, kind, source: locate(callSite) });
}

/**
 * Checks the plugin layers of a network at the least, typical and largest sizes: the outputs are what inference said, and
 * every launch is one that CUDA takes. Sizes that depend on data are not known, nor is what follows from them.
 * @throws ERR_PLUGIN with the line that recorded the layer
 */
export function checkPlugins(
  plugins: readonly CheckedPlugin[],
  tensorOf: (id: ValueId) => RuleInput | undefined,
  points: readonly ProfilePoint[],
): void {
  const updated = new Map<ValueId, string>();
  for (const { node, definition, recipe } of plugins) {
    requireOneWriter(node, definition, updated);
    const inputs = node.inputs.map((id) => tensorOf(id!)!);
    for (const { where, sizes, elements } of points) {
      const point = pointOf(node, inputs, recipe.inputs, sizes, elements);
      if (!point) continue;
      const list = Object.entries(sizes)
        .map(([name, size]) => `${name}: ${size}`)
        .join(', ');
      const at = where && `at ${where}${list && ` (${list})`}: `;
      const shapes = { dims: node.outputs.map(({ shape }) => shape), sizes };
      let fault: string | undefined;
      try {
        fault = faultAt(recipe, point, shapes);
      } catch (error) {
        if (!(error instanceof TensorRTError)) throw error;
        fault = error.message;
      }
      if (fault) refuseNode(node, at + fault);
    }
  }
}

/** TensorRT lets one layer update a tensor in place. */
function requireOneWriter(node: Node, { aliases, inputs }: Definition, updated: Map<ValueId, string>): void {
  for (const input of aliases.values()) {
    const id = node.inputs[inputs.indexOf(input)]!;
    const other = updated.get(id);
    if (other !== undefined) refuseNode(node, `updates input '${input}' in place, which layer '${other}' does already`);
    updated.set(id, node.name);
  }
}

/** Sizes and elements of the inputs; undefined where they depend on data, or contradict each other. */
function pointOf(
  node: Node,
  inputs: readonly RuleInput[],
  roles: readonly { isShape: boolean }[],
  sizes: ProfilePoint['sizes'],
  elements: ProfilePoint['elements'],
): RecipePoint | undefined {
  const evaluated = (dims: readonly Dim[]) => dims.map((dim) => evaluateDim(dim, sizes));
  const isSize = (size: number | undefined) => size !== undefined && size >= 0;
  const dims = inputs.map(({ shape }) => evaluated(shape));
  if (!dims.flat().every(isSize)) return undefined;
  const values = inputs.map(({ shape, contents }, i) => {
    if (!roles[i]!.isShape) return [];
    const given = contents ? evaluated(contents) : elements.get(node.inputs[i]!);
    const list = given ?? Array<undefined>((shape[0] ?? 1) as number).fill(undefined);
    return list.map((value) => (value === undefined ? undefined : BigInt(value)));
  });
  if (values.flat().includes(undefined)) return undefined;
  return { dims: dims as number[][], values: values as bigint[][] };
}
