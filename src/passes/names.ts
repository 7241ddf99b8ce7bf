import type { ValueId } from '../dsl/ir.js';
import { outputName } from '../dsl/layer-names.js';
import { suggestion } from '../errors/nearest.js';
import { refuse } from '../errors/refusal.js';
import type { Source } from './layer.js';
import { allNodes } from './recorder.js';

/** Values of the outermost graph by name. A layer's name still finds an output that was given another. */
class Names {
  readonly #given = new Map<string, Set<ValueId>>();
  readonly #ofLayers = new Map<string, ValueId>();

  constructor({ inputs, nodes, outputs }: Source['graph']) {
    const io = new Set<ValueId>();
    for (const { id, name } of [...inputs, ...outputs]) {
      this.#give(name, id);
      io.add(id);
    }
    for (const node of nodes) {
      for (const [i, { id }] of node.outputs.entries()) {
        const name = outputName(node.name, i, node.outputs.length);
        if (!io.has(id)) this.#give(name, id);
        else if (!this.#ofLayers.has(name)) this.#ofLayers.set(name, id);
      }
    }
  }

  #give(name: string, id: ValueId): void {
    const ids = this.#given.get(name);
    if (ids) ids.add(id);
    else this.#given.set(name, new Set([id]));
  }

  find(name: string): ValueId[] {
    const ids = this.#given.get(name);
    if (ids) return [...ids];
    const id = this.#ofLayers.get(name);
    return id === undefined ? [] : [id];
  }

  *all(): Generator<string> {
    yield* this.#given.keys();
    yield* this.#ofLayers.keys();
  }
}

/**
 * The value of the outermost graph that a name means: that of an input, of an output or of the layer that made it.
 * @throws ERR_NAME, ERR_NESTED_TENSOR
 */
export function valueNamed({ graph }: Source, name: string, method: string, option: string): ValueId {
  const names = new Names(graph);
  const found = names.find(name);
  if (found.length === 1) return found[0]!;
  const facts = { option, actual: name };
  if (found.length > 1) refuse(method, 'ERR_NAME', `${found.length} tensors have the name '${name}'`, facts);
  for (const outer of graph.nodes) {
    const bodies = Object.values(outer.bodies ?? {});
    const isInside = bodies.some((body) =>
      Array.from(allNodes(body)).some(({ name: layer, outputs }) =>
        outputs.some((_, i) => outputName(layer, i, outputs.length) === name),
      ),
    );
    if (!isInside) continue;
    const where = `'${name}' belongs to the body of ${outer.kind} '${outer.name}': return it from the body`;
    refuse(method, 'ERR_NESTED_TENSOR', where, facts);
  }
  return refuse(method, 'ERR_NAME', `the network has no tensor '${name}'${suggestion(name, names.all())}`, facts);
}

/** Makes names unique, in the order of the calls. */
export function uniqueNames(taken: Set<string>): (name: string) => string {
  return (name) => {
    let unique = name;
    for (let n = 1; taken.has(unique); n++) unique = `${name}_${n}`;
    taken.add(unique);
    return unique;
  };
}
