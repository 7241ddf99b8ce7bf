import { type Network, network } from '../dsl/network.js';
import type { Profile, ProfileRange } from '../tensorrt/compile/profiles.js';
import type { Dim } from '../values/dim.js';
import type { Elements } from './compare.js';
import type { Subject } from './subject.js';

// The methods of layers.
import '../layers/table.js';
import '../network-methods.js';

/** A network of one plugin layer. Its inputs and outputs have the plugin's names. */
export interface SubjectNetwork {
  net: Network;
  profile: Profile;
}

/** For backends that take a case as it is: every size is known, and shape inputs are constants. */
export function fixedNetwork(subject: Subject): Network {
  return record(subject, (name) => subject.feeds[name]!.shape, false);
}

/** One network for cases that differ in sizes and in the elements of shape inputs; sizes that always agree have one name. */
export function dynamicNetwork(subjects: readonly Subject[]): SubjectNetwork {
  const [first] = subjects as [Subject];
  const names = new Map<string, string>();
  const profile: Record<string, ProfileRange> = {};
  const range = (values: readonly (readonly number[])[]): ProfileRange => {
    const along = values[0]!.map((_, i) => values.map((one) => one[i]!));
    return [along.map((all) => Math.min(...all)), values[0]!, along.map((all) => Math.max(...all))];
  };
  const dimOf = (name: string, axis: number): Dim => {
    const sizes = subjects.map(({ feeds }) => feeds[name]!.shape[axis]!);
    if (sizes.every((size) => size === sizes[0])) return sizes[0]!;
    const key = sizes.join();
    const dim = names.get(key) ?? `size${names.size}`;
    names.set(key, dim);
    profile[dim] = [Math.min(...sizes), sizes[0]!, Math.max(...sizes)];
    return dim;
  };
  const net = record(first, (name) => first.feeds[name]!.shape.map((_, axis) => dimOf(name, axis)), true);
  for (const name of first.definition.inputs.slice(first.definition.tensors)) {
    const values = subjects.map(({ feeds }) => Array.from(feeds[name]!.data as ArrayLike<number>, Number));
    profile[name] =
      first.feeds[name]!.shape.length === 0 ? (range(values) as number[][]).map(([one]) => one!) : range(values);
  }
  return { net, profile };
}

function record(subject: Subject, shapeOf: (name: string) => readonly Dim[], fedShapes: boolean): Network {
  const { plugin, definition, types, one } = subject;
  const net = network(`test of ${definition.name}`);
  const tensors = definition.inputs.map((name, i) => {
    if (i < definition.tensors || fedShapes)
      return [name, net.input(name, { dtype: types[name]!, shape: shapeOf(name) })] as const;
    const { dtype, shape, data } = subject.feeds[name]!;
    return [name, net.constant(data, { dtype: dtype as 'int32', shape: [...shape], name })] as const;
  });
  const outputs = net.plugin(plugin, Object.fromEntries(tensors), one.attributes as never);
  for (const [name, tensor] of Object.entries(outputs)) tensor.output(name);
  return net;
}

/** What is fed to a network of a subject. */
export function feedsOf({ feeds }: Subject, { inputs }: { inputs: readonly { name: string }[] }) {
  return Object.fromEntries(
    inputs.map(({ name }) => {
      const { dtype, shape, data } = feeds[name]!;
      return [name, { dtype, shape: [...shape], data }];
    }),
  );
}

/** Outputs of the plugin, by name. */
export type Outputs = Readonly<Record<string, Elements>>;

/** Runs a network on the CPU backend. */
export async function runOnCpu(net: Network, subject: Subject): Promise<Outputs> {
  using model = await net.compile({ backend: 'cpu' });
  return await model.run(feedsOf(subject, net.graph));
}

export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('ERR_') ? code : undefined;
};

/** An error's code and message; errors of the addon are no TensorRTErrors. */
export function messageOf(error: unknown): string {
  const message = String((error as Error)?.message ?? error);
  const code = codeOf(error);
  return code ? `${code}: ${message}` : message;
}
