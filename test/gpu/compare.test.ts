import {
  compareModels,
  describeEngine,
  diffEngines,
  float16,
  float32,
  loadWeights,
  Network,
  network,
  type Weights,
} from 'node-tensorrt';
import { expect, test } from 'vitest';
import { bert, port } from '../../examples/bert/network.js';
import { filesOf } from '../../examples/run.js';
import { describeGpu, reportFigure } from './support.js';

const files = filesOf('bert');
/** So that float32 is float32 on the GPU, too. */
const exact = { backend: 'tensorrt', tf32: false, optimizationLevel: 1, profiles: port.profiles } as const;

function networks(weights: Weights, eps: number, which: number) {
  const right = bert(weights, { layers: 3, heads: 4, eps: 1e-12 }, 'float32');
  const json = JSON.parse(JSON.stringify(right.toJSON()));
  const faulty = json.nodes.filter(({ kind }: { kind: string }) => kind === 'normalization')[which];
  faulty.params.eps = eps;
  return { right, wrong: Network.fromJSON(json, weights.as('float32')), name: faulty.name as string };
}

describeGpu('comparing on a GPU', () => {
  test('BERT agrees with the CPU backend; a wrong epsilon deep in it does not, and is found', async () => {
    using weights = await loadWeights(files.weights);
    using reference = await loadWeights(files.reference);
    const { right, wrong, name } = networks(weights, 1e-2, 4);
    const inputs = ['input_ids', 'attention_mask', 'token_type_ids'];
    const feeds = Object.fromEntries(inputs.map((one) => [one, reference.get(`sentences.${one}`).as('int32')]));
    const cpu = { network: right, options: { backend: 'cpu' } } as const;
    const same = await compareModels(cpu, { network: right, options: exact }, { feeds });
    for (const { output, relative, thresholds } of same.outputs) {
      reportFigure(`BERT's ${output} beside the CPU`, relative!, thresholds.relative);
    }
    expect(same.outputs.flatMap(({ reasons }) => reasons)).toEqual([]);
    const { agrees, bisection } = await compareModels(cpu, { network: wrong, options: exact }, { feeds, bisect: true });
    console.log(bisection?.notes, bisection?.runs);
    expect(agrees).toBe(false);
    expect(bisection).toMatchObject({ confirmed: true, stretch: [name], first: { name, kind: 'normalization' } });
  });

  test('engines of one network: other kernels, fused otherwise, times of layers', async () => {
    const made = (useFp32Acc: boolean) => {
      const net = network('product', { x: float16(64, 512) });
      const weight = { dtype: 'float16', shape: [256, 512], data: new Uint16Array(256 * 512).fill(0x2000) };
      net.linear({ weight, useFp32Acc, name: 'product' }).relu({ name: 'act' }).output('y');
      return net.build({ profilingVerbosity: 'detailed' });
    };
    using a = await made(true);
    using b = await made(false);
    const facts = async (engine: typeof a) => {
      const description = describeEngine(await engine.inspect());
      using context = await engine.createContext();
      const { layers } = await context.profile({ x: new Uint16Array(64 * 512) });
      return { description, size: engine.size, times: layers };
    };
    const [x, y] = [await facts(a), await facts(b)];
    console.log(
      JSON.stringify(
        x.description.layers.map(({ name, layers, type, kernel, precision }) => ({
          name,
          layers,
          type,
          kernel,
          precision,
        })),
      ),
    );
    expect(x.description.verbosity).toBe('detailed');
    expect(x.description.layers.some(({ layers }) => layers.includes('product'))).toBe(true);
    expect(x.description.layers.some(({ precision }) => precision === 'float16')).toBe(true);
    // Every layer that was timed is one of those described.
    const names = new Set(x.description.layers.map(({ name }) => name));
    expect(x.times.filter(({ name }) => !names.has(name)).map(({ name }) => name)).toEqual([]);
    const difference = diffEngines(x, y);
    expect(difference.same).toBe(false);
    expect(difference.totalMs!.a).toBeGreaterThan(0);
    expect(diffEngines(x, x)).toMatchObject({ same: true, layers: [] });
  });

  test('layers that TensorRT compiles from several are named by their metadata', async () => {
    using weights = await loadWeights(files.weights);
    const net = bert(weights, { layers: 3, heads: 4, eps: 1e-12 }, 'float16');
    using engine = await net.build({ profilingVerbosity: 'detailed', optimizationLevel: 1, profiles: port.profiles });
    const { layers } = describeEngine(await engine.inspect());
    const known = new Set(net.graph.nodes.map(({ name }) => name));
    const named = layers.filter((layer) => layer.layers.some((name) => known.has(name)));
    console.log(layers.slice(0, 4), layers.length, named.length);
    reportFigure("BERT's layers whose origin is known", named.length / layers.length);
    expect(named.length).toBeGreaterThan(0);
  });

  test('the profiles of an engine that was loaded are those it was built with', async () => {
    const { loadEngine } = await import('node-tensorrt');
    const net = network('dynamic', { x: float32('batch', 4) });
    net.relu().output('y');
    using engine = await net.build({ profiles: [{ batch: [1, 2, 8] }, { batch: [8, 16, 32] }] });
    using loaded = await loadEngine(engine.bytes);
    expect(loaded.profiles).toEqual(engine.profiles);
    expect(loaded.profiles![1]).toEqual({ x: { min: [8, 4], opt: [16, 4], max: [32, 4] } });
  });
});
