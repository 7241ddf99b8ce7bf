import type { IRGraph } from '../../dsl/ir.js';
import {
  type Call,
  type Closure,
  data,
  type Entry,
  type Expression,
  given,
  list,
  net,
  object,
  option,
} from '../expression.js';
import type { View } from './view.js';

// Loops, conditionals, plugins, and the call that records anything.

const tensor = (id: number): Expression => ({ is: 'tensor', id });

const closure = (graph: IRGraph, destructures: boolean, result: Expression): Closure => ({
  is: 'closure',
  graph,
  destructures,
  names: graph.inputs.map(({ name }) => name),
  result,
});

/** A tensor, or an object with it and its options. */
const withOptions = (value: Expression, entries: readonly Entry[]): Expression =>
  entries.length > 0 ? object([['tensor', value], ...entries]) : value;

interface Along {
  axis: number;
  reverse: boolean;
}

const along = ({ axis, reverse }: Along): Entry[] => [...option('axis', axis, 0), ...option('reverse', reverse, false)];

/** Names of collected outputs, which the network does not keep. */
function outputNames(count: number, taken: readonly string[]): string[] {
  const stem = ['output', 'collected', 'values'].find((one) => !taken.some((name) => name.startsWith(one))) ?? '$';
  return Array.from({ length: count }, (_, i) => (count === 1 ? stem : `${stem}${i + 1}`));
}

export function* loop(view: View): Iterable<Call> {
  const { states, iterators, outputs } = view.params as { states: number; iterators: Along[]; outputs: Along[] };
  const body = view.body('body')!;
  const condition = view.body('while');
  const names = body.inputs.map(({ name }) => name);
  if (new Set(names).size < names.length) return;
  const collected = outputNames(outputs.length, names);
  const state = names.slice(0, states).map((name, i): Entry => [name, view.input(1 + i)!]);
  const iterate = iterators.map((one, i): Entry => {
    return [names[states + i]!, withOptions(view.input(1 + states + i)!, along(one))];
  });
  const results = body.outputs.map(({ id }) => tensor(id));
  const step = object([
    ...entriesIf(
      'state',
      names.slice(0, states).map((name, i): Entry => [name, results[i]!]),
    ),
    ...entriesIf(
      'outputs',
      outputs.map((one, i): Entry => {
        const length = view.input(1 + states + iterators.length + i);
        const options = [...along(one), ...given('length', length)];
        return [collected[i]!, withOptions(results[states + i]!, options)];
      }),
    ),
  ]);
  const paths = [
    ...names.slice(0, states).map((name) => ['state', name]),
    ...collected.map((name) => ['outputs', name]),
  ];
  const count = view.input(0);
  const make = (counted: readonly Entry[]): Call => {
    const options = [
      ...counted,
      ...(condition ? [['while', closure(condition, true, tensor(condition.outputs[0]!.id))] as const] : []),
      ...entriesIf('state', state),
      ...entriesIf('iterate', iterate),
    ];
    const args = (named: readonly Entry[]) => [object([...options, ...named]), closure(body, true, step)];
    return {
      on: net,
      method: 'loop',
      args: args([]),
      named: (name) => args(option('name', name)),
      results: { is: 'paths', paths },
    };
  };
  if (iterate.length > 0 && count) yield make([]);
  yield make(given('count', count));
}

const entriesIf = (name: string, entries: readonly Entry[]): Entry[] =>
  entries.length > 0 ? [[name, object(entries)]] : [];

export function* ifConditional(view: View): Iterable<Call> {
  const branch = (role: string): Expression => {
    const graph = view.body(role)!;
    const [first, ...others] = graph.outputs.map(({ id }) => tensor(id)) as [Expression, ...Expression[]];
    return closure(graph, false, others.length === 0 ? first : list([first, ...others]));
  };
  const args = [view.x, branch('then'), branch('else')];
  const several = view.node.outputs.length > 1;
  yield { on: net, method: 'if', args, options: [], results: { is: several ? 'list' : 'one' } };
}

export function* plugin(view: View): Iterable<Call> {
  const { definition, attributes, creator, fields, shapeInputs, outputs } = view.params;
  if (definition) {
    const { inputs, outputs: names } = view.pluginNames(definition.name, definition.version);
    const value: Expression = { is: 'plugin', name: definition.name, version: definition.version };
    const tensors = object(inputs.map((name, i): Entry => [name, view.input(i)!]));
    const given = Object.keys(attributes).length > 0 ? [data(attributes)] : [];
    yield {
      on: net,
      method: 'plugin',
      args: [value, tensors, ...given],
      named: (name) => [value, tensors, data(attributes), object(option('name', name))],
      results: { is: 'paths', paths: names.map((name) => [name]) },
    };
    return;
  }
  const all = view.inputs() as Expression[];
  const plain = all.slice(0, all.length - shapeInputs);
  const values = Object.fromEntries(fields.map(fieldValue));
  const use = (described: readonly Entry[], inputs: readonly Expression[]) => [
    ...option('version', creator.version),
    ...(creator.namespace === '' ? [] : option('namespace', creator.namespace)),
    ...(fields.length > 0 ? option('fields', values) : []),
    ...(inputs.length > 0 ? [['inputs', list(inputs)] as const] : []),
    ...(shapeInputs > 0 ? [['shapeInputs', list(all.slice(plain.length))] as const] : []),
    ...described,
  ];
  for (const described of [[], option('outputs', outputs)]) {
    const [receiver, inputs] = plain.length > 0 ? [plain[0]!, plain.slice(1)] : [net, plain];
    const results = { is: 'list' } as const;
    yield { on: receiver, method: 'plugin', args: [data(creator.name)], options: use(described, inputs), results };
  }
}

/** A field's value with its type, as the creator's list may not say it. */
function fieldValue({ name, type, data: value }: { name: string; type: string; data: unknown }): [string, unknown] {
  const arrays: Readonly<Record<string, (list: readonly number[]) => unknown>> = {
    int32: (list) => Int32Array.from(list),
    float32: (list) => Float32Array.from(list),
    float64: (list) => Float64Array.from(list),
    int16: (list) => Int16Array.from(list),
    int8: (list) => Int8Array.from(list),
  };
  const isList = Array.isArray(value) && Object.hasOwn(arrays, type);
  return [name, isList ? arrays[type]!(value as number[]) : value];
}

/** The call that records any layer from its parts. */
export function any(view: View): Call {
  const { node } = view;
  const weights = Object.keys(node.weights).map((role): Entry => [role, view.weight(role)!]);
  const bodies = Object.entries(node.bodies ?? {}).map(([role, graph]): Entry => {
    const outputs = list(graph.outputs.map(({ id }) => tensor(id)));
    const names = graph.inputs.map(({ name }) => name);
    return [role, object([...option('inputs', names, []), ['record', closure(graph, false, outputs)]])];
  });
  const inputs = node.inputs.map((id) => (id === null ? data(null) : tensor(id)));
  const parts: Entry[] = [
    ...(inputs.length > 0 ? [['inputs', list(inputs)] as const] : []),
    ...(Object.keys(node.params).length > 0 ? option('params', node.params) : []),
    ...entriesIf('weights', weights),
    ...entriesIf('bodies', bodies),
  ];
  return { on: net, method: 'layer', args: [data(node.kind)], options: parts, results: { is: 'list' } };
}
