import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawDigits, readDigits } from '../../examples/mnist/digits.js';
import { example, readSafetensors, runExample } from './support.js';

const require = createRequire(import.meta.url);
const files = Array.from({ length: 10 }, (_, d) => (require(`mnist/src/digits/${d}.json`) as { data: number[] }).data);
const weights = readSafetensors(example('mnist/lenet.safetensors'));
const reference = readSafetensors(example('mnist/reference.safetensors'));
const labels = reference.label!.data;
const indices = reference.index!.data;
const logits = reference.logits!.data;

/** Valid cross-correlation of [c, s, s] with [o, c, 5, 5], then 2x2 max pooling. */
function convPool(x: number[], c: number, s: number, name: string): number[] {
  const w = weights[`${name}.weight`]!.data;
  const bias = weights[`${name}.bias`]!.data;
  const half = (s - 4) / 2;
  const y = new Array<number>(bias.length * half * half).fill(Number.NEGATIVE_INFINITY);
  for (let o = 0; o < bias.length; o++)
    for (let i = 0; i < s - 4; i++)
      for (let j = 0; j < s - 4; j++) {
        let sum = bias[o]!;
        for (let k = 0; k < c; k++)
          for (let u = 0; u < 5; u++)
            for (let v = 0; v < 5; v++) sum += x[(k * s + i + u) * s + j + v]! * w[((o * c + k) * 5 + u) * 5 + v]!;
        const at = (o * half + (i >> 1)) * half + (j >> 1);
        y[at] = Math.max(y[at]!, sum);
      }
  return y;
}

function linear(x: number[], name: string): number[] {
  const w = weights[`${name}.weight`]!.data;
  return Array.from(weights[`${name}.bias`]!.data, (bias, o) =>
    x.reduce((sum, value, k) => sum + value * w[o * x.length + k]!, bias),
  );
}

describe('stored files', () => {
  test('the weights have the shapes of network_api_pytorch_mnist', () => {
    expect(Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.shape]))).toEqual({
      'conv1.weight': [20, 1, 5, 5],
      'conv1.bias': [20],
      'conv2.weight': [50, 20, 5, 5],
      'conv2.bias': [50],
      'fc1.weight': [500, 800],
      'fc1.bias': [500],
      'fc2.weight': [10, 500],
      'fc2.bias': [10],
    });
    expect(statSync(example('mnist/lenet.safetensors')).size).toBeLessThan(2e6);
  });

  test('a fifth of every class is held out, each digit once', () => {
    const ids = new Set(Array.from(labels, (label, i) => `${label}/${indices[i]}`));
    expect(ids.size).toBe(labels.length);
    expect(labels.length).toBeGreaterThanOrEqual(1000);
    for (let d = 0; d < 10; d++) {
      const count = files[d]!.length / 784;
      const own = indices.filter((_, i) => labels[i] === d);
      expect(own.length / count).toBeCloseTo(0.2, 2);
      expect(Math.max(...own)).toBeLessThan(count);
    }
  });

  test('no held-out digit has the pixels of one that was trained on', () => {
    const heldOut = new Set(Array.from(labels, (label, i) => `${label}/${indices[i]}`));
    const pixels = (d: number, i: number) => files[d]!.slice(i * 784, (i + 1) * 784).join();
    const trained = new Set<string>();
    for (let d = 0; d < 10; d++)
      for (let i = 0; i < files[d]!.length / 784; i++) if (!heldOut.has(`${d}/${i}`)) trained.add(pixels(d, i));
    expect(trained.size + heldOut.size).toBe(10_000);
    expect(Array.from(labels).filter((label, i) => trained.has(pixels(label, indices[i]!)))).toEqual([]);
  });

  test("PyTorch's logits are right for more than 97% of the held-out digits", () => {
    expect(reference.logits!.shape).toEqual([labels.length, 10]);
    expect(logits.every(Number.isFinite)).toBe(true);
    const right = labels.filter((label, i) => {
      const row = logits.subarray(i * 10, (i + 1) * 10);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length / labels.length).toBeGreaterThan(0.97);
  });

  test('the stored weights give the stored logits in plain arithmetic', async () => {
    const rows = [0, 1, 2, labels.length - 1];
    const pick = (from: ArrayLike<number>) => rows.map((i) => from[i]!);
    const pixels = await readDigits(pick(labels), pick(indices));
    for (const [n, row] of rows.entries()) {
      const x = Array.from(pixels.subarray(n * 784, (n + 1) * 784));
      const hidden = linear(convPool(convPool(x, 1, 28, 'conv1'), 20, 12, 'conv2'), 'fc1').map((v) => Math.max(v, 0));
      for (const [k, value] of linear(hidden, 'fc2').entries()) expect(value).toBeCloseTo(logits[row * 10 + k]!, 4);
    }
  });
});

describe('drawing', () => {
  const pixels = new Float32Array(2 * 784).fill(-0.4242);
  pixels[1 * 28 + 1] = 2.8; // top half of the first cell
  pixels[2 * 28 + 2] = 2.8; // bottom half of the second
  for (const row of [1, 2]) pixels[784 + row * 28 + 26] = 2.8; // both halves of the last cell of the second digit
  const prob = Float32Array.from([0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

  test('half blocks above bars, 26 columns a digit', () => {
    const lines = drawDigits(pixels, prob, 2, false).split('\n');
    expect(lines).toHaveLength(23);
    expect(lines.every((line) => [...line].length === 53)).toBe(true);
    expect(lines[0]).toBe(`▀▄${' '.repeat(24)} ${' '.repeat(25)}█`);
    expect(lines[13]).toBe(`0 ${' '.repeat(18)}    0% 0 ${'█'.repeat(18)}  100%`);
    expect(lines[14]).toBe(`1 ${'█'.repeat(9)}${' '.repeat(9)}   50% 1 ${' '.repeat(18)}    0%`);
  });

  test('grey levels where the terminal has colours', () => {
    const [first] = drawDigits(pixels, prob, 1, true).split('\n');
    expect(first!.startsWith('\x1b[38;5;255;48;5;232m▀\x1b[38;5;232;48;5;255m▀')).toBe(true);
    expect(first!.endsWith('\x1b[0m')).toBe(true);
  });
});

describe('main.ts', () => {
  let lines: string[];
  let seconds: number;
  beforeAll(async () => {
    const start = performance.now();
    lines = await runExample('mnist/main.ts', ['--json']);
    seconds = (performance.now() - start) / 1000;
  }, 60_000);

  test('has at most 60 lines of at most 120 columns', () => {
    const source = readFileSync(example('mnist/main.ts'), 'utf8').trimEnd().split('\n');
    expect(source.length).toBeLessThanOrEqual(60);
    expect(Math.max(...source.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test('takes less than 10 seconds', () => {
    expect(seconds).toBeLessThan(10);
  });

  test('prints one JSON object last, with a real engine and the figures of the issue', () => {
    const summary = JSON.parse(lines.at(-1)!);
    expect(Object.keys(summary)).toEqual([
      'backend',
      'tensorrt',
      'engineBytes',
      'buildMs',
      'digits',
      'accuracy',
      'maxAbsDiff',
    ]);
    expect(['tensorrt', 'cpu']).toContain(summary.backend);
    expect(Object.keys(summary.tensorrt)).toEqual(['flavor', 'version']);
    expect(['trt10', 'trt11', 'rtx1']).toContain(summary.tensorrt.flavor);
    expect(summary.tensorrt.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(summary.engineBytes).toBeGreaterThan(100_000);
    expect(summary.buildMs).toBeGreaterThan(0);
    expect(summary.digits).toBe(labels.length);
    expect(summary.accuracy).toBeGreaterThanOrEqual(0.97);
    expect(summary.maxAbsDiff).toBeGreaterThan(0);
    expect(summary.maxAbsDiff).toBeLessThanOrEqual(summary.backend === 'cpu' ? 1e-3 : 1e-2);
  });

  test('draws digits and says how many were read', () => {
    expect(lines.filter((line) => /[▀▄█]/.test(line)).length).toBeGreaterThan(10);
    expect(lines.join('\n')).toMatch(new RegExp(`\\d+ of ${labels.length} digits`));
  });
});
