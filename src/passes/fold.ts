import { layerKinds } from '../dsl/define-layer.js';
import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { publicMethod } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { isStatic, isStaticShape, type Shape } from '../values/dim.js';
import { copyOfBytes, type DType, withoutHalves } from '../values/dtype.js';
import { encodeElements } from '../values/elements.js';
import { checkMapping, isWeightLike, mappingOf, type WeightLike } from '../values/weight.js';
import { findAlive, hasEffects } from './dead.js';
import { extract } from './extract.js';
import { usesOf } from './layer.js';
import { allNodes, Recorder } from './recorder.js';
import { refuseLayer, requireNetwork } from './refuse.js';

/** Computes the outputs, by name, of a network without inputs. */
export type Evaluate = (net: Network) => EvaluateResults | Promise<EvaluateResults>;
/** Elements of the network's outputs, by name. */
export type EvaluateResults = Readonly<Record<string, Readonly<WeightLike>>>;

/** Options of `foldConstants`. */
export interface FoldOptions {
  /**
   * Computes layers whose inputs are all constants, e.g. on the CPU backend:
   * `async (part) => { using model = await part.compile({ backend: 'cpu' }); return model.run({}); }`. Without it, only sizes
   * that inference knows exactly are folded.
   */
  evaluate?: Evaluate;
}

/** Dtypes that TensorRT accepts for any constant. */
const storable: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'bool'];
/** Results with more elements than this are folded only if they have no more than their inputs. */
const mostElements = 2 ** 16;

const countOf = (shape: Shape): number => shape.reduce<number>((count, dim) => count * Number(dim), 1);

/** The elements of a small integer tensor that inference knows. */
function knownWeight({ dtype, shape, contents }: Tensor): WeightLike | undefined {
  if (!contents?.every(isStatic) || !isStaticShape(shape) || countOf(shape) !== contents.length) return undefined;
  if (dtype !== 'int32' && dtype !== 'int64') return undefined;
  if (dtype === 'int32' && contents.some((value) => value !== (value | 0))) return undefined;
  return { dtype, shape, data: encodeElements(dtype, contents) };
}

/** Constants that replace values, by id, and the layers they replace. */
interface Constants {
  weights: Map<ValueId, WeightLike>;
  folded: Set<RecordedNode>;
}

/** Constants for the sizes that inference knows. */
function knownConstants(net: Network): Constants {
  const constants: Constants = { weights: new Map(), folded: new Set() };
  for (const node of allNodes(net.graph)) {
    if (node.kind === 'constant' || node.bodies || node.outputs.length === 0 || !isFoldable(node)) continue;
    const weights = node.outputs.map(({ id }) => knownWeight(net.tensorOf(id)!));
    if (!weights.every((weight) => weight !== undefined)) continue;
    constants.folded.add(node);
    for (const [i, { id }] of node.outputs.entries()) constants.weights.set(id, weights[i]!);
  }
  return constants;
}

/** The layers of the outermost graph that depend only on constants. */
function computableLayers(net: Network): Set<RecordedNode> {
  const computable = new Set<RecordedNode>();
  const counts = new Map<ValueId, number>();
  for (const node of net.graph.nodes) {
    if (node.kind !== 'constant') {
      if (!isFoldable(node) || !isComputable(node, counts)) continue;
      computable.add(node);
    }
    for (const { id, shape } of node.outputs) counts.set(id, isStaticShape(shape) ? countOf(shape) : 0);
  }
  return computable;
}

/** @param counts the number of elements of every value that depends only on constants */
function isComputable(node: RecordedNode, counts: ReadonlyMap<ValueId, number>): boolean {
  const inside = new Set<ValueId>();
  for (const { bodies = {}, outputs } of allNodes({ nodes: [node] })) {
    for (const { id } of [...outputs, ...Object.values(bodies).flatMap(({ inputs }) => inputs)]) inside.add(id);
  }
  let given = 0;
  for (const id of new Set(usesOf(node))) {
    if (inside.has(id)) continue;
    const count = counts.get(id);
    if (count === undefined) return false;
    given += count;
  }
  const most = Math.max(mostElements, given);
  const fits = (shape: Shape) => !isStaticShape(shape) || countOf(shape) <= most;
  return node.outputs.length > 0 && node.outputs.every(({ dtype, shape }) => storable.includes(dtype) && fits(shape));
}

/** Evaluates the layers that depend only on constants, for the values that other layers or outputs take. */
async function computedConstants(net: Network, evaluate: Evaluate): Promise<Constants> {
  const folded = computableLayers(net);
  const weights = new Map<ValueId, WeightLike>();
  const taken = new Set(net.graph.outputs.map(({ id }) => id));
  for (const node of net.graph.nodes) if (!folded.has(node)) for (const id of usesOf(node)) taken.add(id);
  const wanted = [...folded].flatMap((node) =>
    node.outputs.filter(({ id }) => taken.has(id)).map(({ id }) => ({ node, tensor: net.tensorOf(id)! })),
  );
  if (wanted.length === 0) return { folded: new Set(), weights };
  const outputs = Object.fromEntries(wanted.map(({ tensor }, i) => [`value${i}`, tensor]));
  const results: unknown = await evaluate(extract(net, { outputs, name: `constants of ${net.name}` }));
  for (const [i, { node, tensor }] of wanted.entries()) {
    const result = (results as EvaluateResults | null | undefined)?.[`value${i}`];
    weights.set(tensor.id, checkResult(node, tensor, result));
  }
  return { folded, weights };
}

function checkResult(node: RecordedNode, { dtype, shape }: Tensor, result: unknown): WeightLike {
  const expected = `${dtype}[${shape.join(', ')}]`;
  if (!isWeightLike(result)) {
    refuseLayer(node, 'ERR_INPUT', `expected ${expected}, given ${show(result)}`, {
      option: 'evaluate',
      actual: result,
    });
  }
  // Copy it: its owner may be disposed.
  const { dtype: type, shape: sizes } = result;
  const given = withoutHalves(result.data);
  // A Buffer's `slice` does not copy.
  const data = given instanceof Uint8Array ? copyOfBytes(given) : given.slice();
  checkMapping(mappingOf(given));
  const weight = { dtype: type, shape: [...sizes], data };
  const fits = sizes.length === shape.length && shape.every((dim, i) => !isStatic(dim) || dim === sizes[i]);
  if (type !== dtype || !fits) {
    const actual = `${type}[${sizes.join(', ')}]`;
    refuseLayer(node, 'ERR_INPUT', `expected ${expected}, given ${actual}`, { option: 'evaluate', expected, actual });
  }
  return weight;
}

/** Replaces layers with constants, and drops layers that only the replaced ones used. */
function put(net: Network, { weights, folded }: Constants): Network {
  const before = findAlive(net.graph).nodes;
  const after = findAlive(net.graph, folded).nodes;
  const constant = layerKinds.get('constant')!;
  const recorder: Recorder = new Recorder(net, net.name, (node) => {
    if (before.has(node) && !after.has(node)) return [];
    if (!folded.has(node)) return recorder.record(node);
    return node.outputs.map(({ id }, i) => {
      const value = weights.get(id);
      if (!value) return null;
      const name = node.outputs.length === 1 ? node.name : `${node.name}:${i}`;
      const params = { shape: [...value.shape] };
      return recorder.target.record(constant, { inputs: [], weights: { value }, params, like: { ...node, name } })[0]!;
    });
  });
  return recorder.whole();
}

function isFoldable(node: RecordedNode): boolean {
  if (hasEffects(node)) return false;
  for (const { kind, params } of allNodes({ nodes: [node] })) {
    if (layerKinds.get(kind)!.isFoldable?.(params) === false) return false;
  }
  return true;
}

async function fold(net: Network, evaluate: Evaluate | undefined): Promise<Network> {
  const folded = put(net, knownConstants(net));
  return evaluate ? put(folded, await computedConstants(folded, evaluate)) : folded;
}

/**
 * Returns a copy of a network in which constants replace layers that compute the same in every run. `net` is not changed.
 * The constants keep the layers' names. Sizes that inference knows are always folded. Other layers are folded only with
 * `evaluate`, and only outside loops and conditionals. Their values are exactly what `evaluate` returns, which may differ
 * from TensorRT's in the last bit. These are not folded: random numbers; quantize and dequantize layers, which set
 * TensorRT's precisions; results that would make the network much larger.
 * @throws ERR_INPUT if `evaluate` returns anything but the expected results; whatever `evaluate` throws
 * @function
 */
export const foldConstants = publicMethod(
  'foldConstants',
  (net: Network, options: FoldOptions = {}): Promise<Network> => {
    requireNetwork(net, 'foldConstants');
    checkOptions(options, ['evaluate'], 'foldConstants');
    const { evaluate } = options;
    if (evaluate !== undefined && typeof evaluate !== 'function') {
      refuse('foldConstants', 'ERR_PARAMETER', `expected a function, given ${show(evaluate)}`, { option: 'evaluate' });
    }
    return fold(net, evaluate);
  },
);
