import { readFileSync } from 'node:fs';
import { loadWeights, type Result } from 'node-tensorrt';
import { expect, test } from 'vitest';
import { reader, stepper } from '../../examples/charrnn/network.js';
import { example } from './support.js';

const reference = JSON.parse(readFileSync(example('charrnn/reference.json'), 'utf8')) as {
  vocabulary: string;
  start: string;
  continuations: { prime: string; text: string }[];
};
const idsOf = (text: string) => Int32Array.from(text, (character) => reference.vocabulary.indexOf(character));
const places = 7;

test('steps without a loop write what PyTorch wrote, and keep it at its places', { timeout: 60_000 }, async () => {
  using w = await loadWeights(example('charrnn/charrnn.safetensors'));
  using prompts = await reader(w, 1).compile({ backend: 'cpu' });
  const net = stepper(w, places);
  using steps = await net.compile({ backend: 'cpu' });
  const zeros = { hidden: new Float32Array(512), cell: new Float32Array(512) };
  for (const { prime, text } of reference.continuations) {
    let results: Record<string, Result> = await prompts.run({ ids: idsOf(reference.start + prime), ...zeros });
    const state: Record<string, Result | Int32Array> = { slot: Int32Array.of(0), written: new Int32Array(places) };
    let said = '';
    for (let n = 0; n < text.length; n++) {
      for (const [name, result] of Object.entries(results))
        if (name.startsWith('next.')) state[name.slice('next.'.length)] = result;
      results = await steps.run(state);
      const written = results['next.written']!.data as Int32Array;
      said += reference.vocabulary[written[n % places]!];
      const last = Math.min(n + 1, places);
      for (let i = n + 1 - last; i <= n; i++) expect(reference.vocabulary[written[i % places]!]).toBe(text[i]);
    }
    expect(said).toBe(text);
  }
});

test('TensorRT builds a step whose outputs are its inputs', async () => {
  using w = await loadWeights(example('charrnn/charrnn.safetensors'));
  const net = stepper(w, 64);
  const outputs = net.outputs.map(({ name, tensor }) => [name, tensor.dtype, tensor.shape]);
  expect(outputs.sort()).toEqual(net.inputs.map(({ name, dtype, shape }) => [`next.${name}`, dtype, shape]).sort());
  expect(net.graph.nodes.map(({ kind }) => kind)).not.toContain('loop');
  await net.check();
  using engine = await net.build();
  expect(engine.size).toBeGreaterThan(4_000_000);
});
