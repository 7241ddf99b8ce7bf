import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

/** What measures time or memory, or loads the machine on purpose: one file at a time, after all others. */
const measuring = [
  'test/tensorrt/compile/{abort,crash,leak}.test.ts',
  'test/tensorrt/isolate/{faults,process}.test.ts',
  'test/tensorrt/run/{event-loop,exit}.test.ts',
  'test/setup/{fetch,setup,working-directory}.test.ts',
  'test/weights/{adversaries,fuzz,hostile-zip,mapping}.test.ts',
  'test/examples/mnist.test.ts',
];

/** What starts many processes, or takes long: `npm run test:processes`. */
const processes = [
  ...measuring,
  'test/cli/*.test.ts',
  'test/cli/shared/model-file.test.ts',
  'test/contract/declarations.test.ts',
  'test/docs/{comparing,guides,plugins,readme}.test.ts',
  'test/examples/*.test.ts',
  'test/layers/{fallback,resize-sweep}.test.ts',
  'test/modules/recurrent.test.ts',
  'test/passes/{copy,extract}.test.ts',
  'test/random/graphs.test.ts',
  'test/{package,prebuild,release,setup}/*.test.ts',
  'test/tensorrt/{isolate,library}/*.test.ts',
  'test/tensorrt/{cache/processes,compile/deep,run/fake-gpu}.test.ts',
  'test/typescript/examples.test.ts',
];

/** Plugins through a stand-in TensorRT or by threads of the CPU, which are compiled first: `npm run test:plugins`. */
const compiled = [
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
const trained = ['test/examples/{crepe,diffusion,minilm,silero-vad}.test.ts'];

/**
 * Tests state what TensorRT-RTX says and makes, so they use it even where a GPU would make TensorRT the better choice. Child
 * processes inherit the pin. Tests of the search bring environments of their own; the GPU tier uses what the machine prefers.
 */
const named = process.env.NODE_TENSORRT_LIBRARY ?? '';
export const env = { NODE_TENSORRT_LIBRARY: named.includes('tensorrt_rtx') ? named : 'rtx1' };
const gpu = 'test/gpu/**';

/** Tests of one command; a later group begins when those before it have ended. */
const tier = (...groups: { include: string[]; exclude?: string[]; maxWorkers: number; pinned?: boolean }[]) =>
  defineConfig({
    test: {
      pool: 'forks',
      testTimeout: 60_000,
      hookTimeout: 120_000,
      reporters: ['./test/reporter.ts'],
      globalSetup: fileURLToPath(new URL('./test/compile-dist.mjs', import.meta.url)),
      projects: groups.map(
        ({ pinned = true, ...group }, groupOrder): TestProjectConfiguration => ({
          extends: true,
          test: { ...group, name: `group ${groupOrder + 1}`, sequence: { groupOrder }, ...(pinned && { env }) },
        }),
      ),
    },
  });

/** By the command's name after `npm run test:`. */
export const tiers = {
  processes: tier(
    { include: processes, exclude: [...measuring, ...compiled, ...trained], maxWorkers: 2 },
    { include: measuring, maxWorkers: 1 },
  ),
  plugins: tier({ include: compiled, maxWorkers: 2 }),
  examples: tier({ include: trained, maxWorkers: 2 }),
  all: tier({ include: ['test/**/*.test.ts'], exclude: [gpu], maxWorkers: 2 }),
};

export default tier(
  { include: ['test/**/*.test.ts'], exclude: [...processes, ...compiled, gpu], maxWorkers: 2 },
  { include: [`${gpu}/*.test.ts`], maxWorkers: 1, pinned: false },
);
