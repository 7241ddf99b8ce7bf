// refit.ts [DTYPE…]: giving an engine the weights of another file, beside building it from that. With models that prepare has made.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, loadWeights, type Network, saveSafetensors, type Weights, weight } from 'node-tensorrt';
import { decoder } from '../../examples/gpt2/decoder.js';
import { resnet } from '../../examples/resnet50/network.js';
import type { Precision } from '../../examples/run.js';
import { median } from './measure.js';
import { section, work } from './report.js';

const weightsOf = (name: string) => join(work, 'models', name, 'weights.safetensors');

interface Case {
  model: string;
  record(w: Weights, dtype: Precision): Network;
  feeds(dtype: Precision): Record<string, unknown>;
  output: string;
}

const configOf = (w: Weights) => JSON.parse(w.metadata.get('config')!);
const length = 128;
const cases: Record<string, Case> = {
  'ResNet-50': {
    model: 'resnet50',
    record: (w, dtype) => resnet(w, configOf(w), dtype),
    feeds: (dtype) => ({ image: filled(dtype, [1, 3, 224, 224]) }),
    output: 'logits',
  },
  'GPT-2 small, a step': {
    model: 'gpt2',
    record: (w, dtype) => decoder(w, configOf(w), dtype, { length, tokens: 1 }),
    feeds: (dtype) => ({
      tokens: { shape: [1, 1], data: Int32Array.of(7) },
      position: { shape: [1], data: Int32Array.of(3) },
      written: { shape: [1, length], data: new Int32Array(length).fill(5) },
      ...Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => i).flatMap((i) =>
          ['key', 'value'].map((what) => [`cache.${i}.${what}`, filled(dtype, [1, 12, length, 64])]),
        ),
      ),
    }),
    output: 'logits',
  },
};

function filled(dtype: Precision, shape: readonly number[]) {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
  return { dtype, shape, data: weight(values).as(dtype).data };
}

/** A file with other floats of the same sign. */
async function otherThan(w: Weights, path: string): Promise<Weights> {
  const tensors = w.names().map((name) => {
    const given = w.get(name);
    if (given.dtype !== 'float32') return [name, given] as const;
    const data = Float32Array.from(given.data as Float32Array, (value, i) => value * (1 + 0.2 * ((i % 7) / 7)));
    return [name, weight(data, given.shape)] as const;
  });
  await saveSafetensors(path, Object.fromEntries(tensors), Object.fromEntries(w.metadata));
  return await loadWeights(path);
}

const refits = 5;
const given = process.argv.slice(2) as Precision[];
const wanted: readonly Precision[] = given.length > 0 ? given : ['float16', 'float32'];
const add = await section('refit', {
  title: 'Refit',
  note: `Weights of another file for an engine (refitIndividual), and an engine built from that file, batch 1, TF32 off; median of ${refits} refits, from the open file to the end. The difference is of the last outputs, as a part of the largest.`,
  head: ['network', 'precision', 'build, s', 'refit, ms', 'build / refit', 'largest difference', 'allowed', 'met'],
});
for (const [name, { model, record, feeds, output }] of Object.entries(cases)) {
  if (!existsSync(weightsOf(model))) {
    console.log(`${name}: no ${weightsOf(model)}`);
    process.exitCode = 1;
    continue;
  }
  const path = join(work, `${model}-other.safetensors`);
  const first = await loadWeights(weightsOf(model));
  const second = await otherThan(first, path);
  for (const dtype of wanted) {
    const run = async (engine: Engine) => (await engine.run(feeds(dtype) as never))[output]!.toFloat32();
    const began = performance.now();
    using rebuilt = await record(second, dtype).build({ tf32: false, profiles: profilesOf(name) });
    const buildMs = performance.now() - began;
    using engine = await record(first, dtype).build({ tf32: false, profiles: profilesOf(name), refitIndividual: true });
    await run(engine);
    const times: number[] = [];
    for (let i = 0; i < refits; i++) {
      await engine.refit(first);
      times.push((await engine.refit(second)).ms);
    }
    const [ours, theirs] = [await run(engine), await run(rebuilt)];
    const most = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const apart = ours.reduce((max, value, i) => Math.max(max, Math.abs(value - theirs[i]!)), 0) / most;
    const allowed = dtype === 'float32' ? 1e-4 : 2e-2;
    const ms = median(times);
    add(
      ...[name, dtype, (buildMs / 1000).toFixed(1), ms.toFixed(0), (buildMs / ms).toFixed(0)],
      ...[apart.toExponential(1), String(allowed), apart <= allowed ? 'yes' : 'no'],
    );
  }
  rmSync(path);
}

function profilesOf(name: string) {
  return name === 'ResNet-50' ? [{ batch: [1, 1, 1] as const }] : undefined;
}
