import type { IRNamed, IRWeight, WeightId } from '../../dsl/ir.js';
import type { Network, RecordedNode } from '../../dsl/network.js';
import { TensorRTError } from '../../errors/error.js';
import { byteLength } from '../../values/dtype.js';
import { binding, type NativeProgram } from '../binding.js';
import { ProgramWriter } from './wire.js';

const sliceMs = 2;
const nodesAtOnce = 64;
const bytesAtOnce = 1 << 20;
const weightsAtOnce = 256;

/** Yields to the event loop whenever `sliceMs` have passed. */
class Pace {
  #since = performance.now();
  get due(): boolean {
    return performance.now() - this.#since > sliceMs;
  }
  async rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/** A network as it is now: what is recorded later belongs to the next build. */
export interface Snapshot {
  name: string;
  inputs: readonly IRNamed[];
  outputs: readonly IRNamed[];
  nodes: readonly RecordedNode[];
  weights: readonly IRWeight[];
}

/** @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT */
export function snapshot(net: Network): Snapshot {
  const { inputs, outputs, nodes } = net.graph;
  if (nodes.length === 0) {
    throw new TensorRTError(
      'ERR_EMPTY_NETWORK',
      `network '${net.name}' has no layers: call layer methods on its input`,
    );
  }
  if (outputs.length === 0) {
    throw new TensorRTError('ERR_NO_OUTPUT', `network '${net.name}' has no output: mark one with .output(name)`);
  }
  return {
    name: net.name,
    inputs: inputs.slice(),
    outputs: outputs.map(({ id, name }) => {
      const { dtype, shape } = net.tensorOf(id)!;
      return { id, name, dtype, shape };
    }),
    nodes: nodes.slice(),
    weights: net.weights.slice(),
  };
}

/**
 * Hands a network to the addon in slices of a few milliseconds. Weights in mapped files are not copied.
 * @throws ERR_DISPOSED if the elements of a weight are gone
 */
export async function toProgram({ name, inputs, outputs, nodes, weights }: Snapshot): Promise<NativeProgram> {
  const pace = new Pace();
  const program = new (binding().Program)(name);
  await addWeights(program, weights, pace);
  const writer = new ProgramWriter();
  writer.head({ inputs: [...inputs], outputs: [...outputs] });
  for (let i = 0; i < nodes.length; i++) {
    writer.node(nodes[i]!);
    if (i % nodesAtOnce === nodesAtOnce - 1 && pace.due) {
      program.addGraph(writer.take());
      await pace.rest();
    }
  }
  program.addGraph(writer.take());
  return program;
}

async function addWeights(program: NativeProgram, weights: readonly IRWeight[], pace: Pace): Promise<void> {
  for (let begin = 0; begin < weights.length; ) {
    let bytes = checkedLength(weights, begin);
    const isLarge = bytes > bytesAtOnce;
    let end = begin + 1;
    for (; end < weights.length && end - begin < weightsAtOnce; end++) {
      bytes += checkedLength(weights, end);
      if (bytes > bytesAtOnce) break;
    }
    if (!program.addWeights(weights.slice(begin, end), !isLarge)) await fillWeight(program, weights, begin, pace);
    begin = end;
    if (pace.due) await pace.rest();
  }
}

/** Size of a weight's elements in bytes, which must be the same as when it was recorded. */
function checkedLength(weights: readonly IRWeight[], id: WeightId): number {
  const { data, dtype, shape, name, check } = weights[id]!;
  let count = 1;
  for (const size of shape) count *= size;
  if (data.byteLength !== byteLength(dtype, count)) {
    throw new TensorRTError(
      'ERR_DISPOSED',
      `the elements of weight ${name ? `'${name}'` : id} are gone: their array was detached or their file closed`,
    );
  }
  check?.();
  return data.byteLength;
}

async function fillWeight(
  program: NativeProgram,
  weights: readonly IRWeight[],
  id: WeightId,
  pace: Pace,
): Promise<void> {
  const { data } = weights[id]!;
  const length = data.byteLength;
  for (let offset = 0; offset < length; offset += bytesAtOnce) {
    checkedLength(weights, id);
    program.fillWeight(
      offset,
      new Uint8Array(data.buffer, data.byteOffset, length).subarray(offset, offset + bytesAtOnce),
    );
    if (pace.due) await pace.rest();
  }
}
