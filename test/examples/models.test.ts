import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { difference, filesOf } from '../../examples/run.js';
import { diffusion, ports, testModels } from './models.js';
import { linesInTable, linesOf, runExample } from './support.js';

describe('ported models, and their engines', () => {
  testModels((report) => {
    expect(report.tensorrt?.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.engineBytes).toBeGreaterThan(100_000);
  });
});

test('a difference is relative to the root mean square, and NaN or another length is none', () => {
  expect(difference(Float32Array.of(1, 7.5), Float32Array.of(1, 7))).toBeCloseTo(0.5 / 5);
  expect(difference(Float32Array.of(Number.NaN, 7), Float32Array.of(1, 7))).toBeNaN();
  expect(difference(Float32Array.of(1), Float32Array.of(1, 7))).toBe(Number.POSITIVE_INFINITY);
});

describe.each(ports)('$name', ({ name }) => {
  test('its program prints the report as its last line', { timeout: 60_000 }, async () => {
    const report = JSON.parse((await runExample(`${name}/main.ts`, ['--json'])).at(-1)!);
    expect(report).toMatchObject({ model: name, precision: 'float32', full: false });
    expect(report.maxRelative).toBeLessThan(1e-3);
  });
});

describe.each([...ports, ...diffusion])('$name', ({ name }) => {
  test('takes as many lines as the table says', () => {
    expect(linesInTable(name)).toBe(`${linesOf(`${name}/network.ts`)}`);
  });

  test('has stored files of less than 1.5 MB', () => {
    const { weights, reference } = filesOf(name);
    expect(statSync(weights).size + statSync(reference).size).toBeLessThan(1.5e6);
  });
});

test.each(['silero-vad', 'crepe', 'minilm'])('%s takes as many lines as the table says, fewer than 100', (name) => {
  const [network, main] = [linesOf(`${name}/network.ts`), linesOf(`${name}/main.ts`)];
  expect(linesInTable(name)).toBe(`${network} + ${main}`);
  expect(network + main).toBeLessThan(100);
});
