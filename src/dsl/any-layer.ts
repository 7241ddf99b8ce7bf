import { isReadable, publicMethod } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { refuse } from '../errors/refusal.js';
import { isRecord } from '../values/record.js';
import type { WeightLike } from '../values/weight.js';
import { type Fail, layerKinds } from './define-layer.js';
import type { LayerParams } from './ir.js';
import { type Body, Network } from './network.js';
import { checkParams } from './params.js';
import { Tensor } from './tensor.js';

/** The nested graph of a loop or conditional, for `net.layer`. */
export interface AnyBody {
  /** Names of its parameters: those of the kind, in its order. Default: none. */
  inputs?: readonly string[] | undefined;
  /** Records it once, and returns its outputs. */
  record: (...inputs: Tensor[]) => readonly Tensor[];
}

/** A layer as the network keeps it, for `net.layer`. */
export interface AnyLayer {
  /** By TensorRT's input index; null for an absent optional one. */
  inputs?: readonly (Tensor | null)[] | undefined;
  /** TensorRT's parameters, all of them, as `layersOf` and `toJSON` show them. */
  params?: Readonly<Record<string, unknown>> | undefined;
  /** By role: `kernel`, `bias`, `value`, … */
  weights?: Readonly<Record<string, WeightLike>> | undefined;
  /** By role: `body` and `while` of a loop, `then` and `else` of a conditional. */
  bodies?: Readonly<Record<string, AnyBody>> | undefined;
  /** Name of the layer. Default: one made from its kind. */
  name?: string | undefined;
}

const method = 'layer';
const keys = ['inputs', 'params', 'weights', 'bodies', 'name'];

function checkGiven(given: AnyLayer): void {
  if (!isRecord(given)) refuse(method, 'ERR_PARAMETER', `expected a layer's parts, given ${show(given)}`);
  const odd = Object.keys(given).find((key) => !keys.includes(key));
  if (odd !== undefined) {
    const message = `unknown option ${show(odd)}${suggestion(odd, keys) || `; expected ${keys.join(', ')}`}`;
    refuse(method, 'ERR_PARAMETER', message, { expected: keys, actual: odd });
  }
  const { inputs = [], params = {}, weights = {}, bodies = {} } = given;
  if (!Array.isArray(inputs))
    refuse(method, 'ERR_INPUT', `expected a list of tensors, given ${show(inputs)}`, { option: 'inputs' });
  for (const [option, value] of Object.entries({ params, weights, bodies })) {
    if (!isRecord(value) || isReadable in value)
      refuse(method, 'ERR_PARAMETER', `expected an object, given ${show(value)}`, { option, actual: value });
  }
}

/** Records a nested graph. The kind says what its parameters are. */
function record(net: Network, given: AnyBody, types: readonly Pick<Tensor, 'dtype' | 'shape'>[], role: string): Body {
  const option = `bodies.${role}`;
  if (!isRecord(given) || typeof given.record !== 'function')
    return refuse(method, 'ERR_PARAMETER', `expected { inputs, record }, given ${show(given)}`, { option });
  const names: readonly unknown[] = given.inputs ?? [];
  if (!Array.isArray(names) || names.length !== types.length || names.some((name) => typeof name !== 'string')) {
    return refuse(method, 'ERR_PARAMETER', `expected ${types.length} names of inputs, given ${show(given.inputs)}`, {
      option,
    });
  }
  const parameters = types.map((type, i) => ({ name: names[i] as string, type }));
  return net.nest(parameters, (tensors) => {
    const outputs: unknown = given.record(...tensors);
    if (!Array.isArray(outputs))
      refuse(method, 'ERR_OUTPUT', `expected a list of tensors from it, given ${show(outputs)}`, { option });
    return outputs as Tensor[];
  });
}

/** Records a layer of any kind from its parts. */
export function recordAny(net: Network, kind: string, given: AnyLayer): Tensor[] {
  const definition = layerKinds.get(kind);
  if (!definition) {
    const kinds = [...layerKinds.keys()].sort();
    const hint = (typeof kind === 'string' && suggestion(kind, kinds)) || `; there are ${kinds.join(', ')}`;
    return refuse(method, 'ERR_PARAMETER', `there is no layer kind ${show(kind)}${hint}`, {
      expected: kinds,
      actual: kind,
    });
  }
  checkGiven(given);
  const { inputs = [], params = {}, weights = {}, bodies = {}, name } = given;
  const fail: Fail = (code, said, facts) => refuse(method, code, said, facts);
  const nested = Object.entries(bodies);
  for (const [i, tensor] of nested.length > 0 ? inputs.entries() : []) {
    if (tensor !== null && !(tensor instanceof Tensor))
      refuse(method, 'ERR_INPUT', `expected a tensor or null, given ${show(tensor)}`, { option: `inputs[${i}]` });
  }
  const checked = nested.length > 0 ? checkParams(definition, params, fail) : params;
  const graphs = nested.map(([role, body]) => {
    const types = definition.bodyInputs?.(role, checked as LayerParams, inputs, fail) ?? [];
    return [role, record(net, body, types, role)] as const;
  });
  return net.record(definition, {
    method,
    name,
    inputs,
    params: checked as LayerParams,
    weights,
    exact: true,
    ...(graphs.length > 0 && { bodies: Object.fromEntries(graphs) }),
  });
}

declare module './network.js' {
  interface Network {
    /**
     * A layer of any kind from TensorRT's own parameters, as `layersOf` and `toJSON` show it: nothing is derived, and nothing has a default.
     * `toTypeScript` writes it where no other method records the layer. The names of layers in its bodies are not prefixed.
     * @returns its outputs in order
     * @throws ERR_PARAMETER for an unknown kind or wrong parameters; ERR_INPUT, ERR_WEIGHT, ERR_SHAPE, … as the kind's methods
     */
    layer(kind: string, layer: AnyLayer): Tensor[];
  }
}

/** Adds `layer` to networks; called once by the package's entry. */
export function installAnyLayer(): void {
  const layer = publicMethod(method, function layer(this: Network, kind: string, given: AnyLayer) {
    return recordAny(this, kind, given);
  });
  Object.defineProperty(Network.prototype, method, { value: layer, writable: true, configurable: true });
}
