import { bits } from '../dsl/dtype.js';
import { TensorRTError } from '../dsl/errors.js';
import type { IRWeight } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { binding, type NativeProgram } from './binding.js';

const sliceMs = 4;
const nodesAtOnce = 64;
const bytesAtOnce = 4 << 20;

/** Gives the event loop its turn whenever `sliceMs` have passed. */
class Pace {
  #since = performance.now();
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/**
 * Hands a network to the addon in slices of a few milliseconds. Weights of mapped files are not copied.
 * @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT
 */
export async function toProgram(net: Network): Promise<NativeProgram> {
  const { graph } = net;
  if (graph.nodes.length === 0) {
    throw new TensorRTError(
      'ERR_EMPTY_NETWORK',
      `network '${net.name}' has no layers: call layer methods on its input`,
    );
  }
  if (graph.outputs.length === 0) {
    throw new TensorRTError('ERR_NO_OUTPUT', `network '${net.name}' has no output: mark one with .output(name)`);
  }
  const pace = new Pace();
  const program = new (binding().Program)(net.name);
  program.setIO(graph.inputs, graph.outputs);
  // What is recorded while this waits belongs to the next build.
  const nodes: readonly RecordedNode[] = graph.nodes.slice();
  for (const weight of net.weights.slice()) await addWeight(program, weight, pace);
  for (let i = 0; i < nodes.length; i += nodesAtOnce) {
    program.addNodes(nodes.slice(i, i + nodesAtOnce));
    await pace.breathe();
  }
  return program;
}

async function addWeight(program: NativeProgram, weight: IRWeight, pace: Pace): Promise<void> {
  const { data, dtype, shape, name } = weight;
  const total = data.byteLength;
  const expected = Math.ceil((shape.reduce((a, b) => a * b, 1) * bits[dtype]) / 8);
  const gone = (): never => {
    throw new TensorRTError(
      'ERR_DISPOSED',
      `the elements of weight ${name ? `'${name}'` : weight.id} are gone: their array was detached or their file closed`,
    );
  };
  if (total !== expected) gone();
  if (program.addWeight({ name, dtype, shape }, new Uint8Array(data.buffer, data.byteOffset, total))) return;
  for (let offset = 0; offset < total; offset += bytesAtOnce) {
    if (data.byteLength !== total) gone();
    program.fillWeight(
      offset,
      new Uint8Array(data.buffer, data.byteOffset + offset, Math.min(bytesAtOnce, total - offset)),
    );
    await pace.breathe();
  }
}
