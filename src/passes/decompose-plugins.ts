import type { Network, RecordedNode } from '../dsl/network.js';
import { checkUsable } from '../dsl/recording.js';
import { Tensor } from '../dsl/tensor.js';
import { callUser, publicMethod } from '../errors/boundary.js';
import { locate } from '../errors/call-site.js';
import { show, TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { checkOptions } from '../errors/options.js';
import { thrown } from '../errors/thrown.js';
import type { Definition } from '../plugin/definition.js';
import { attributeValues, isOwn, type OwnParams, type PluginParams } from '../plugin/layer.js';
import { definitionOf, findDefinition } from '../plugin/registry.js';
import { type Dim, dimNames, evaluateDim, formatShape, isUnknown } from '../values/dim.js';
import type { Source } from './layer.js';
import { type Outputs, Recorder } from './recorder.js';
import { factsOf, refuseLayer, requireNetwork } from './refuse.js';

export interface Decomposing {
  /** Which plugins are replaced; default: all. `depth`: the number of loops and conditionals around it. */
  wants?: ((node: RecordedNode, depth: number) => boolean) | undefined;
  /** Why they have to be, for messages. */
  why?: string | undefined;
}

type Nodes = { readonly nodes: readonly RecordedNode[] };

/** Plugins with the number of loops and conditionals around them. */
function* pluginsIn({ nodes }: Nodes, depth = 0): Generator<[node: RecordedNode, depth: number]> {
  for (const node of nodes) {
    for (const body of Object.values(node.bodies ?? {})) yield* pluginsIn(body, depth + 1);
    if (node.kind === 'plugin') yield [node, depth];
  }
}

/** Whether there is such a plugin, also in loops and conditionals. */
export function hasPlugins(graph: Nodes, wants: Decomposing['wants'] = () => true): boolean {
  for (const [node, depth] of pluginsIn(graph)) if (wants(node, depth)) return true;
  return false;
}

/** Whether layers can stand for a plugin. */
export function hasLayers({ params }: RecordedNode): boolean {
  const own = params as unknown as PluginParams;
  return isOwn(own) && findDefinition(own.definition.name, own.definition.version)?.decompose !== undefined;
}

/** Decompositions may be made of plugins. */
const mostRounds = 16;

/** Records a network again, with the layers of their decompositions in place of plugins. @throws ERR_UNSUPPORTED, ERR_PLUGIN */
export function decomposed(source: Source, name: string, { wants = () => true, why }: Decomposing = {}): Network {
  const isWanted = (node: RecordedNode, depth: number) => node.kind === 'plugin' && wants(node, depth);
  let from = source;
  for (let round = 0; ; round++) {
    const recorder: Recorder = new Recorder(from, name, (node, depth) => {
      if (!isWanted(node, depth)) return recorder.record(node);
      if (round < mostRounds) return decompose(recorder, node, why);
      return refuseLayer(
        node,
        'ERR_PLUGIN',
        `its decomposition never ends: after ${mostRounds} rounds there are plugins`,
      );
    });
    const net = recorder.whole();
    if (!hasPlugins(net.graph, wants)) return net;
    from = net;
  }
}

function decompose(recorder: Recorder, node: RecordedNode, why: string | undefined): Outputs {
  const params = node.params as unknown as PluginParams;
  const because = why === undefined ? '' : `${why}, and `;
  const help = 'build with TensorRT 10 or 11';
  if (!isOwn(params)) {
    const { name, version } = params.creator;
    return refuseLayer(
      node,
      'ERR_UNSUPPORTED',
      `${because}'${name}' ${version} has no layers to stand for it: ${help}`,
    );
  }
  const { name, version } = params.definition;
  const definition = definitionOf(name, version);
  if (!definition.decompose) {
    const said = `${because}plugin '${name}' ${version} has no decompose: give its definition one, or ${help}`;
    return refuseLayer(node, 'ERR_UNSUPPORTED', said);
  }
  const given = recordLayers(recorder, node, definition, params);
  return checkOutputs(recorder, node, definition, given);
}

/** An error of a plugin with its definition's name, if its layer has another. */
function refusePlugin(node: RecordedNode, { name }: Definition, said: string, cause?: unknown): never {
  const text = name === node.name ? said : `${name}: ${said}`;
  throw new TensorRTError('ERR_PLUGIN', text, { ...factsOf(node), source: locate(node.callSite), cause });
}

function recordLayers(recorder: Recorder, node: RecordedNode, definition: Definition, params: OwnParams): unknown {
  const inputs = recorder.inputs(node);
  const named = Object.freeze(Object.fromEntries(definition.inputs.map((name, i) => [name, inputs[i]!])));
  const attributes = attributeValues(definition, params.attributes);
  const rule = definition.decompose as unknown as (inputs: unknown, attributes: unknown) => unknown;
  try {
    return recorder.target.inPlaceOf(node.name, () => callUser(() => rule(named, attributes)));
  } catch (cause) {
    return refusePlugin(node, definition, `its decompose threw: ${thrown(cause)}`, cause);
  }
}

/** One tensor for each output, of the dtype and shape that the plugin's rules give it. */
function checkOutputs(recorder: Recorder, node: RecordedNode, definition: Definition, given: unknown): Outputs {
  const { outputs: names } = definition;
  const list = `{ ${names.join(', ')} }`;
  if (given instanceof Promise) given.catch(() => {});
  if (typeof given !== 'object' || given === null || given instanceof Tensor || given instanceof Promise) {
    return refusePlugin(node, definition, `expected its decompose to return ${list}, given ${show(given)}`);
  }
  const odd = Object.keys(given).find((key) => !names.includes(key));
  if (odd !== undefined) {
    const said = `its decompose returned '${odd.slice(0, 200)}', expected ${list}${suggestion(odd, names)}`;
    return refusePlugin(node, definition, said);
  }
  return names.map((name, i) => {
    const tensor = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined;
    const where = `output '${name}' of its decompose`;
    if (!(tensor instanceof Tensor))
      return refusePlugin(node, definition, `${where}: expected a tensor, given ${show(tensor)}`);
    checkUsable(recorder.target, tensor, 'plugin', factsOf(node));
    const { dtype, shape } = node.outputs[i]!;
    const fits = tensor.shape.length === shape.length && shape.every((dim, axis) => mayEqual(dim, tensor.shape[axis]!));
    if (tensor.dtype !== dtype || !fits) {
      const [expected, actual] = [`${dtype}${formatShape(shape)}`, `${tensor.dtype}${formatShape(tensor.shape)}`];
      const said = `${where}: expected ${expected}, as its rules say, given ${actual} by '${tensor.name}'`;
      return refusePlugin(node, definition, said);
    }
    return tensor;
  });
}

const samples = [1, 2, 3, 5, 7, 16, 33, 64, 100];

/** Whether two dims are equal at some sizes of their names; one that only the data tells may be any. */
function mayEqual(a: Dim, b: Dim): boolean {
  if (a === b || isUnknown(a) || isUnknown(b)) return true;
  const names = [...new Set([...dimNames(a), ...dimNames(b)])];
  return samples.every((_, round) => {
    const sizes = Object.fromEntries(names.map((name, i) => [name, samples[(round + 4 * i) % samples.length]!]));
    return evaluateDim(a, sizes) === evaluateDim(b, sizes);
  });
}

/** Options of `decomposePlugins`. */
export interface DecomposeOptions {
  /** Name of the new network. Default: the old one's. */
  name?: string | undefined;
}

/**
 * Returns a copy of a network in which layers stand for its plugins, also inside loops and conditionals: what the `decompose` of
 * their definitions records, named after the plugin (`norm.reduce`). `net` is not changed. `net.build({ decomposePlugins: true })`
 * does the same; TensorRT-RTX has no plugin layers, so there it always happens.
 * @throws ERR_UNSUPPORTED for a plugin without `decompose`; ERR_PLUGIN if one throws, or gives other dtypes or shapes than the
 *   plugin's rules
 * @function
 */
export const decomposePlugins = publicMethod(
  'decomposePlugins',
  (net: Network, options: DecomposeOptions = {}): Network => {
    requireNetwork(net, 'decomposePlugins');
    checkOptions(options, ['name'], 'decomposePlugins');
    return decomposed(net, options.name ?? net.name);
  },
);
