import { TensorRTError } from '../errors/error.js';
import { copyOfBytes, viewAs } from '../values/dtype.js';
import { originOf } from '../values/recipe.js';
import { checkElements, ownMapping, setMapping } from '../values/weight.js';
import type { IRNamed, IRWeight, ValueId } from './ir.js';
import type { Network, RecordedNode } from './network.js';
import type { Tensor } from './tensor.js';

/** A network as it is now: what is recorded later is not in it. */
export interface Snapshot {
  name: string;
  inputs: readonly IRNamed[];
  outputs: readonly IRNamed[];
  nodes: readonly RecordedNode[];
  weights: readonly IRWeight[];
  useFp32Acc: boolean;
  /** Values marked by `tensor.debug()`. */
  debugIds: readonly ValueId[];
  tensorOf(id: ValueId): Tensor | undefined;
}

export function snapshot(net: Network): Snapshot {
  const { inputs, outputs, nodes } = net.graph;
  return {
    name: net.name,
    inputs: inputs.slice(),
    outputs: outputs.map((output) => {
      const { dtype, shape } = net.tensorOf(output.id)!;
      return { ...output, dtype, shape };
    }),
    nodes: nodes.slice(),
    weights: net.weights.slice(),
    useFp32Acc: net.useFp32Acc,
    debugIds: net.debugIds.slice(),
    tensorOf: (id) => net.tensorOf(id),
  };
}

/**
 * The snapshot with copies of all elements that do not lie in a mapping, so that nobody can change them any more.
 * @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED
 */
export const withOwnElements = (taken: Snapshot): Snapshot => ({
  ...taken,
  weights: taken.weights.map((weight, id) => {
    if (weight.mapping) return weight;
    checkElements(weight, id);
    const bytes = copyOfBytes(weight.data);
    setMapping(bytes.buffer, ownMapping);
    const data = viewAs(weight.dtype, bytes);
    const origin = originOf(weight.origin?.recipe, data);
    return { ...weight, data, mapping: ownMapping, check: undefined, origin };
  }),
});

/** @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT */
export function requireComplete({ name, nodes, outputs }: Snapshot): void {
  if (nodes.length === 0) {
    throw new TensorRTError('ERR_EMPTY_NETWORK', `network '${name}' has no layers: call layer methods on its input`);
  }
  if (outputs.length === 0) {
    throw new TensorRTError('ERR_NO_OUTPUT', `network '${name}' has no output: mark one with .output(name)`);
  }
}

/**
 * Whether the elements in mapped files are still those that were recorded; call it before what was made of them is handed out.
 * @throws ERR_DISPOSED, ERR_WEIGHTS_CHANGED
 */
export function checkMapped({ weights }: Snapshot): void {
  for (const [id, weight] of weights.entries()) if (weight.mapping) checkElements(weight, id);
}
