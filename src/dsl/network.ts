import type { z } from 'zod';
import { callUser, readArguments } from '../errors/boundary.js';
import { type CallSite, captureCallSite, currentCall, locate } from '../errors/call-site.js';
import { show, TensorRTError } from '../errors/error.js';
import { refusal, refuse } from '../errors/refusal.js';
import { type Before, cutTo, isUnkept, keep } from '../errors/roll-back.js';
import { isSameShape, takeMeetings } from '../values/dim.js';
import { type IOOptions, type IOTraits, readIOOptions } from '../values/io-options.js';
import { spec, type ValueType } from '../values/spec.js';
import type { Fail, InferredValue, LayerDefinition } from './define-layer.js';
import type { IRGraph, IRNode, IRValue, IRWeight, LayerParams, ValueId, WeightId } from './ir.js';
import { LayerNames, outputName } from './layer-names.js';
import { checkName } from './name.js';
import { checkParams } from './params.js';
import {
  checkShape,
  checkUsable,
  checkWeights,
  inputOf,
  keepMeetings,
  layerNameIn,
  mapValues,
  refuseUint8,
  requireWide,
  valuesTakenIn,
  watched,
} from './recording.js';
import { accumulation, type ScopeOptions } from './scope-options.js';
import { type OwningGraph, Tensor, TensorSource } from './tensor.js';

/** What a layer method passes to `record`. */
export interface Recording<P extends LayerParams> {
  /** By TensorRT's input index; null for an absent optional one. */
  inputs: readonly (Tensor | null | undefined)[];
  params: z.input<LayerDefinition<P>['params']>;
  /** By role; undefined if absent. Checked by `toIRWeight`. */
  weights?: Readonly<Record<string, unknown>>;
  bodies?: Record<string, Body>;
  /** The user's name for the layer. */
  name?: string;
  /** Stem of a generated name if the user gives none. Default: the weights' common prefix, or the kind. */
  hint?: string;
  /** The caller's name for the method, for messages. */
  method?: string;
  /** The layer that this one copies or replaces. This one takes its name (in any scope, unless `name` is given) and its place in the caller's code. */
  like?: { name: string; callSite?: CallSite; method?: string };
  /** Refuses inputs and weights that the kind does not look at. Methods pass none. */
  exact?: true;
}

/** A recorded nested graph. */
export interface Body {
  graph: IRGraph;
  outputs: readonly Tensor[];
}

/** A node, with data that only recording needs. */
export interface RecordedNode extends Omit<IRNode, 'source'> {
  callSite?: CallSite;
  /** The caller's method that recorded it. */
  method?: string;
}

/** A parameter of a nested graph. */
export interface BodyInput {
  name: string;
  type: InferredValue;
  /** The tensor's name in messages. Default: the name, within the scope. */
  tensorName?: string;
}

/** The caller's original for each weight that was taken from a network, so that a copy shares it. */
const origins = new WeakMap<object, unknown>();

interface OpenGraph extends OwningGraph {
  graph: Omit<IRGraph, 'nodes'> & { nodes: RecordedNode[] };
}

/** Previous lengths of the lists, which only grow. */
interface Sizes extends Before {
  nodes: RecordedNode[];
  layers: number;
  inputs: number;
  outputs: number;
  tensors: number;
  weights: number;
  names: number;
  ioNames: number;
  debug: number;
}

const missing = (inputs: Recording<LayerParams>['inputs'], index: number): string =>
  index < inputs.length && inputs[index] === undefined
    ? 'expected a tensor, given undefined'
    : `input ${index} is missing`;

const newGraph = (): OpenGraph => ({ graph: { inputs: [], nodes: [], outputs: [] }, open: true });

/** A network under construction. Layers are recorded in the order of the calls. */
export class Network extends TensorSource {
  /** Name of the network. */
  readonly name: string;
  /** The weights of all layers. Layers refer to them by index. */
  readonly weights: IRWeight[] = [];
  readonly #open: OpenGraph[] = [newGraph()];
  /** @internal */
  readonly names = new LayerNames();
  readonly #ioNames = new Map<ValueId, string>();
  /** @internal Values marked by `tensor.debug()`. */
  readonly debugIds: ValueId[] = [];
  readonly #tensors: Tensor[] = [];
  readonly #weightIds = new Map<unknown, WeightId>();
  /** What callers passed, by weight. */
  readonly #originals: unknown[] = [];
  readonly #sized = new Map<string, Tensor>();
  #scope = '';
  /** @internal What matrix products take that say nothing of it. */
  useFp32Acc: boolean;

  constructor(name: string, options: ScopeOptions = {}) {
    super();
    checkName(name, 'network');
    this.name = name;
    this.useFp32Acc = accumulation(options, 'network') ?? false;
  }

  /** The recorded graph; treat it as read-only. */
  get graph(): Omit<IRGraph, 'nodes'> & { nodes: readonly RecordedNode[] } {
    return this.#open[0]!.graph;
  }

  /** @internal The layers of the innermost graph that is being recorded. */
  get openNodes(): readonly RecordedNode[] {
    return this.#open.at(-1)!.graph.nodes;
  }

  /** @internal What the names of layers recorded now begin with. */
  get prefix(): string {
    return this.#scope;
  }

  /** The inputs, in the order in which they were declared. */
  get inputs(): readonly Tensor[] {
    return this.graph.inputs.map((i) => this.#tensors[i.id]!);
  }

  /** The outputs that were marked, in order. */
  get outputs(): readonly { name: string; tensor: Tensor }[] {
    return this.graph.outputs.map((o) => ({ name: o.name, tensor: this.#tensors[o.id]! }));
  }

  /** Tensors marked by `tensor.debug()`. */
  get debugTensors(): readonly Tensor[] {
    return this.debugIds.map((id) => this.#tensors[id]!);
  }

  /**
   * Adds an input.
   * @throws ERR_DUPLICATE_NAME if an input or output has that name; ERR_SHAPE or ERR_DTYPE for a bad spec; ERR_PARAMETER
   */
  input(name: string, type: ValueType, options: IOOptions = {}): Tensor {
    this.#claimIO(name, 'input');
    if (typeof type !== 'object' || type === null) {
      const expected = "a spec such as float32('batch', 3, 224, 224)";
      refuse(`input '${name}'`, 'ERR_SHAPE', `expected ${expected}, given ${show(type)}`);
    }
    const [value, traits] = readArguments('input', [name, type, options], () => [
      spec(type.dtype, type.shape),
      readIOOptions(options, 'input'),
    ]);
    return this.#addInput(name, value, traits);
  }

  /** @internal An input whose dims may be expressions, and whose elements may be known. */
  inputLike(name: string, value: InferredValue, traits?: IOTraits): Tensor {
    this.#claimIO(name, 'input');
    return this.#addInput(name, value, traits);
  }

  #addInput(name: string, value: InferredValue, traits?: IOTraits): Tensor {
    this.#keep();
    const tensor = this.#newTensor(value, name, this.#open[0]!);
    const { id, dtype, shape } = tensor;
    this.#open[0]!.graph.inputs.push({ id, name, dtype, shape, ...traits });
    this.#ioNames.set(tensor.id, name);
    return tensor;
  }

  /**
   * An input: the one of that name, or the only one, so that layer methods can be called on the network itself.
   * @throws ERR_NO_SINGLE_INPUT, ERR_NAME, ERR_INPUT
   */
  override tensor(name?: string): Tensor {
    return inputOf(this, name);
  }

  /**
   * Prefixes the names of all layers recorded by `body` with `name` and a dot.
   * @throws ERR_NAME, ERR_INPUT, ERR_PARAMETER
   */
  scope<T>(name: string, body: () => T, options: ScopeOptions = {}): T {
    checkName(name, 'scope');
    if (typeof body !== 'function') {
      refuse('scope', 'ERR_INPUT', `expected a function, given ${show(body)}`);
    }
    const outer = [this.#scope, this.useFp32Acc] as const;
    this.useFp32Acc = accumulation(options, 'scope') ?? this.useFp32Acc;
    this.#scope += `${name}.`;
    try {
      // This package's own methods use scopes too, but no caller's code runs then.
      return currentCall.entered ? body() : callUser(body);
    } finally {
      [this.#scope, this.useFp32Acc] = outer;
    }
  }

  /** @internal Records `body` in place of that layer, and names the new layers after it. */
  inPlaceOf<T>(layer: string, body: () => T): T {
    const outer = [this.#scope, this.names.replaced] as const;
    this.#scope = `${layer}.`;
    this.names.replaced = layer;
    try {
      return body();
    } finally {
      [this.#scope, this.names.replaced] = outer;
    }
  }

  /** @internal The name given by `input` or `output`. */
  ioName(id: ValueId): string | undefined {
    return this.#ioNames.get(id);
  }

  /** @internal */
  markOutput(tensor: Tensor, name = tensor.name, traits?: IOTraits): void {
    checkUsable(this, tensor, 'output');
    if (tensor.owner !== this.#open[0]) {
      const where = 'belongs to the body of a loop or conditional; mark what the loop or conditional returns';
      refuse('output', 'ERR_NESTED_TENSOR', `${tensor} ${where}`);
    }
    if (this.graph.outputs.some((o) => o.id === tensor.id && o.name === name)) return;
    this.#claimIO(name, 'output');
    this.#keep();
    if (!this.#ioNames.has(tensor.id)) this.#ioNames.set(tensor.id, name);
    this.#open[0]!.graph.outputs.push({ id: tensor.id, name, ...traits });
  }

  /** @internal */
  markDebug(tensor: Tensor): void {
    checkUsable(this, tensor, 'debug');
    if (this.inputs.includes(tensor)) {
      refuse('debug', 'ERR_INPUT', `${tensor} is an input of the network; mark what a layer makes of it`);
    }
    if (tensor.owner !== this.#open[0]) {
      const where = 'belongs to the body of a loop or conditional; mark what the loop or conditional returns';
      refuse('debug', 'ERR_NESTED_TENSOR', `${tensor} ${where}`);
    }
    if (this.debugIds.includes(tensor.id)) return;
    this.#keep();
    this.debugIds.push(tensor.id);
  }

  /** @internal Whether layers may use the tensor here, because it belongs to this graph or an enclosing one. */
  isOpen(tensor: Tensor): boolean {
    return tensor.network === this && tensor.owner.open && this.#tensors[tensor.id] === tensor;
  }

  /** @internal The first tensor usable here that has this dynamic dim. */
  tensorWithDim(dim: string): Tensor | undefined {
    const tensor = this.#sized.get(dim);
    return tensor && this.isOpen(tensor) ? tensor : undefined;
  }

  /** @internal The tensor for a value. */
  tensorOf(id: ValueId): Tensor | undefined {
    return this.#tensors[id];
  }

  /**
   * Records `body` as a nested graph. `inputs` become its parameters; it may also use any tensor of the enclosing graphs.
   * @internal
   */
  nest(inputs: readonly BodyInput[], body: (parameters: Tensor[]) => readonly Tensor[]): Body {
    this.#keep();
    const open = newGraph();
    this.#open.push(open);
    try {
      const parameters = inputs.map(({ name, type, tensorName = this.#scope + name }) => {
        const tensor = this.#newTensor(type, tensorName, open);
        open.graph.inputs.push({ id: tensor.id, name, dtype: type.dtype, shape: type.shape });
        return tensor;
      });
      const outputs = callUser(() => body(parameters));
      for (const [i, tensor] of outputs.entries()) {
        checkUsable(this, tensor, 'body');
        open.graph.outputs.push({ id: tensor.id, name: `${i}` });
      }
      return { graph: open.graph as IRGraph, outputs };
    } finally {
      open.open = false;
      this.#open.pop();
    }
  }

  /** @internal Records a layer and returns its outputs. */
  record<P extends LayerParams>(definition: LayerDefinition<P>, recording: Recording<P>): Tensor[] {
    const { kind } = definition;
    const { inputs, bodies, like } = recording;
    const at = like ? like.callSite : captureCallSite();
    this.#keep();
    const method = recording.method ?? kind;
    let name = typeof recording.name === 'string' ? recording.name : like?.name;
    const fail: Fail = (code, said, facts) => {
      // Errors name the original layer, not the method that copies it.
      const layer = { layer: name, kind, source: locate(at), ...(like && { method }) };
      throw refusal(method, code, said, facts, layer);
    };
    for (const tensor of inputs) if (tensor) checkUsable(this, tensor, method);
    if (!definition.takesNarrow) requireWide(inputs, bodies, fail);
    const given = inputs.map((tensor) => tensor ?? null);
    const weights = checkWeights(recording.weights, fail);
    name =
      recording.name !== undefined
        ? this.names.given(this.#scope, recording.name, fail)
        : like
          ? this.names.copied(like.name)
          : this.names.made(this.#scope, recording.hint ?? layerNameIn(weights) ?? kind);
    const params = checkParams(definition, recording.params, fail);
    takeMeetings();
    const results = mapValues(bodies, (body) => body.outputs);
    const seen = recording.exact && { input: watched(given), weight: watched(weights), body: watched(results) };
    const inferred = definition.infer({
      params,
      inputs: seen?.input.entries ?? given,
      input: (index) =>
        (seen?.input.entries ?? given)[index] ?? fail('ERR_INPUT', missing(inputs, index), { value: inputs[index] }),
      weights: seen?.weight.entries ?? weights,
      bodies: seen?.body.entries ?? results,
      takenIn: (role) => Array.from(valuesTakenIn(bodies![role]!.graph), (id) => this.#tensors[id]!),
      fail,
    });
    for (const [what, { unseen }] of Object.entries(seen ?? {}))
      for (const one of unseen()) fail('ERR_INPUT', `expected no ${what} ${one}, given one`);
    const values = Array.isArray(inferred) ? inferred : [inferred];
    refuseUint8(definition, inputs, bodies, this.#open.length > 1 ? values : undefined, fail);
    for (const { shape } of values) checkShape(shape, fail);

    const open = this.#open.at(-1)!;
    const tensors: Tensor[] = [];
    const outputs: IRValue[] = [];
    for (const value of values) {
      const tensor = this.#newTensor(value, outputName(name, outputs.length, values.length), open, given);
      tensors.push(tensor);
      outputs.push({ id: tensor.id, dtype: tensor.dtype, shape: tensor.shape });
    }
    const node: RecordedNode = {
      id: this.names.size,
      kind,
      name,
      inputs: given.map((tensor) => tensor?.id ?? null),
      weights: mapValues(weights, (weight, role) => this.#weightId(recording.weights![role], weight)),
      params,
      outputs,
      callSite: at,
      method: like ? like.method : (currentCall.call?.method ?? method),
    };
    keepMeetings(node);
    if (bodies) node.bodies = mapValues(bodies, (body) => body.graph);
    open.graph.nodes.push(node);
    this.names.add(name);
    return tensors;
  }

  /** @internal Removes what a failed call has recorded. */
  restore({ nodes, layers, inputs, outputs, tensors, weights, names, ioNames, debug }: Sizes): void {
    nodes.length = layers;
    this.graph.inputs.length = inputs;
    this.graph.outputs.length = outputs;
    this.#tensors.length = tensors;
    this.weights.length = weights;
    this.#originals.length = weights;
    cutTo(this.#weightIds, weights);
    cutTo(this.#ioNames, ioNames);
    this.debugIds.length = debug;
    this.names.cutTo(names);
  }

  /** Saves the state before anything changes, for `restore`. */
  #keep(): void {
    if (!isUnkept(this)) return;
    const { nodes } = this.#open.at(-1)!.graph;
    const { inputs, outputs } = this.graph;
    keep({
      owner: this,
      next: undefined,
      nodes,
      layers: nodes.length,
      inputs: inputs.length,
      outputs: outputs.length,
      tensors: this.#tensors.length,
      weights: this.weights.length,
      names: this.names.size,
      ioNames: this.#ioNames.size,
      debug: this.debugIds.length,
    } as Sizes);
  }

  #newTensor(value: InferredValue, name: string, open: OpenGraph, inputs: readonly (Tensor | null)[] = []): Tensor {
    // Most layers keep their input's shape, so they share its list.
    const like = inputs[0] && isSameShape(value.shape, inputs[0].shape) ? inputs[0].shape : undefined;
    const tensor = new Tensor(this, this.#tensors.length, value, like ?? Object.freeze([...value.shape]), name, open);
    this.#tensors.push(tensor);
    for (const dim of like ? [] : tensor.shape) {
      if (typeof dim === 'string' && !this.tensorWithDim(dim)) this.#sized.set(dim, tensor);
    }
    return tensor;
  }

  #weightId(identity: unknown, weight: IRWeight): WeightId {
    const origin = typeof identity === 'object' && identity !== null ? (origins.get(identity) ?? identity) : identity;
    const known = this.#weightIds.get(origin);
    if (known !== undefined) return known;
    const id = this.weights.length;
    this.weights.push(weight);
    this.#originals.push(origin);
    this.#weightIds.set(origin, id);
    return id;
  }

  /** @internal A weight to record in another network, which shares it with whatever else comes from the same original. */
  sharedWeight(id: WeightId): IRWeight {
    const weight = this.weights[id]!;
    // Not when the weight is recorded: a WeakMap of every weight slows recording.
    origins.set(weight, this.#originals[id]);
    return weight;
  }

  #claimIO(name: string, what: string): void {
    checkName(name, what);
    const taken = [...this.graph.inputs, ...this.graph.outputs].some((io) => io.name === name);
    if (taken)
      throw new TensorRTError(
        'ERR_DUPLICATE_NAME',
        `network '${this.name}' has an input or output named '${name}' already`,
        { source: locate(captureCallSite()) },
      );
  }
}

/**
 * Starts a network.
 * @param inputs specs by name, e.g. `{ data: float32('batch', 1, 28, 28) }`; more can be added with `net.input`
 */
export function network(
  name: string,
  inputs: Readonly<Record<string, ValueType>> = {},
  options: ScopeOptions = {},
): Network {
  const net = new Network(name, options);
  const specs = readArguments('network', [name, inputs], () => {
    if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs)) return Object.entries(inputs);
    throw new TypeError('expected specs by name');
  });
  for (const [input, type] of specs) net.input(input, type);
  return net;
}
