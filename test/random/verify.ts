import { TensorRTError } from '../../src/index.js';
import type { DType } from '../../src/values/dtype.js';
import { expectClose, expectSameInference } from '../layers/harness.js';
import { type Description, leaves, misjudged, type RandomGraph, record, usedBy } from './description.js';
import { render } from './render.js';
import { type Part, restrict, shrink } from './shrink.js';

export interface Failure {
  stage: 'record' | 'infer' | 'check' | 'build' | 'run';
  message: string;
}

/** Errors that graph.py put on the result of every call, by the dtype that a graph computes in. */
const noises: Partial<Record<DType, number>> = { float16: 2 ** -8, bfloat16: 2 ** -5 };

/**
 * For float32 values of at most 20, through up to 40 calls; each graph's own sensitivity was bounded when it was made, as
 * it was for the halves, by the number of calls that led to a value.
 */
function toleranceOf(dtype: DType, depth: number): { atol: number; rtol: number } | undefined {
  if (dtype === 'float32') return { atol: 1e-4, rtol: 1e-4 };
  const noise = noises[dtype];
  if (noise === undefined) return undefined;
  const rtol = noise * (2 + depth / 2);
  return { atol: 0.1 * rtol, rtol };
}

/** How many calls lead to each value, its own included. */
function depthsOf({ layers }: Description): Map<string, number> {
  const depths = new Map<string, number>();
  for (const layer of layers) {
    const depth = 1 + Math.max(0, ...[...usedBy(layer)].map((name) => depths.get(name) ?? 0));
    for (const [name] of layer.out) depths.set(name, depth);
  }
  return depths;
}

async function runAndCompare({ graph, outputs }: Part): Promise<void> {
  const { net } = record(graph, outputs);
  using model = await net.compile({ backend: 'cpu' });
  const feeds = Object.fromEntries(graph.description.inputs.map(([name]) => [name, graph.tensors.get(name)!]));
  const run = await model.run(feeds);
  const depths = depthsOf(graph.description);
  for (const name of outputs) {
    const expected = graph.tensors.get(name)!;
    const { m } = graph.description.layers.find(({ out }) => out.some(([result]) => result === name))!;
    try {
      expectClose(run[name]!, expected, toleranceOf(expected.dtype, depths.get(name)!));
    } catch (error) {
      throw new Error(`${name}, made by ${m}: ${(error as Error).message}`);
    }
  }
}

const everything = ({ description }: RandomGraph) => description.layers.flatMap(({ out }) => out.map(([name]) => name));

/**
 * Records a graph, compares inference with the references and with TensorRT, builds an engine, and runs it on the CPU
 * backend: as it is, and with every value as output.
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
    await runAndCompare({ graph, outputs: everything(graph) });
    await runAndCompare(part);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return { stage, message: error instanceof TensorRTError ? `${error.code}: ${message}` : message };
  }
}

/**
 * What tells one failure from another. Inference is wrong at a value, which comes first in the message, and a run may
 * differ anywhere; of other messages the beginning counts, without names and numbers.
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

/** Verifies a whole graph; a failing one comes back as the smallest program found that fails alike. */
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
