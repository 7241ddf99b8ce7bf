import { defineConfig } from 'vitest/config';

const all = 'test/**/*.test.ts';
/** What measures time or memory, or loads the machine on purpose: one file at a time, after all others. */
const measuring = [
  'test/tensorrt/compile/{abort,crash,leak}.test.ts',
  'test/tensorrt/isolate/{faults,process}.test.ts',
  'test/tensorrt/run/{event-loop,exit}.test.ts',
  'test/setup/{fetch,setup,working-directory}.test.ts',
  'test/weights/{adversaries,fuzz,hostile-zip,mapping}.test.ts',
  'test/examples/mnist.test.ts',
];

/** Plugins through a stand-in TensorRT or by threads of the CPU, which are compiled first: `npm run test:plugins`. */
export const compiled = [
  'test/examples/{plugins,plugins-agree}.test.ts',
  'test/plugin/{compile,existing,existing-build,native-library}.test.ts',
  'test/plugin/stand-in/*.test.ts',
  'test/cli/{run,bench}.test.ts',
  'test/stand-in/{engine-files,execution,memory,options,stand-in,tensors}.test.ts',
  'test/stand-in/runs-*.test.ts',
  'test/tensorrt/run/observe.test.ts',
  'test/testing/{kernels,runners,sanitizer}.test.ts',
];

/** Of trained weights, which are fetched (170 MB), and of engines that take long to build: `npm run test:examples`. */
export const trained = ['test/examples/{crepe,diffusion,minilm,silero-vad}.test.ts'];

/**
 * Tests state what TensorRT-RTX says and makes, so they use it even where a GPU would make TensorRT the better choice. Child
 * processes inherit the pin. Tests of the search bring environments of their own; the GPU tier uses what the machine prefers.
 */
const named = process.env.NODE_TENSORRT_LIBRARY ?? '';
export const env = { NODE_TENSORRT_LIBRARY: named.includes('tensorrt_rtx') ? named : 'rtx1' };
const gpu = 'test/gpu/**';

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['./test/reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: [all],
          exclude: [...measuring, ...compiled, ...trained, gpu],
          env,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: measuring, env, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'gpu', include: [`${gpu}/*.test.ts`], maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
