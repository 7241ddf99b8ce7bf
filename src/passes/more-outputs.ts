import type { Network } from '../dsl/network.js';
import type { Snapshot } from '../dsl/snapshot.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { sourceOf } from './layer.js';
import { uniqueNames, valueNamed } from './names.js';
import { Recorder } from './recorder.js';

/** Tensors of a network that are wanted beside its outputs. */
export interface MoreOutputs {
  /** The names of those that are no outputs yet: what the network depends on. */
  key: string;
  /** Outputs by the name they were asked for. */
  outputs: ReadonlyMap<string, string>;
  /** Records the whole network again, with these outputs too. */
  record(): Network;
}

/**
 * Finds tensors by their names in a network as it was when it was taken.
 * @throws ERR_PARAMETER, ERR_NAME, ERR_NESTED_TENSOR
 */
export function moreOutputs(taken: Snapshot, names: unknown, method: string, option: string): MoreOutputs {
  if (!Array.isArray(names)) {
    refuse(method, 'ERR_PARAMETER', `expected a list of names, given ${show(names)}`, { option, actual: names });
  }
  const source = sourceOf(taken);
  const unique = uniqueNames(new Set([...taken.inputs, ...taken.outputs].map(({ name }) => name)));
  const outputs = new Map<string, string>();
  const added = new Map<number, string>();
  for (const [i, name] of [...new Set<unknown>(names)].entries()) {
    const where = `${option}[${i}]`;
    if (typeof name !== 'string') {
      refuse(method, 'ERR_PARAMETER', `expected the name of a tensor, given ${show(name)}`, {
        option: where,
        actual: name,
      });
    }
    const id = valueNamed(source, name, method, where);
    const known = taken.outputs.find((output) => output.id === id)?.name ?? added.get(id);
    if (known === undefined) added.set(id, unique(name));
    outputs.set(name, known ?? added.get(id)!);
  }
  return {
    key: JSON.stringify([...added.entries()].sort(([a], [b]) => a - b)),
    outputs,
    record() {
      const recorder = new Recorder(source, taken.name);
      const network = recorder.whole();
      for (const [id, name] of added) recorder.output(id, name);
      return network;
    },
  };
}
