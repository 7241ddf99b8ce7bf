import {
  attr,
  definePlugin,
  float32,
  int32,
  type Network,
  network,
  type PluginDefinition,
  type Tensor,
} from '../../src/index.js';
import { type OwnParams, recipeOf } from '../../src/plugin/layer.js';
import type { Recipe } from '../../src/plugin/recipe.js';

let count = 0;

type Loose = Record<string, unknown>;

/** A definition that is right: one input, one output of its shape, one launch. Every one has a name of its own. */
export const plain = (changes: Loose = {}): Loose => ({
  name: `Plain${++count}`,
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }: { x: { shape: unknown } }) => ({ y: x.shape }),
  cuda: '__global__ void k(const float* x, float* y) {}',
  launch: ({ x, y }: Loose) => [{ kernel: 'k', grid: 1, block: 1, args: [x, y] }],
  ...changes,
});

/** Defines what types would refuse. */
export const define = (changes: Loose = {}) =>
  definePlugin(
    plain(changes) as unknown as PluginDefinition<
      'x',
      never,
      Record<never, never>,
      { x: 'float32'; y: 'float32' },
      object
    >,
  );

/** Records a plugin with one input of [n, 4]. */
export function record(changes: Loose = {}, attributes: Loose = {}): { net: Network; recipe: Recipe; y: Tensor } {
  const net = network('plugin', { x: float32('n', 4) });
  const y = net.tensor().plugin(define(changes), attributes as never) as Tensor;
  return { net, y, recipe: recipeIn(net) };
}

/** The recipe of a network's last layer. */
export function recipeIn(net: Network): Recipe {
  const node = net.graph.nodes.at(-1)!;
  return recipeOf(
    node.params as unknown as OwnParams,
    node.inputs.map((id) => net.tensorOf(id!)!),
  );
}

export { attr, int32 };
