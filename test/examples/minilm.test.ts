import { loadWeights, type Model } from 'node-tensorrt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cosine, embed, loadMiniLm, tokenize } from '../../examples/minilm/main.js';
import { example, runExample } from './support.js';

/** What sentence-transformers computed; see examples/minilm/reference.py. */
const reference = await loadWeights(example('minilm/reference.safetensors'));
const texts = JSON.parse(reference.metadata.get('sentences')!) as string[];

let model: Model;
beforeAll(async () => {
  model = await loadMiniLm();
}, 300_000);
afterAll(() => model.dispose());

test('sentences have the tokens that they have in Python', async () => {
  const expected = texts.map((_, i) => [...reference.get(`tokens.${i}`).data].map(Number));
  expect(Math.max(...expected.map(({ length }) => length))).toBe(256);
  expect(await tokenize(texts)).toEqual(expected);
});

test('sentences of different lengths have the vectors of sentence-transformers', async () => {
  const [count, size] = reference.get('embedding').shape as [number, number];
  const expected = reference.get('embedding').toFloat32();
  const found = await embed(model, texts);
  expect(found).toHaveLength(count);
  for (const [i, vector] of found.entries()) {
    const own = expected.subarray(i * size, (i + 1) * size);
    expect(Math.max(...vector.map((one, j) => Math.abs(one - own[j]!))), texts[i]).toBeLessThan(1e-4);
    expect(cosine(vector, vector)).toBeCloseTo(1, 5);
  }
});

test('TensorRT builds an engine of it', () => {
  expect(model.engine?.library.version).toMatch(/^\d+\.\d+\.\d+/);
});

test('its program prints how much sentences mean the same', { timeout: 120_000 }, async () => {
  const some = texts.slice(0, 3);
  const lines = await runExample('minilm/main.ts', [...some, '--cpu', '--json']);
  const { backend, similarities } = JSON.parse(lines.at(-1)!);
  expect([backend, similarities.length]).toEqual(['cpu', 3]);
  const [, size] = reference.get('embedding').shape as [number, number];
  const vector = (i: number) =>
    reference
      .get('embedding')
      .toFloat32()
      .slice(i * size, (i + 1) * size);
  for (const i of [0, 1, 2])
    for (const j of [0, 1, 2]) expect(similarities[i][j]).toBeCloseTo(cosine(vector(i), vector(j)), 4);
  expect(lines[2]).toBe(`-0.07  0.01  1.00  ${some[2]}`);
});
