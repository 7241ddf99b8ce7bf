import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BuildOptions,
  float16,
  float32,
  loadEngine,
  loadWeights,
  type Network,
  network,
  type Profile,
  saveSafetensors,
  TensorRTError,
  type Weights,
  weight,
} from 'node-tensorrt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gpt2 } from '../../examples/gpt2/network.js';
import { resnet } from '../../examples/resnet50/network.js';
import { isFloat } from '../../src/values/dtype.js';
import { describeGpu, reportFigure } from './support.js';

type Precision = 'float32' | 'float16';

const folder = mkdtempSync(join(tmpdir(), 'refit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const example = (name: string) => new URL(`../../examples/${name}`, import.meta.url).pathname;

/** A file with other floats under the same names, of the same sign. */
async function otherThan(weights: Weights): Promise<Weights> {
  const path = join(folder, `${Math.random()}.safetensors`);
  const tensors = weights.names().map((name) => {
    const given = weights.get(name);
    if (!isFloat(given.dtype)) return [name, given] as const;
    const changed = given.toFloat32().map((value, i) => value * (1 + 0.2 * Math.sin(i)));
    return [name, weight(changed, given.shape)] as const;
  });
  await saveSafetensors(path, Object.fromEntries(tensors));
  return await loadWeights(path);
}

interface Model {
  file: string;
  record(w: Weights, dtype: Precision): Network;
  profile: Profile;
  feeds(dtype: Precision): Record<string, ReturnType<typeof feedOf>>;
}

function feedOf(dtype: Precision, shape: readonly number[]) {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 0.7));
  return { dtype, shape: [...shape], data: weight(values).as(dtype).data };
}

function lenet(weights: Weights, dtype: Precision): Network {
  const w = weights.as(dtype);
  const net = network('lenet', { data: (dtype === 'float32' ? float32 : float16)('batch', 1, 28, 28) });
  const pooled = net.conv2d(w.layer('conv1')).maxPool({ kernel: 2, stride: 2 }).conv2d(w.layer('conv2'));
  const hidden = pooled.maxPool({ kernel: 2, stride: 2 }).flatten().linear(w.layer('fc1')).relu();
  hidden.linear(w.layer('fc2')).output('logits');
  return net;
}

const models: Record<string, Model> = {
  LeNet: {
    file: 'mnist/lenet.safetensors',
    record: lenet,
    profile: { batch: [1, 4, 4] },
    feeds: (dtype) => ({ data: feedOf(dtype, [4, 1, 28, 28]) }),
  },
  'ResNet-50, narrow': {
    file: 'resnet50/weights.safetensors',
    record: (w, dtype) => resnet(w, { blocks: [3, 4, 6, 3], size: 64 }, dtype),
    profile: { batch: [1, 2, 2] },
    feeds: (dtype) => ({ image: feedOf(dtype, [2, 3, 64, 64]) }),
  },
  'GPT-2, small': {
    file: 'gpt2/weights.safetensors',
    record: (w, dtype) => gpt2(w, { layers: 3, heads: 4, eps: 1e-5 }, dtype),
    profile: { batch: 1, tokens: [1, 6, 6], past: [0, 1, 6] },
    feeds: (dtype) => ({
      input_ids: { dtype: 'int32', shape: [1, 6], data: Int32Array.of(3, 1, 4, 1, 5, 9) } as never,
      ...Object.fromEntries(
        [0, 1, 2].flatMap((i) =>
          ['key', 'value'].map((what) => [`past.${i}.${what}`, feedOf(dtype, [1, 4, 1, 16])] as const),
        ),
      ),
    }),
  },
};

/** Largest difference of the logits, as a part of the largest of them. */
const difference = (a: Float32Array, b: Float32Array): number => {
  const most = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0) / most;
};
/** Two builds may choose other kernels, which sum in another order. */
const allowed = { float32: 1e-4, float16: 2e-2 };

const cases = Object.keys(models).flatMap((name) =>
  (['float32', 'float16'] as const).map((dtype) => [name, dtype] as const),
);

describeGpu(
  'refit',
  () => {
    const stores = new Map<string, [Weights, Weights]>();
    beforeAll(async () => {
      for (const [name, { file }] of Object.entries(models)) {
        const first = await loadWeights(example(file));
        stores.set(name, [first, await otherThan(first)]);
      }
    });

    test.each(cases)('%s in %s computes what it computes when it is built from the other file', async (name, dtype) => {
      const { record, profile, feeds } = models[name]!;
      const [first, second] = stores.get(name)!;
      const options: BuildOptions = { profiles: [profile], tf32: false };
      const logits = async (engine: {
        run: (feeds: never) => Promise<Record<string, { toFloat32(): Float32Array }>>;
      }) => (await engine.run(feeds(dtype) as never)).logits!.toFloat32();
      const began = performance.now();
      using rebuilt = await record(second, dtype).build(options);
      const rebuildMs = performance.now() - began;
      const expected = await logits(rebuilt);
      for (const kind of [{ refit: true }, { refitIndividual: true }] as const) {
        const what = `${name} ${dtype} ${Object.keys(kind)}`;
        using engine = await record(first, dtype).build({ ...options, ...kind });
        const before = await logits(engine);
        const report = await engine.refit(second);
        const found = difference(await logits(engine), expected);
        const ms = report.ms.toFixed(1);
        console.log(
          `${what}: ${found} apart, refit ${ms} ms, build ${rebuildMs.toFixed(0)} ms; kept ${report.kept.join(', ').slice(0, 300)}`,
        );
        reportFigure(`${what}: largest difference of a logit from the rebuilt engine's`, found, allowed[dtype]);
        expect(report.missing).toEqual([]);
        expect(report.unused).toEqual(second.unused().filter((one) => !one.endsWith('num_batches_tracked')));
        expect(found).toBeLessThan(allowed[dtype]);
        expect(difference(before, expected)).toBeGreaterThan(allowed[dtype]);
        // Serialized with its weights.
        using loaded = await loadEngine(engine.bytes);
        expect(difference(await logits(loaded), expected)).toBeLessThan(allowed[dtype]);
        await engine.refit(first);
        expect(difference(await logits(engine), before)).toBeLessThan(1e-6);
      }
    });

    test.each([{ refit: true }, { refitIndividual: true }, { refitIdentical: true }] as const)(
      'a stripped plan of ResNet-50 with %j runs with the weights of the file',
      async (kind) => {
        const { record, profile, feeds } = models['ResNet-50, narrow']!;
        const [first] = stores.get('ResNet-50, narrow')!;
        const options: BuildOptions = { profiles: [profile], tf32: false, ...kind };
        using whole = await record(first, 'float16').build(options);
        using stripped = await record(first, 'float16').build({ ...options, stripPlan: true });
        console.log(`${Object.keys(kind)}: ${whole.size} bytes, stripped ${stripped.size}`);
        expect(stripped.size).toBeLessThan(whole.size);
        const error = await stripped.run(feeds('float16')).catch((one) => one);
        expect(error).toBeInstanceOf(TensorRTError);
        expect(error.code).toBe('ERR_ENGINE_WEIGHTS');
        await stripped.refit(first);
        const [a, b] = await Promise.all([stripped, whole].map((one) => one.run(feeds('float16'))));
        expect(difference(a!.logits!.toFloat32(), b!.logits!.toFloat32())).toBeLessThan(allowed.float16);
        const path = join(folder, 'refitted.plan');
        await stripped.save(path);
        using loaded = await loadEngine(readFileSync(path));
        const c = (await loaded.run(feeds('float16'))).logits!.toFloat32();
        expect(difference(c, b!.logits!.toFloat32())).toBeLessThan(allowed.float16);
      },
    );

    test('contexts, graphs and runs under way', async () => {
      const { record, profile, feeds } = models.LeNet!;
      const [first, second] = stores.get('LeNet')!;
      using engine = await record(first, 'float32').build({ profiles: [profile], tf32: false, refit: true });
      using rebuilt = await record(second, 'float32').build({ profiles: [profile], tf32: false });
      const logits = async (one: { run: typeof engine.run }) => (await one.run(feeds('float32'))).logits!.toFloat32();
      const [before, after] = [await logits(engine), await logits(rebuilt)];
      const contexts = await Promise.all(
        [{}, { cudaGraph: true }, { inFlight: 3 }].map((one) => engine.createContext(one)),
      );
      for (const context of contexts) for (let i = 0; i < 3; i++) await logits(context);
      const runs: Promise<Float32Array>[] = [];
      const refitted = engine.refit(second);
      for (let i = 0; i < 300; i++) {
        runs.push(logits(contexts[i % 3]!));
        if (i % 10 === 9) await new Promise(setImmediate);
      }
      await refitted;
      const found = await Promise.all(runs);
      for (const one of found) expect(Math.min(difference(one, before), difference(one, after))).toBeLessThan(1e-4);
      for (const context of contexts) expect(difference(await logits(context), after)).toBeLessThan(1e-4);
      for (const context of contexts) context.dispose();
    });
  },
  { files: ['examples'] },
);
