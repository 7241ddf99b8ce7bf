import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { usesOf } from '../passes/layer.js';
import type { Shape } from '../values/dim.js';
import { type Depth, roundoffs } from './thresholds.js';

/** Kinds that move elements or compute integers: they do not round. */
export const exactKinds: ReadonlySet<string> = new Set([
  'assertion',
  'concatenation',
  'constant',
  'fill',
  'gather',
  'identity',
  'if_conditional',
  'non_zero',
  'one_hot',
  'padding',
  'reverse_sequence',
  'scatter',
  'select',
  'shape',
  'shuffle',
  'slice',
  'squeeze',
  'topk',
  'unsqueeze',
]);

const none: Depth = { layers: 0, terms: 0, roundoff: 0 };

/** What the rounding errors of every value of the outermost graph grow with. The layers of a loop's body count once. */
export function depthsOf(net: Network): ReadonlyMap<ValueId, Depth> {
  const depths = new Map<ValueId, Depth>(
    net.inputs.map(({ id, dtype }) => [id, { ...none, roundoff: roundoffs[dtype] ?? 0 }]),
  );
  visit(net, net.graph.nodes, depths);
  return depths;
}

function visit(net: Network, nodes: readonly RecordedNode[], depths: Map<ValueId, Depth>): void {
  for (const node of nodes) {
    for (const { nodes: inner } of Object.values(node.bodies ?? {})) visit(net, inner, depths);
    const from = Array.from(usesOf(node), (id) => depths.get(id) ?? none);
    const most = (key: keyof Depth) => from.reduce((most, one) => Math.max(most, one[key]), 0);
    const rounds = !exactKinds.has(node.kind);
    const layers = most('layers') + (rounds ? 1 : 0);
    const terms = most('terms') + (rounds ? termsOf(net, node) : 0);
    for (const { id, dtype } of node.outputs) {
      depths.set(id, { layers, terms, roundoff: Math.max(most('roundoff'), roundoffs[dtype] ?? 0) });
    }
  }
}

/** Where a size is dynamic. */
const typical = 256;
const product = (sizes: Shape): number =>
  sizes.reduce<number>((all, size) => all * (typeof size === 'number' ? size : typical), 1);

/** How many elements are summed for one element of a layer's output. */
function termsOf(net: Network, node: RecordedNode): number {
  const { kind, inputs, weights, params } = node;
  const shape = inputs[0] == null ? undefined : net.tensorOf(inputs[0])?.shape;
  const kernel = weights.kernel === undefined ? undefined : net.weights[weights.kernel]?.shape;
  if (!shape) return 1;
  const along = (axes: readonly number[]) => product(axes.map((axis) => shape[axis] ?? 1));
  switch (kind) {
    case 'matrix_multiply':
      return product([shape.at(params.operationA === 'transpose' ? -2 : -1) ?? 1]);
    case 'convolution':
    case 'deconvolution':
      return kernel ? product(kernel.slice(1)) : typical;
    case 'pooling':
      return product(params.kernel as number[]);
    case 'normalization':
    case 'reduce':
      return along(params.axes as number[]);
    case 'softmax':
    case 'cumulative':
      return along([params.axis as number]);
    case 'attention':
    case 'einsum':
    case 'loop':
    case 'lrn':
    case 'plugin':
    case 'ragged_softmax':
      return typical;
    default:
      return 1;
  }
}
