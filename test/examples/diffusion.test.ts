import { describe, expect, test } from 'vitest';
import { diffusion, testModels } from './models.js';
import { runExample } from './support.js';

describe('parts of diffusers’ pipelines, and their engines', () => {
  testModels(
    (report) => {
      if (report.precision === 'float32') expect(report.maxRelative).toBeLessThan(1e-4);
      expect(report.tensorrt?.version).toMatch(/^\d+\.\d+\.\d+/);
      expect(report.engineBytes).toBeGreaterThan(100_000);
    },
    {},
    diffusion,
  );
});

test.each(diffusion)(
  'the program of $name prints the report as its last line',
  { timeout: 120_000 },
  async ({ name }) => {
    const report = JSON.parse((await runExample(`${name}/main.ts`, ['--json', '--cpu'])).at(-1)!);
    expect(report).toMatchObject({ model: name, precision: 'float32', backend: 'cpu' });
    expect(report.maxRelative).toBeLessThan(1e-4);
  },
);
