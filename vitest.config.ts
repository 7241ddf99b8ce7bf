import { defineConfig } from 'vitest/config';

const all = 'test/**/*.test.ts';
/** What measures time or memory, or loads the machine on purpose: one file at a time, after all others. */
const measuring = [
  'test/tensorrt/compile/{abort,crash,leak}.test.ts',
  'test/tensorrt/run/{event-loop,exit}.test.ts',
  'test/setup/{fetch,setup}.test.ts',
  'test/weights/{fuzz,hostile-zip,mapping}.test.ts',
  'test/examples/mnist.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['./test/reporter.ts'],
    projects: [
      { extends: true, test: { name: 'beside', include: [all], exclude: measuring, maxWorkers: 2 } },
      {
        extends: true,
        test: { name: 'alone', include: measuring, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
