import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as entry from '../../src/index.js';
import { type Network, network, Tensor } from '../../src/index.js';
import { evaluateDim } from '../../src/values/dim.js';
import { byteLength, type DType, viewAs } from '../../src/values/dtype.js';
import type { Stored } from '../layers/fixture.js';

/** An argument: plain data, `{ $: name }` for a tensor or weight, `{ $f: … }` for a function. */
export type Argument = unknown;

/** `on.method(...args)`; `on` is a value, `net`, or null for a function of the package. */
export interface Call {
  m: string;
  on: string | null;
  args: Argument[];
  /** Name, dtype and shape of each result; only the name for calls inside functions. */
  out: [name: string, dtype: DType, shape: (number | string)[]][];
  /** Where the results are in the call's return value (`state.s`, `0`); default: the value itself. */
  at?: string[];
}

interface FunctionArgument {
  params: string[];
  layers: Call[];
  return: Argument;
}

/** A graph, as written by test/random/fixtures/graphs.py. */
export interface Description {
  inputs: [name: string, dtype: DType, shape: (number | string)[]][];
  weights: [name: string, dtype: DType, shape: number[]][];
  layers: Call[];
  /** Sizes of named dims. */
  sizes?: Record<string, number>;
}

export interface RandomGraph {
  description: Description;
  /** Inputs, weights and results by name. */
  tensors: Map<string, Stored>;
}

export function readGraphs(): RandomGraph[] {
  const bytes = gunzipSync(readFileSync(new URL('fixtures/graphs.json.gz', import.meta.url)));
  const length = bytes.readUInt32LE(0);
  let offset = 4 + length;
  const descriptions = JSON.parse(bytes.toString('utf8', 4, offset)) as Description[];
  return descriptions.map((description) => {
    const tensors = new Map<string, Stored>();
    const { inputs, weights, layers, sizes = {} } = description;
    for (const [name, dtype, dims] of [...inputs, ...weights, ...layers.flatMap(({ out }) => out)]) {
      const shape = dims.map((dim) => (typeof dim === 'string' ? sizes[dim]! : dim));
      const size = byteLength(
        dtype,
        shape.reduce((a, b) => a * b, 1),
      );
      const data = viewAs(dtype, new Uint8Array(bytes.subarray(offset, offset + size)));
      offset += size;
      tensors.set(name, { dtype, shape, data });
    }
    return { description, tensors };
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps every argument in a record or list. */
function each(value: Argument, change: (value: Argument) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, change(item)]));
}

/** Names of tensors and weights that calls take, including calls inside functions. */
export function usedBy({ on, args }: Pick<Call, 'on' | 'args'>): Set<string> {
  const used = new Set(on === null || on === 'net' ? [] : [on]);
  const visit = (value: Argument): void => {
    if (!isObject(value) && !Array.isArray(value)) return;
    if (isObject(value) && typeof value.$ === 'string') used.add(value.$);
    else if (isObject(value) && value.$f) {
      const { layers, return: result } = value.$f as FunctionArgument;
      for (const layer of layers) for (const name of usedBy(layer)) used.add(name);
      visit(result);
    } else each(value, visit);
  };
  args.forEach(visit);
  return used;
}

type Callable = Record<string, (...args: unknown[]) => unknown>;

/** Records the calls. `values` has what they take, and receives what they return. */
function perform(calls: readonly Call[], net: Network, values: Map<string, unknown>): void {
  const resolve = (value: Argument): unknown => {
    if (!isObject(value) && !Array.isArray(value)) return value;
    if (!isObject(value) || !('$' in value || '$f' in value)) return each(value, resolve);
    if (typeof value.$ === 'string') return values.get(value.$);
    const { params, layers, return: result } = value.$f as FunctionArgument;
    return (given: Record<string, Tensor> = {}) => {
      for (const name of params) values.set(name, given[name]);
      perform(layers, net, values);
      return resolve(result);
    };
  };
  for (const { m, on, args, out, at } of calls) {
    const target = on === null ? entry : on === 'net' ? net : values.get(on);
    const returned = (target as Callable)[m]!(...args.map(resolve));
    out.forEach(([name], i) => {
      const path = at?.[i]?.split('.') ?? [];
      values.set(
        name,
        path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], returned),
      );
    });
  }
}

export interface RecordedGraph {
  net: Network;
  tensors: Map<string, Tensor>;
}

/** Records a graph and marks `outputs`. */
export function record({ description, tensors }: RandomGraph, outputs: readonly string[]): RecordedGraph {
  const net = network('random');
  const values = new Map<string, unknown>();
  for (const [name, dtype, shape] of description.inputs) values.set(name, net.input(name, { dtype, shape }));
  for (const [name] of description.weights) values.set(name, tensors.get(name));
  perform(description.layers, net, values);
  for (const name of outputs) (values.get(name) as Tensor).output(name);
  const recorded = [...values].filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
  return { net, tensors: new Map(recorded) };
}

/** How inference differs from what was stored for a value; undefined if they agree. */
export function misjudged(tensor: Tensor, expected: Stored, sizes: Record<string, number> = {}): string | undefined {
  const shape = tensor.shape.map((dim) => evaluateDim(dim, sizes));
  const same = tensor.dtype === expected.dtype && String(shape) === String(expected.shape);
  return same ? undefined : `${tensor}, expected ${expected.dtype}[${expected.shape.join(', ')}]`;
}

/** Results that no call takes. */
export function leaves({ layers }: Description): string[] {
  const used = new Set(layers.flatMap((layer) => [...usedBy(layer)]));
  return layers.flatMap(({ out }) => out.map(([name]) => name)).filter((name) => !used.has(name));
}
