import { readFileSync } from 'node:fs';
import { type Feed, loadWeights, type Result } from 'node-tensorrt';
import { describe, expect, test } from 'vitest';
import { type CacheUpdate, decoder } from '../../examples/gpt2/decoder.js';
import { Generator } from '../../examples/gpt2/generate.js';
import type { Gpt2Config } from '../../examples/gpt2/network.js';
import { difference, filesOf } from '../../examples/run.js';

import { tolerance } from './models.js';
import { example, runExample } from './support.js';

const updates: CacheUpdate[] = ['select', 'in-place'];

/** What transformers wrote, and with which weights; see examples/gpt2/generate.py. */
const cases = JSON.parse(readFileSync(example('gpt2/generate.json'), 'utf8')) as {
  prompt: number[];
  tokens: number[];
  gap: number;
}[];
const stored = await loadWeights(example('gpt2/generate.safetensors'));
const config = JSON.parse(stored.metadata.get('config')!) as Gpt2Config;
const small = { backend: 'cpu', length: 64 } as const;

async function listOf(tokens: AsyncIterable<number>): Promise<number[]> {
  const list: number[] = [];
  for await (const token of tokens) list.push(token);
  return list;
}

test('the stored continuations vary, and are no close calls', () => {
  expect(cases.length).toBeGreaterThanOrEqual(4);
  for (const { prompt, tokens, gap } of cases) {
    expect(prompt.length + tokens.length).toBeLessThanOrEqual(64);
    expect(new Set(tokens).size).toBeGreaterThanOrEqual(9);
    // Two logits differ by rounding of about 1e-6.
    expect(gap).toBeGreaterThan(1e-3);
  }
});

describe.each(updates)('a decoder that updates its cache by %s', (update) => {
  test('writes what transformers wrote, text after text', async () => {
    using generator = await Generator.load(stored, config, { ...small, update });
    for (const { prompt, tokens } of cases)
      expect(await listOf(generator.generate(prompt, { maxTokens: tokens.length }))).toEqual(tokens);
  });

  test('computes the logits, keys and values of PyTorch for two texts at once', async () => {
    using w = await loadWeights(filesOf('gpt2').weights);
    using reference = await loadWeights(filesOf('gpt2').reference);
    const gpt2 = JSON.parse(w.metadata.get('config')!) as Gpt2Config;
    const length = 16;
    const network = (tokens: number | string) => decoder(w, gpt2, 'float32', { length, tokens, batch: 2, update });
    const step = network(1);
    using prompts = await network('tokens').compile({ backend: 'cpu' });
    using steps = await step.compile({ backend: 'cpu' });
    let feeds: Record<string, Feed> = Object.fromEntries(
      step.inputs.map(({ name, dtype, shape }) => {
        const count = (shape as number[]).reduce((a, b) => a * b, 1);
        return [name, dtype === 'int32' ? new Int32Array(count) : new Float32Array(count)];
      }),
    );
    feeds.tokens = reference.get('prefill.input_ids');
    let end = 6;
    for (const run of ['prefill', 'decode1', 'decode2', 'decode3', 'decode4']) {
      const results: Record<string, Result> = await (run === 'prefill' ? prompts : steps).run(feeds);
      const all = reference.get(`${run}.logits`);
      const [batch, tokens, vocabulary] = all.shape as [number, number, number];
      const rows = Array.from({ length: batch }, (_, b) => {
        const from = ((b + 1) * tokens - 1) * vocabulary;
        return (all.data as Float32Array).subarray(from, from + vocabulary);
      });
      const wanted = Float32Array.from(rows.flatMap((row) => [...row]));
      expect(difference(results.logits!.toFloat32(), wanted), run).toBeLessThan(tolerance.float32);
      expect([...results['next.tokens']!.data].map(Number)).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
      expect([...results['next.position']!.data].map(Number)).toEqual([end]);
      for (const what of ['key', 'value']) {
        const expected = reference.get(`${run}.present.1.${what}`);
        const given = results[`next.cache.1.${what}`]!;
        const [, heads, places, size] = expected.shape as [number, number, number, number];
        expect(places).toBe(end);
        const cut = Float32Array.from({ length: 2 * heads * places * size }, (_, i) => {
          const head = Math.floor(i / (places * size));
          return (given.data as Float32Array)[head * length * size + (i % (places * size))]!;
        });
        expect(difference(cut, expected.data as Float32Array), what).toBeLessThan(tolerance.float32);
      }
      feeds = Object.fromEntries(step.inputs.map(({ name }) => [name, results[`next.${name}`]!]));
      end++;
    }
    // Both texts, as far as they were written.
    const written = [...(feeds.written as Result).data].map(Number);
    const said = (run: string) => [...reference.get(`${run}.input_ids`).data].map(Number);
    for (const b of [0, 1]) {
      const tokens = ['decode1', 'decode2', 'decode3', 'decode4'].map((run) => said(run)[b]);
      expect(written.slice(b * length + 6, b * length + 10)).toEqual(tokens);
    }
  });

  test('builds with TensorRT, in both precisions', { timeout: 120_000 }, async () => {
    for (const precision of ['float32', 'float16'] as const) {
      const options = { length: 64, update };
      const step = decoder(stored, config, precision, { ...options, tokens: 1 });
      expect(step.outputs.map(({ name, tensor }) => [name, tensor.dtype, tensor.shape])).toEqual(
        expect.arrayContaining(step.inputs.map(({ name, dtype, shape }) => [`next.${name}`, dtype, shape])),
      );
      await step.check();
      using _engine = await step.build();
      const prompt = decoder(stored, config, precision, { ...options, tokens: 'tokens' });
      using _other = await prompt.build({ profiles: [{ tokens: [1, 16, 63] }] });
    }
  });
});

describe('a generator', () => {
  const [{ prompt, tokens }] = cases as [(typeof cases)[0]];

  test('stops after the end token, after maxTokens, and where there is no more room', async () => {
    using generator = await Generator.load(stored, config, { ...small, length: 32 });
    const all = await listOf(generator.generate(prompt));
    expect(all).toEqual(tokens.slice(0, 31));
    const endToken = all[9]!;
    const first = all.indexOf(endToken);
    expect(await listOf(generator.generate(prompt, { endToken }))).toEqual(all.slice(0, first + 1));
    expect(await listOf(generator.generate(prompt, { maxTokens: 1 }))).toEqual(all.slice(0, 1));
  });

  test('takes one text at a time, and the next when that was given up', async () => {
    using generator = await Generator.load(stored, config, small);
    for await (const token of generator.generate(prompt)) {
      expect(token).toBe(tokens[0]);
      await expect(generator.generate(prompt).next()).rejects.toThrow(/one text at a time/);
      break;
    }
    expect(await listOf(generator.generate(prompt, { maxTokens: 3 }))).toEqual(tokens.slice(0, 3));
  });

  test('refuses what it cannot read or has no room for', async () => {
    using generator = await Generator.load(stored, config, small);
    const refused = (prompt: number[], maxTokens?: number) =>
      expect(generator.generate(prompt, { maxTokens }).next()).rejects;
    for (const prompt of [[], [64], [-1], [0.5]])
      await refused(prompt).toThrow(/prompt: expected whole numbers from 0/);
    await refused(prompt, 64).toThrow(/maxTokens: expected a whole number from 1 to 63, given 64/);
    await refused(prompt, 0).toThrow(/maxTokens/);
    await refused(Array(64).fill(1)).toThrow(/from 1 to 0/);
    await expect(Generator.load(stored, config, { ...small, length: 65 })).rejects.toThrow(
      /length: expected at most 64/,
    );
  });

  test('is a program that prints its tokens', async () => {
    const lines = await runExample('gpt2/generate.ts', ['--cpu', '--json', '--max-tokens', '5']);
    const { backend, tokens } = JSON.parse(lines.at(-1)!);
    expect([backend, tokens.length]).toEqual(['cpu', 5]);
  });
});
