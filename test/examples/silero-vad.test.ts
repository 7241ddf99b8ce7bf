import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWeights, type Model } from 'node-tensorrt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { floats, readWav, writeWav } from '../../examples/audio.js';
import { loadDetector, probabilities, segments } from '../../examples/silero-vad/main.js';
import { sound } from '../../examples/silero-vad/sound.js';
import { example, runExample } from './support.js';

/** What the package silero-vad computed, with the same weights; see examples/silero-vad/reference.py. */
const reference = await loadWeights(example('silero-vad/reference.safetensors'));
const expected = [...reference.get('speech').toFloat32()];
const spoken = reference.get('segments');
const pairs = Array.from({ length: spoken.shape[0]! }, (_, i) => [...spoken.data.slice(2 * i, 2 * i + 2)].map(Number));

let heard: Int16Array;
let model: Model;
beforeAll(async () => {
  heard = await sound();
  model = await loadDetector();
});
afterAll(() => model.dispose());

const most = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((one, i) => Math.abs(one - b[i]!)));

test('the sound is the one that the package heard', () => {
  expect(createHash('sha256').update(heard).digest('hex')).toBe(reference.metadata.get('sha256'));
});

test('each chunk has the probability that PyTorch computes, with the states of those before', async () => {
  const found = await probabilities(model, floats(heard));
  expect(found).toHaveLength(expected.length);
  expect(most(found, expected)).toBeLessThan(1e-4);
  // A chunk that forgets all before it is heard differently.
  const at = expected.findIndex((one) => one > 0.9) * 512;
  const [alone] = await probabilities(model, floats(heard).slice(at, at + 512));
  expect(Math.abs(alone! - expected[at / 512]!)).toBeGreaterThan(0.1);
});

test('speech begins and ends where the package says', () => {
  expect(pairs).toHaveLength(3);
  expect(segments(expected, heard.length).map(({ start, end }) => [start, end])).toEqual(pairs);
  const all = segments(Array(20).fill(0.9), 10_000);
  expect(all).toEqual([{ start: 0, end: 10_000 }]);
  expect(segments([0, 0.6, 0.6, 0.4, 0, 0, 0, 0, 0], 4608)).toEqual([]);
});

test('TensorRT builds an engine of it', () => {
  expect(model.engine?.library.version).toMatch(/^\d+\.\d+\.\d+/);
});

test('its program reads a WAV file, and prints when somebody speaks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'speech-'));
  try {
    const file = join(folder, 'sound.wav');
    await writeWav(file, heard);
    expect(Buffer.from((await readWav(file)).buffer).equals(Buffer.from(heard.buffer))).toBe(true);
    const lines = await runExample('silero-vad/main.ts', [file, '--cpu', '--json']);
    const { backend, segments } = JSON.parse(lines.at(-1)!);
    expect([backend, segments]).toEqual(['cpu', pairs.map((pair) => pair.map((samples) => samples / 16_000))]);
    expect(lines[0]).toBe('0.96 s to 2.05 s: speech');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
