import { loadWeights, type Model } from 'node-tensorrt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { floats } from '../../examples/audio.js';
import { framesOf, loadCrepe, melody, pitches, tones } from '../../examples/crepe/main.js';
import { example, runExample } from './support.js';

let model: Model;
beforeAll(async () => {
  model = await loadCrepe();
});
afterAll(() => model.dispose());

test('computes the probabilities of torchcrepe, of a glide with noise', async () => {
  const reference = await loadWeights(example('crepe/reference.safetensors'));
  const frames = framesOf(reference.get('samples').toFloat32());
  const { probability } = await model.run({ frames });
  const expected = reference.get('probability', { shape: probability!.shape }).toFloat32();
  const differences = probability!.toFloat32().map((one, i) => Math.abs(one - expected[i]!));
  expect(Math.max(...differences)).toBeLessThan(1e-4);
  expect(Math.max(...expected)).toBeGreaterThan(0.5);
});

test('finds the tones within 25 cents, but where one follows another', async () => {
  const found = await pitches(model, floats(melody()));
  expect(found).toHaveLength(176);
  for (const [i, hz] of tones.entries()) {
    const frames = found.slice(25 * i + 4, 25 * i + 21);
    expect(frames).toHaveLength(17);
    for (const frame of frames) {
      expect(Math.abs(1200 * Math.log2(frame.hz / hz)), `${frame.hz} Hz at ${frame.seconds} s`).toBeLessThan(25);
      expect(frame.confidence).toBeGreaterThan(0.5);
    }
  }
});

test('TensorRT builds an engine of it', () => {
  expect(model.engine?.library.version).toMatch(/^\d+\.\d+\.\d+/);
});

test('its program prints a pitch every 10 ms', async () => {
  const lines = await runExample('crepe/main.ts', ['--cpu', '--json']);
  const report = JSON.parse(lines.at(-1)!);
  expect([report.backend, report.pitches.length]).toEqual(['cpu', 176]);
  expect(lines[10]).toMatch(/^0\.10 s {2}1\d\d\.\d Hz {2}\d\d %$/);
});
