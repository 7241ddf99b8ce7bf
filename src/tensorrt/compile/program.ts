import type { IRWeight } from '../../dsl/ir.js';
import type { Network } from '../../dsl/network.js';
import { requireComplete, type Snapshot, snapshot } from '../../dsl/snapshot.js';
import { Pace } from '../../pace.js';
import { bytesOf, viewAs } from '../../values/dtype.js';
import { originOf } from '../../values/recipe.js';
import { checkElements, setMapping } from '../../values/weight.js';
import { aligned } from '../aligned.js';
import { binding, type NativeProgram } from '../binding.js';
import { ProgramWriter } from './wire.js';

/** The longest to keep the event loop, in ms. */
const slice = 2;
const nodesAtOnce = 64;
const weightsAtOnce = 256;

/** A snapshot whose elements nobody can change any more. */
export interface Taken extends Snapshot {
  /** Frees the copies. */
  release(): void;
}

/** V8 takes large buffers as a reason to collect garbage, and many small ones cost time. */
const bytesInView = 2 ** 24;

/**
 * Copies the elements that do not lie in a mapped file, once: both the build and the CPU backend use the copies where they lie.
 * @param shared whether another process will use them
 * @throws ERR_EMPTY_NETWORK, ERR_NO_OUTPUT; ERR_DISPOSED or ERR_WEIGHTS_CHANGED if the elements of a weight are gone
 */
export function take(net: Network, shared = false): Taken {
  const taken = snapshot(net);
  requireComplete(taken);
  let size = 0;
  const sizes = taken.weights.map((weight, id) => {
    const bytes = checkElements(weight, id);
    if (!weight.mapping) size += aligned(bytes);
    return bytes;
  });
  if (size === 0) return { ...taken, release() {} };
  const memory = binding().allocate(size, shared);
  let view: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let [begin, at] = [0, 0];
  const weights = taken.weights.map((weight, id): IRWeight => {
    const bytes = sizes[id]!;
    if (weight.mapping || bytes === 0) return weight;
    if (at + bytes > begin + view.length) {
      begin = at;
      view = new Uint8Array(memory.view(begin, Math.min(Math.max(bytes, bytesInView), size - begin)));
      // What records these weights again finds that they need no copy.
      setMapping(view.buffer, memory);
    }
    const copy = view.subarray(at - begin, at - begin + bytes);
    copy.set(bytesOf(weight.data));
    at += aligned(bytes);
    const data = viewAs(weight.dtype, copy);
    return { ...weight, data, mapping: memory, check: undefined, origin: originOf(weight.origin?.recipe, data) };
  });
  return { ...taken, weights, release: () => memory.close() };
}

/**
 * Hands a network to the addon in slices of a few milliseconds. Elements are used where they lie.
 * @param create makes the program; default: one of this process
 * @throws ERR_DISPOSED if the elements of a weight are gone
 */
export async function toProgram(
  { name, inputs, outputs, nodes, weights, debugIds }: Snapshot,
  create = (): NativeProgram => new (binding().Program)(name),
): Promise<NativeProgram> {
  const pace = new Pace(slice, nodesAtOnce);
  const program = create();
  await addWeights(program, weights, pace);
  const writer = new ProgramWriter();
  writer.start({ inputs: [...inputs], outputs: [...outputs], debugIds });
  for (const node of nodes) {
    writer.node(node);
    if (pace.due()) {
      program.addGraph(writer.take());
      await pace.rest();
    }
  }
  program.addGraph(writer.take());
  return program;
}

async function addWeights(program: NativeProgram, weights: readonly IRWeight[], pace: Pace): Promise<void> {
  for (let begin = 0; begin < weights.length; begin += weightsAtOnce) {
    const part = weights.slice(begin, begin + weightsAtOnce);
    for (const [i, weight] of part.entries()) checkElements(weight, begin + i);
    program.addWeights(part);
    if (pace.due(nodesAtOnce)) await pace.rest();
  }
}
