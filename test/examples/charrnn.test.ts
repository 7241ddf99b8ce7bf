import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { findTensorRT } from '../../src/index.js';
import { cleanEnv } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { example, readSafetensors, runExample } from './support.js';

interface Reference {
  vocabulary: string;
  loss: number;
  start: string;
  length: number;
  continuations: { prime: string; text: string; gap: number }[];
}

const reference = JSON.parse(readFileSync(example('charrnn/reference.json'), 'utf8')) as Reference;
const weights = readSafetensors(example('charrnn/charrnn.safetensors'));
const hidden = 256;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function addMatrix(y: Float64Array, name: string, x: ArrayLike<number>): void {
  const w = weights[name]!.data;
  for (let o = 0; o < y.length; o++) {
    let sum = 0;
    for (let k = 0; k < x.length; k++) sum += w[o * x.length + k]! * x[k]!;
    y[o]! += sum;
  }
}

/** The model in plain arithmetic: reads a character, returns its logits. Gates i, f, g, o, as PyTorch documents LSTM. */
function model(): (id: number) => number[] {
  const h = [new Float64Array(hidden), new Float64Array(hidden)];
  const c = [new Float64Array(hidden), new Float64Array(hidden)];
  return (id) => {
    let x: ArrayLike<number> = weights['embedding.weight']!.data.subarray(id * hidden, (id + 1) * hidden);
    for (const layer of [0, 1]) {
      const hh = weights[`lstm.bias_hh_l${layer}`]!.data;
      const gates = Float64Array.from(weights[`lstm.bias_ih_l${layer}`]!.data, (bias, i) => bias + hh[i]!);
      addMatrix(gates, `lstm.weight_ih_l${layer}`, x);
      addMatrix(gates, `lstm.weight_hh_l${layer}`, h[layer]!);
      for (let k = 0; k < hidden; k++) {
        const [i, f, g, o] = [0, 1, 2, 3].map((gate) => gates[gate * hidden + k]!) as [number, number, number, number];
        c[layer]![k] = sigmoid(f) * c[layer]![k]! + sigmoid(i) * Math.tanh(g);
        h[layer]![k] = sigmoid(o) * Math.tanh(c[layer]![k]!);
      }
      x = h[layer]!;
    }
    const logits = Float64Array.from(weights['linear.bias']!.data);
    addMatrix(logits, 'linear.weight', x);
    return Array.from(logits);
  };
}

describe('stored files', () => {
  test('two LSTM layers, an embedding and a linear layer in less than 6 MB', () => {
    expect(Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.shape]))).toEqual({
      'embedding.weight': [65, hidden],
      ...Object.fromEntries(
        [0, 1].flatMap((layer) => [
          [`lstm.weight_ih_l${layer}`, [4 * hidden, hidden]],
          [`lstm.weight_hh_l${layer}`, [4 * hidden, hidden]],
          [`lstm.bias_ih_l${layer}`, [4 * hidden]],
          [`lstm.bias_hh_l${layer}`, [4 * hidden]],
        ]),
      ),
      'linear.weight': [65, hidden],
      'linear.bias': [65],
    });
    expect(statSync(example('charrnn/charrnn.safetensors')).size).toBeLessThan(6e6);
  });

  test('65 characters in ascending order, and at least 8 primes, ROMEO among them', () => {
    const characters = [...reference.vocabulary];
    expect(characters).toHaveLength(65);
    expect(new Set(characters).size).toBe(65);
    expect(characters.toSorted()).toEqual(characters);
    expect(reference.loss).toBeLessThan(1.7);
    expect(reference.start).toBe('\n');
    expect(reference.length).toBe(200);
    const { continuations } = reference;
    expect(continuations.length).toBeGreaterThanOrEqual(8);
    expect(continuations.map(({ prime }) => prime)).toContain('ROMEO');
    for (const { prime, text, gap } of continuations) {
      expect(text).toHaveLength(200);
      expect([...prime, ...text].every((character) => characters.includes(character))).toBe(true);
      expect(gap).toBeGreaterThanOrEqual(1e-3);
    }
  });

  const closestCalls = reference.continuations.toSorted((a, b) => a.gap - b.gap).slice(0, 4);
  test.each(closestCalls)('plain arithmetic continues $prime as PyTorch did', ({ prime, text, gap }) => {
    const read = model();
    let logits: number[] = [];
    for (const character of reference.start + prime) logits = read(reference.vocabulary.indexOf(character));
    let written = '';
    let closest = Number.POSITIVE_INFINITY;
    for (let n = 0; n < reference.length; n++) {
      const [best, second] = logits.toSorted((a, b) => b - a);
      closest = Math.min(closest, best! - second!);
      const id = logits.indexOf(best!);
      written += reference.vocabulary[id];
      logits = read(id);
    }
    expect(written).toBe(text);
    expect(closest).toBeCloseTo(gap, 4);
  });
});

describe('main.ts', () => {
  const { prime, text } = reference.continuations.find(({ prime }) => prime === 'ROMEO')!;

  describe('--json', () => {
    let lines: string[];
    beforeAll(async () => {
      lines = await runExample('charrnn/main.ts', ['--json', '--prime', prime, '--length', '200']);
    }, 120_000);

    test('writes what PyTorch wrote, from every stored prime, and builds a real engine', () => {
      const summary = JSON.parse(lines.at(-1)!);
      expect(Object.keys(summary)).toEqual(['backend', 'text', 'matchesPyTorch', 'charsPerSecond', 'engineBytes']);
      expect(['tensorrt', 'cpu']).toContain(summary.backend);
      expect(summary.text).toBe(text);
      expect(summary.matchesPyTorch).toBe(true);
      expect(summary.charsPerSecond).toBeGreaterThan(20);
      // Its weights alone take more.
      expect(summary.engineBytes).toBeGreaterThan(4_000_000);
    });

    test('shows the text before', () => {
      expect(lines.join('\n')).toContain(prime + text);
    });
  });

  test('samples among the likeliest characters', async () => {
    const lines = await runExample('charrnn/main.ts', ['--prime', prime, '--length', '120', '--top-k', '20']);
    const written = lines.join('\n').slice(prime.length, prime.length + 120);
    expect([...written].every((character) => reference.vocabulary.includes(character))).toBe(true);
    expect(written).not.toBe(text.slice(0, 120));
  }, 60_000);

  const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, ['--import', 'tsx', example('charrnn/main.ts'), ...args], {
      env: cleanEnv(env),
      encoding: 'utf8',
    });

  const cache = temporaryFolder();
  test('a prime longer than the engine reads at once goes in parts; without TensorRT, engineBytes is null', async () => {
    const long = reference.continuations
      .map(({ text }) => text)
      .join('')
      .slice(0, 600);
    const read = model();
    let logits: number[] = [];
    for (const character of reference.start + long) logits = read(reference.vocabulary.indexOf(character));
    let expected = '';
    for (let n = 0; n < 12; n++) {
      const id = logits.indexOf(Math.max(...logits));
      expected += reference.vocabulary[id];
      logits = read(id);
    }
    const env = { NODE_TENSORRT_CACHE: cache, LD_LIBRARY_PATH: '' };
    const { stdout, stderr } = run(['--prime', long, '--length', '12', '--json'], env);
    expect(stderr).toBe('');
    const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
    expect(summary.text).toBe(expected);
    const builds = (await findTensorRT({ env: cleanEnv(env) })).some(({ usableFor }) => usableFor.build);
    expect(summary.engineBytes).toEqual(builds ? expect.any(Number) : null);
  }, 120_000);

  test.each([
    [['--length', 'abc'], "--length: expected a whole number from 0 to 1000000, given 'abc'"],
    [['--length', '-3'], "Option '--length' argument is ambiguous."],
    [['--length=-3'], "--length: expected a whole number from 0 to 1000000, given '-3'"],
    [['--top-k', '0'], "--top-k: expected a whole number from 1 to 65, given '0'"],
    [['--top-k', '66'], "--top-k: expected a whole number from 1 to 65, given '66'"],
    [['--prime', 'Zoë'], `--prime: expected characters of ${JSON.stringify(reference.vocabulary)}, given 'ë'`],
    [['--prim', 'x'], /^charrnn: Unknown option '--prim'/],
  ])('%j is refused in one line', (args, message) => {
    const { status, stdout, stderr } = run(args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    if (typeof message === 'string') expect(stderr).toBe(`charrnn: ${message}\n`);
    else expect(stderr).toMatch(message);
  });
});
