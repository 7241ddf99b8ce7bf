import type { ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { checkUsable } from '../dsl/recording.js';
import { Tensor } from '../dsl/tensor.js';
import { publicMethod } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { type Dim, isUnknown } from '../values/dim.js';
import { parseDim } from '../values/dim-parse.js';
import { usesOf } from './layer.js';
import { uniqueNames, valueNamed } from './names.js';
import { Recorder } from './recorder.js';
import { requireNetwork } from './refuse.js';

/** A tensor of the network, or its name: that of an input, of an output or of the layer that made it. */
export type TensorRef = Tensor | string;
/** Tensors by their own names, or by the names given. */
export type TensorRefs = readonly TensorRef[] | Readonly<Record<string, TensorRef>>;

/** Options of `extract`. */
export interface ExtractOptions {
  /** Where to cut the network: these tensors become inputs. The network's own inputs stay if they are needed. */
  inputs?: TensorRefs;
  /** Default: the network's outputs. */
  outputs?: TensorRefs;
  /** Name of the new network. Default: the old one's. */
  name?: string;
}

interface Cut {
  tensor: Tensor;
  /** The name the caller gave, or its name as an output. */
  name?: string;
}

/** Finds the tensor that a reference names. */
function resolve(net: Network, ref: unknown, what: string): Tensor {
  if (typeof ref === 'string') return net.tensorOf(valueNamed(net, ref, 'extract', what))!;
  if (!(ref instanceof Tensor)) {
    return refuse('extract', 'ERR_INPUT', `expected a tensor or its name, given ${show(ref)}`, {
      option: what,
      actual: ref,
    });
  }
  checkUsable(net, ref, 'extract', { option: what });
  const isOutermost = net.graph.nodes.some(({ outputs }) => outputs.some(({ id }) => id === ref.id));
  if (!isOutermost && !net.inputs.includes(ref)) {
    refuse('extract', 'ERR_NESTED_TENSOR', `${ref} belongs to the body of a loop or conditional`, { option: what });
  }
  return ref;
}

function cutsOf(net: Network, refs: unknown, what: string): Cut[] {
  if (Array.isArray(refs)) {
    const tensors = refs.map((ref, i) => resolve(net, ref, `${what}[${i}]`));
    return [...new Set(tensors)].map((tensor) => ({ tensor }));
  }
  if (typeof refs !== 'object' || refs === null || refs instanceof Tensor) {
    return refuse('extract', 'ERR_PARAMETER', `expected a list or an object, given ${show(refs)}`, { option: what });
  }
  return Object.entries(refs).map(([name, ref]) => ({ tensor: resolve(net, ref, `${what}.${name}`), name }));
}

/** The layers that `wanted` values depend on, up to the cuts. Adds the values these layers use to `wanted`. */
function neededFor(net: Network, wanted: Set<ValueId>, cut: ReadonlySet<ValueId>): Set<RecordedNode> {
  const needed = new Set<RecordedNode>();
  for (const node of net.graph.nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => wanted.has(id) && !cut.has(id))) continue;
    needed.add(node);
    for (const id of usesOf(node)) wanted.add(id);
  }
  return needed;
}

const unknownName = /[\p{L}_][\p{L}\p{N}_.:-]*\?\d+/gu;

/** Renames sizes that depend on the data, because the sizes of an input must be nameable. */
function nameableDims(tensors: readonly Tensor[]): (dim: Dim) => Dim {
  const dims = tensors.flatMap(({ shape }) => shape).filter((dim) => typeof dim === 'string');
  const unique = uniqueNames(new Set(dims));
  const names = new Map<string, string>();
  return (dim) => {
    if (typeof dim === 'number' || !isUnknown(dim)) return dim;
    const text = dim.replace(unknownName, (symbol) => {
      if (!names.has(symbol)) names.set(symbol, unique(symbol.slice(0, symbol.indexOf('?'))));
      return names.get(symbol)!;
    });
    return parseDim(text) ?? text;
  };
}

/**
 * Returns the part of a network that `outputs` depend on, cut off at `inputs`, as a network of its own. `net` is not
 * changed. The new inputs keep their tensors' dtypes, shapes, dynamic dims and known elements, so feed them what the whole
 * network would compute. Assertions are left out. Names that are already taken get a number.
 * ```ts
 * const head = extract(net, { outputs: ['block3'] });
 * const tail = extract(net, { inputs: ['block3'] });
 * ```
 * @throws ERR_NAME if no tensor, or more than one, has a name; ERR_NO_OUTPUT; ERR_DUPLICATE_NAME; ERR_FOREIGN_TENSOR,
 *   ERR_NESTED_TENSOR, ERR_INPUT, ERR_PARAMETER
 * @function
 */
export const extract = publicMethod('extract', (net: Network, options: ExtractOptions = {}): Network => {
  requireNetwork(net, 'extract');
  checkOptions(options, ['inputs', 'outputs', 'name'], 'extract');
  const inputs = cutsOf(net, options.inputs ?? [], 'inputs');
  const outputs =
    options.outputs === undefined ? [...net.outputs] : named(net, cutsOf(net, options.outputs, 'outputs'));
  if (outputs.length === 0) {
    refuse('extract', 'ERR_NO_OUTPUT', `expected an output, and network '${net.name}' has none: name one in outputs`);
  }
  const cut = new Set(inputs.map(({ tensor }) => tensor.id));
  const twice = inputs.find(({ tensor }, i) => inputs.findIndex((other) => other.tensor === tensor) !== i);
  if (twice) refuse('extract', 'ERR_INPUT', `${twice.tensor} is given twice`, { option: `inputs.${twice.name}` });
  const wanted = new Set(outputs.map(({ tensor }) => tensor.id));
  const needed = neededFor(net, wanted, cut);
  const own = net.inputs.filter(({ id }) => wanted.has(id) && !cut.has(id));

  const recorder: Recorder = new Recorder(net, options.name ?? net.name, (node, depth) =>
    depth > 0 || needed.has(node) ? recorder.record(node) : [],
  );
  const given = [...inputs, ...outputs].flatMap(({ name }) => name ?? []);
  const unique = uniqueNames(new Set([...own.map(({ name }) => name), ...given]));
  const nameable = nameableDims([...own, ...inputs.map(({ tensor }) => tensor)]);
  for (const { id, name } of own) recorder.input(id, name);
  for (const { tensor, name } of inputs) {
    recorder.input(tensor.id, name ?? unique(tensor.name), tensor.shape.map(nameable));
  }
  recorder.nodes(net.graph.nodes);
  for (const { tensor, name } of outputs) recorder.output(tensor.id, name ?? unique(tensor.name));
  return recorder.finish();
});

/** Outputs keep their names. */
const named = (net: Network, cuts: readonly Cut[]): Cut[] =>
  cuts.map(({ tensor, name }) => ({ tensor, name: name ?? net.outputs.find((one) => one.tensor === tensor)?.name }));
