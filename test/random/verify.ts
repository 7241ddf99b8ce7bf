import { TensorRTError } from '../../src/index.js';
import type { DType } from '../../src/values/dtype.js';
import { decodeElements } from '../../src/values/elements.js';
import { expectClose, expectSameInference } from '../layers/harness.js';
import { leaves, misjudged, type RandomGraph, record } from './description.js';
import { render } from './render.js';
import { type Part, restrict, shrink } from './shrink.js';

export interface Failure {
  stage: 'record' | 'infer' | 'check' | 'build' | 'run';
  message: string;
}

/**
 * float32 values are at most 20, after up to 40 calls; graph.py bounded each graph's own sensitivity. The references of halves
 * are rounded after every call, as in a run. A value near a rounding boundary may round the other way, by one step of the
 * dtype: four steps are allowed, but only for a few values, see `leastExact`.
 */
const tolerances: Partial<Record<DType, { atol: number; rtol: number }>> = {
  float32: { atol: 1e-4, rtol: 1e-4 },
  float16: { atol: 0.1 * 2 ** -8, rtol: 2 ** -8 },
  bfloat16: { atol: 0.1 * 2 ** -5, rtol: 2 ** -5 },
};

/** Required share of a graph's float16 or bfloat16 elements that equal the reference; the smallest found is 0.89. */
const leastExact = 0.8;

async function runAndCompare({ graph, outputs }: Part, least = 0): Promise<void> {
  const { net } = record(graph, outputs);
  using model = await net.compile({ backend: 'cpu' });
  const feeds = Object.fromEntries(graph.description.inputs.map(([name]) => [name, graph.tensors.get(name)!]));
  const run = await model.run(feeds);
  let [exact, halves] = [0, 0];
  for (const name of outputs) {
    const expected = graph.tensors.get(name)!;
    const { m } = graph.description.layers.find(({ out }) => out.some(([result]) => result === name))!;
    try {
      expectClose(run[name]!, expected, tolerances[expected.dtype]);
    } catch (error) {
      throw new Error(`${name}, made by ${m}: ${(error as Error).message}`);
    }
    if (expected.dtype !== 'float16' && expected.dtype !== 'bfloat16') continue;
    const [ours, theirs] = [run[name]!, expected].map(({ dtype, data }) => decodeElements(dtype, data, data.length));
    halves += theirs!.length;
    for (let i = 0; i < theirs!.length; i++) if (ours![i] === theirs![i]) exact++;
  }
  if (exact < least * halves) throw new Error(`only ${exact} of ${halves} elements equal the reference`);
}

const everything = ({ description }: RandomGraph) => description.layers.flatMap(({ out }) => out.map(([name]) => name));

/**
 * Records a graph, compares inference with the references and with TensorRT, builds an engine, and runs it on the CPU
 * backend, both as it is and with every value as an output.
 */
export async function verify(part: Part, isBuilt = true): Promise<Failure | undefined> {
  const { graph, outputs } = part;
  const { sizes } = graph.description;
  let stage: Failure['stage'] = 'record';
  try {
    const { net, tensors } = record(graph, outputs);
    stage = 'infer';
    for (const [name, tensor] of tensors) {
      const expected = graph.tensors.get(name);
      const wrong = expected && misjudged(tensor, expected, sizes);
      if (wrong) throw new Error(`${name}: inferred ${wrong}`);
    }
    stage = 'check';
    await expectSameInference(net);
    stage = 'build';
    if (isBuilt) (await net.build({ profiles: sizes && [sizes] })).dispose();
    stage = 'run';
    await runAndCompare({ graph, outputs: everything(graph) }, leastExact);
    await runAndCompare(part);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return { stage, message: error instanceof TensorRTError ? `${error.code}: ${message}` : message };
  }
}

/**
 * Identifies a failure. Wrong inference is identified by its value, which comes first in the message; differing runs all
 * count as one. Other messages are identified by their beginning, without names and numbers.
 */
function signature({ stage, message }: Failure): string {
  if (stage === 'run') return stage;
  return `${stage}: ${stage === 'infer' ? message.split(':')[0] : message.replace(/\b[a-z]*_?\d+\b/g, '').slice(0, 80)}`;
}

/** Builds an engine of a whole graph. */
export async function buildOnly(graph: RandomGraph): Promise<void> {
  const { sizes } = graph.description;
  const { net } = record(graph, leaves(graph.description));
  (await net.build({ profiles: sizes && [sizes] })).dispose();
}

/** Verifies a whole graph; if it fails, returns the smallest program found that fails in the same way. */
export async function explain(graph: RandomGraph, isBuilt = true): Promise<string | undefined> {
  const whole = { graph, outputs: leaves(graph.description) };
  const failure = await verify(whole, isBuilt);
  if (!failure) return undefined;
  const fails = async (part: Part) => {
    const found = await verify(part, failure.stage === 'build');
    return found !== undefined && signature(found) === signature(failure);
  };
  const { graph: small, outputs } = await shrink(restrict(whole), fails);
  return `${failure.stage}: ${failure.message}\n\n${render(small, outputs)}`;
}
