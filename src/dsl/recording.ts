import { show } from '../errors/error.js';
import type { ErrorFacts, Refusal } from '../errors/facts.js';
import { suggestion } from '../errors/nearest.js';
import { refusal, refuse } from '../errors/refusal.js';
import { formatShape, type Meeting, type Shape, takeMeetings } from '../values/dim.js';
import { type DType, isNarrow } from '../values/dtype.js';
import { isVast, maxRank } from '../values/spec.js';
import { layerNameOf } from '../values/weight.js';
import { type Fail, type InferredValue, type LayerDefinition, layerKinds } from './define-layer.js';
import type { IRGraph, IRWeight, ValueId } from './ir.js';
import { toIRWeight } from './ir-weight.js';
import type { Network, RecordedNode } from './network.js';
import { Tensor } from './tensor.js';

/** Shared by layers without weights or bodies. */
const none: Record<string, never> = Object.freeze({});

/** A record with every value mapped. */
export function mapValues<T, R>(
  record: Readonly<Record<string, T>> | undefined,
  map: (value: T, key: string) => R,
): Record<string, R> {
  if (!record || record === none) return none;
  const mapped: Record<string, R> = {};
  for (const key of Object.keys(record)) mapped[key] = map(record[key]!, key);
  return mapped;
}

/** Few layers have any. */
const meetings = new WeakMap<RecordedNode, readonly Meeting[]>();

/** Keeps what the inference of a layer noted. */
export function keepMeetings(node: RecordedNode): void {
  const noted = takeMeetings();
  if (noted.length > 0) meetings.set(node, noted);
}

/** The dims that a layer needs to be equal, and that only sizes can tell to be. */
export const meetingsOf = (node: RecordedNode): readonly Meeting[] => meetings.get(node) ?? [];

/** Checks the weights that are present. */
export function checkWeights(
  given: Readonly<Record<string, unknown>> | undefined,
  fail: Fail,
): Record<string, IRWeight> {
  if (!given) return none;
  const checked: Record<string, IRWeight> = {};
  for (const role of Object.keys(given)) {
    const value = given[role];
    if (value === undefined || value === null) continue;
    checked[role] = toIRWeight(value, role, fail);
  }
  return checked;
}

/**
 * Refuses tensors that layers of `net` cannot take at this point of recording.
 * @param facts facts of the error that differ from those of the current call
 * @throws ERR_INPUT, ERR_FOREIGN_TENSOR, ERR_NESTED_TENSOR
 */
export function checkUsable(
  net: Network,
  tensor: unknown,
  method: string,
  facts: ErrorFacts = {},
): asserts tensor is Tensor {
  const refuse = (code: string, said: string, found?: Refusal): never => {
    throw refusal(method, code, said, found, facts);
  };
  if (!(tensor instanceof Tensor))
    return refuse('ERR_INPUT', `expected a tensor, given ${show(tensor)}`, { value: tensor });
  const { network } = tensor;
  if (network !== net) {
    const owner =
      network.name === net.name
        ? `another network that is named '${net.name}' too`
        : `network '${network.name}', not to '${net.name}'`;
    refuse('ERR_FOREIGN_TENSOR', `${tensor} belongs to ${owner}`);
  }
  if (net.tensorOf(tensor.id) !== tensor) {
    refuse('ERR_FOREIGN_TENSOR', 'the tensor was made in a call that failed, and went with it');
  }
  if (!net.isOpen(tensor)) {
    const where = 'belongs to a loop or conditional body that is closed; return it from the body instead';
    refuse('ERR_NESTED_TENSOR', `${tensor} ${where}`);
  }
}

/** The input of that name, or the only one if none is given. */
export function inputOf({ name: network, inputs }: Network, name: unknown): Tensor {
  const names = inputs.map((input) => input.name);
  const list = names.join(', ');
  if (name === undefined) {
    const [first, ...others] = inputs;
    if (first && others.length === 0) return first;
    const found = first
      ? `has ${names.length} inputs (${list}): call the layer on net.tensor(name) or on the tensor that net.input() returned`
      : 'has no input: declare one with net.input(name, spec) or network(name, { name: spec })';
    refuse('tensor', 'ERR_NO_SINGLE_INPUT', `network '${network}' ${found}`);
  }
  if (typeof name !== 'string') refuse('tensor', 'ERR_INPUT', `expected the name of an input, given ${show(name)}`);
  const input = inputs[names.indexOf(name)];
  if (input) return input;
  const hint = suggestion(name, names) || `; its inputs are ${list || 'none'}`;
  return refuse('tensor', 'ERR_NAME', `network '${network}' has no input '${name}'${hint}`, {
    expected: names,
    actual: name,
  });
}

/** The values that the layers of a graph take, including those of graphs nested inside it. */
export function* valuesTakenIn({ nodes }: Pick<IRGraph, 'nodes'>): Generator<ValueId> {
  for (const { inputs, bodies = {} } of nodes) {
    for (const id of inputs) if (id !== null) yield id;
    for (const body of Object.values(bodies)) yield* valuesTakenIn(body);
  }
}

/** The layer named by the first weight whose name includes one. */
export function layerNameIn(weights: Readonly<Record<string, IRWeight>>): string | undefined {
  for (const role of Object.keys(weights)) {
    const layer = layerNameOf(weights[role]!.name);
    if (layer !== undefined) return layer;
  }
  return undefined;
}

type Inputs = readonly (Tensor | null | undefined)[];
type Bodies = Readonly<Record<string, { outputs: readonly Tensor[] }>> | undefined;

/** The first tensor of such a dtype that a layer would consume or return from a body. */
function consumed(inputs: Inputs, bodies: Bodies, is: (dtype: DType) => boolean): Tensor | undefined {
  // A plain loop, because every layer passes through here.
  for (const tensor of inputs) if (tensor && is(tensor.dtype)) return tensor;
  for (const { outputs } of Object.values(bodies ?? none))
    for (const tensor of outputs) if (is(tensor.dtype)) return tensor;
  return undefined;
}

/** Refuses 8-bit floats and 4-bit types that a layer would consume or return from a body. */
export function requireWide(inputs: Inputs, bodies: Bodies, fail: Fail): void {
  const found = consumed(inputs, bodies, isNarrow);
  if (!found) return;
  const taking = kindsThat(({ takesNarrow }) => takesNarrow);
  const { dtype, name } = found;
  fail('ERR_DTYPE', `'${name}': expected a dequantized tensor, given ${dtype}, which only ${taking} take`, {
    actual: dtype,
  });
}

const isUint8 = (dtype: DType): boolean => dtype === 'uint8';

/**
 * Refuses uint8 where TensorRT does not support it: as input of most layers (unless their own inference checks dtypes), and
 * anywhere in a body.
 */
export function refuseUint8(
  { takesUint8 }: { takesUint8?: true },
  inputs: Inputs,
  bodies: Bodies,
  made: readonly InferredValue[] | undefined,
  fail: Fail,
): void {
  if (made?.some(({ dtype }) => isUint8(dtype))) {
    fail(
      'ERR_DTYPE',
      'expected another dtype than uint8, which TensorRT has at inputs and outputs of the network alone',
      {
        actual: 'uint8',
      },
    );
  }
  if (takesUint8) return;
  const found = consumed(inputs, bodies, isUint8);
  if (!found) return;
  const taking = kindsThat(({ takesUint8 }) => takesUint8);
  fail('ERR_DTYPE', `'${found.name}': expected another dtype, given uint8, which only ${taking} take; use .cast()`, {
    actual: 'uint8',
  });
}

const kindsThat = (take: (definition: LayerDefinition) => boolean | undefined): string =>
  [...layerKinds.values()]
    .filter(take)
    .map(({ kind }) => kind)
    .sort()
    .join(', ');

/** Refuses a shape that no tensor can have. */
export function checkShape(shape: Shape, fail: Fail): void {
  if (shape.length > maxRank) {
    fail(
      'ERR_SHAPE',
      `TensorRT takes at most ${maxRank} dims, the result would have ${shape.length}: ${formatShape(shape)}`,
    );
  }
  for (const dim of shape) {
    if (typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0)) {
      fail('ERR_SHAPE', `the result would have the impossible shape ${formatShape(shape)}`);
    }
  }
  if (isVast(shape)) fail('ERR_SHAPE', `the result would have 2^53 elements or more: ${formatShape(shape)}`);
}

/** A record or list that remembers which of its entries were looked at. */
export function watched<T extends object>(entries: T): { entries: T; unseen(): string[] } {
  const seen = new Set<PropertyKey>();
  const proxy = new Proxy(entries, {
    get(target, key) {
      seen.add(key);
      return Reflect.get(target, key);
    },
    has(target, key) {
      seen.add(key);
      return Reflect.has(target, key);
    },
    ownKeys(target) {
      for (const key of Reflect.ownKeys(target)) seen.add(key);
      return Reflect.ownKeys(target);
    },
  });
  const isGiven = (key: string) => (entries as Record<string, unknown>)[key] != null;
  return { entries: proxy, unseen: () => Object.keys(entries).filter((key) => isGiven(key) && !seen.has(key)) };
}
