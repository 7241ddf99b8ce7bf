import { layerKinds } from '../dsl/define-layer.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { checkUsable } from '../dsl/recording.js';
import { Tensor } from '../dsl/tensor.js';
import { callUser, publicMethod } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { isRecord } from '../values/record.js';
import { type Layer, RecordedLayer, type Source } from './layer.js';
import { type LayerChanges, type Outputs, Recorder } from './recorder.js';
import { factsOf, refuseLayer, requireNetwork } from './refuse.js';

/** A layer given to a rule. Its inputs already belong to the new network. */
export interface RuleLayer extends Omit<Layer, 'outputs' | 'bodies'> {
  /** The tensors of the new network that the layer would take. */
  readonly inputs: readonly (Tensor | null)[];
  /** The input at `index`; throws ERR_INPUT if it is absent. */
  input(index: number): Tensor;
  /** The new network. */
  readonly network: Network;
  /** The layer in the network that is being rewritten. */
  readonly original: Layer;
  /** The number of loops and conditionals around it. */
  readonly depth: number;
  /**
   * Records the layer itself, with or without changes, and returns its outputs. If it is a loop or conditional, the rules
   * then see the layers inside it.
   * @throws what recording the layer throws; ERR_PARAMETER for bad changes
   */
  keep(changes?: LayerChanges): Tensor[];
}

/**
 * Replaces the layer's outputs: a tensor, or a list with one tensor per output. Use null for an output that nothing takes
 * any more. If a rule returns nothing, the layer stays.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a rule that ends without `return` keeps the layer.
export type Replacement = Tensor | readonly (Tensor | null)[] | undefined | void;
/** A rule of `rewrite`. What it returns takes the layer's place. */
export type Rule = (layer: RuleLayer) => Replacement;
/** A rule for all layers, or rules by layer kind. */
export type RuleSet = Rule | Readonly<Record<string, Rule>>;

/** Options of `rewrite`. */
export interface RewriteOptions {
  /** Name of the new network. Default: the old one's. */
  name?: string;
}

/** The rules for a kind. */
function rulesFor(given: RuleSet | readonly RuleSet[]): (kind: string) => Rule[] {
  const sets = (Array.isArray(given) ? given : [given]) as readonly RuleSet[];
  for (const set of sets) {
    if (typeof set === 'function') continue;
    if (!isRecord(set)) refuse('rewrite', 'ERR_PARAMETER', `expected rules, given ${show(set)}`, { actual: set });
    for (const [kind, rule] of Object.entries(set)) {
      if (!layerKinds.has(kind)) {
        const kinds = [...layerKinds.keys()].sort();
        refuse('rewrite', 'ERR_PARAMETER', `there is no layer kind '${kind}'; there are ${kinds.join(', ')}`, {
          expected: kinds,
          actual: kind,
        });
      }
      if (typeof rule !== 'function') {
        refuse('rewrite', 'ERR_PARAMETER', `expected a function, given ${show(rule)}`, { option: kind, actual: rule });
      }
    }
  }
  return (kind) =>
    sets.flatMap((set) => {
      const rule = typeof set === 'function' ? set : Object.hasOwn(set, kind) ? set[kind] : undefined;
      return rule ? [rule] : [];
    });
}

class Rewriting {
  readonly #recorder: Recorder;
  readonly #rulesOf: (kind: string) => Rule[];

  constructor(net: Network, name: string, rules: RuleSet | readonly RuleSet[]) {
    this.#rulesOf = rulesFor(rules);
    this.#recorder = new Recorder(net, name, (node, depth) => this.#outputs(node, depth));
  }

  run(): Network {
    return this.#recorder.whole();
  }

  /** The first rule that returns something decides. */
  #outputs(node: RecordedNode, depth: number): Outputs {
    for (const rule of this.#rulesOf(node.kind)) {
      const outputs = this.#apply(rule, node, depth);
      if (outputs) return outputs;
    }
    return this.#recorder.record(node);
  }

  #apply(rule: Rule, node: RecordedNode, depth: number): Outputs | undefined {
    const { source, target } = this.#recorder;
    const original = new RecordedLayer(source, node);
    let kept: Tensor[] | undefined;
    const inputs = this.#recorder.inputs(node);
    const layer: RuleLayer = {
      name: node.name,
      kind: node.kind,
      params: original.params,
      weights: original.weights,
      source: original.source,
      inputs,
      input: (index) => inputs[index] ?? refuseLayer(node, 'ERR_INPUT', `input ${show(index)} is missing`),
      network: target,
      original,
      depth,
      keep: publicMethod('keep', (changes: LayerChanges = {}) => {
        checkChanges(changes);
        const outputs = this.#recorder.record(node, changes);
        kept ??= outputs;
        return outputs;
      }),
    };
    const before = sizeOf(source);
    const given = target.inPlaceOf(node.name, () => callUser(() => rule(layer)));
    if (sizeOf(source) !== before) {
      const why = 'its rule changed the network that is being rewritten: use layer.inputs and layer.network';
      refuseLayer(node, 'ERR_FOREIGN_TENSOR', why);
    }
    return given === undefined ? kept : this.#check(node, given);
  }

  #check(node: RecordedNode, given: unknown): Outputs {
    const outputs: readonly unknown[] = Array.isArray(given) ? given : [given];
    const { length } = node.outputs;
    for (const tensor of outputs) {
      if (tensor === null && Array.isArray(given)) continue;
      if (!(tensor instanceof Tensor)) {
        const expected = 'expected a tensor, a list of tensors or nothing from its rule';
        refuseLayer(node, 'ERR_INPUT', `${expected}, given ${show(tensor)}`, { actual: tensor });
      }
      const facts = { ...factsOf(node), method: `the rule for ${node.kind}` };
      checkUsable(this.#recorder.target, tensor, 'rewrite', facts);
    }
    if (outputs.length !== length) {
      refuseLayer(node, 'ERR_OUTPUT', `expected ${length} tensors from its rule, given ${outputs.length}`, {
        expected: length,
        actual: outputs.length,
      });
    }
    return outputs as Outputs;
  }
}

/** Differs after any change to the source. */
const sizeOf = ({ graph: { inputs, nodes, outputs }, weights }: Source): string =>
  [inputs, nodes, outputs, weights].map(({ length }) => length).join();

function checkChanges(changes: LayerChanges): void {
  checkOptions(changes, ['name', 'inputs', 'params', 'weights'], 'keep');
  const { inputs, params = {}, weights = {} } = changes;
  if (inputs !== undefined && !Array.isArray(inputs)) {
    refuse('keep', 'ERR_PARAMETER', `expected a list, given ${show(inputs)}`, { option: 'inputs', actual: inputs });
  }
  for (const [name, value] of Object.entries({ params, weights })) {
    if (!isRecord(value)) refuse('keep', 'ERR_PARAMETER', `expected an object, given ${show(value)}`, { option: name });
  }
}

/**
 * Rewrites a network by rules and returns the new one. `net` is not changed. Every layer is recorded again, in order, so
 * dtypes and shapes follow the rules' changes. The first rule that returns something decides what replaces a layer:
 * ```ts
 * rewrite(net, { activation: (layer) => layer.input(0).gelu() }); // replaces
 * rewrite(net, { identity: (layer) => layer.input(0) }); // removes
 * rewrite(net, { convolution: (layer) => layer.keep()[0]!.relu() }); // appends
 * ```
 * Rules do not see the layers that rules record. Those are named after the replaced layer (`conv1.activation`); they may
 * also take its name: `{ name: layer.name }`. Weights are shared. Layers that stay keep their names and source locations.
 * @throws ERR_INPUT, ERR_PARAMETER, ERR_OUTPUT if a rule returns something invalid; ERR_FOREIGN_TENSOR if it uses tensors
 *   of another network; ERR_NESTED_TENSOR if it uses those of another body; and the errors of layers that refuse new inputs
 * @function
 */
export const rewrite = publicMethod(
  'rewrite',
  (net: Network, rules: RuleSet | readonly RuleSet[], options: RewriteOptions = {}): Network => {
    requireNetwork(net, 'rewrite');
    checkOptions(options, ['name'], 'rewrite');
    return new Rewriting(net, options.name ?? net.name, rules).run();
  },
);

/** Copies a network: the same inputs, layers, outputs and weights. What is recorded later in one is not in the other. @function */
export const copy = publicMethod('copy', (net: Network, options: RewriteOptions = {}): Network => {
  requireNetwork(net, 'copy');
  checkOptions(options, ['name'], 'copy');
  return new Recorder(net, options.name ?? net.name).whole();
});
