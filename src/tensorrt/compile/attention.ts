import type { RecordedNode } from '../../dsl/network.js';
import type { BuildOptions } from './options.js';
import type { Taken } from './program.js';

/** The nodes, with another `decomposable` of every attention; those without any stay the same objects. */
function withDecomposable(nodes: readonly RecordedNode[], decomposable: boolean): readonly RecordedNode[] {
  return nodes.map((node) => {
    if (node.kind === 'attention') return { ...node, params: { ...node.params, decomposable } };
    if (!node.bodies) return node;
    const bodies = Object.entries(node.bodies).map(([role, body]) => {
      const inner = withDecomposable(body.nodes, decomposable) as typeof body.nodes;
      return [role, inner.some((one, i) => one !== body.nodes[i]) ? { ...body, nodes: inner } : body] as const;
    });
    return bodies.some(([role, body]) => body !== node.bodies![role])
      ? { ...node, bodies: Object.fromEntries(bodies) }
      : node;
  });
}

/** The network whose attention may or must not be several kernels, if the option says so. */
export function withAttention(network: Taken, how: BuildOptions['decomposeAttention']): Taken {
  if (how !== 'never' && how !== 'may') return network;
  return { ...network, nodes: withDecomposable(network.nodes, how === 'may') };
}

/** Methods without which the addon makes an attention of other layers. */
export const attentionMethods = (how: BuildOptions['decomposeAttention']): readonly string[] =>
  how === 'must' ? ['addAttention', 'addAttentionV2'] : [];
