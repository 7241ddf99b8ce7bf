import { defineConfig } from 'vitest/config';

/** `npm run test:gpu`: the GPU tier alone; a machine without a GPU fails it. */
export default defineConfig({
  test: {
    include: ['test/gpu/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['./test/reporter.ts', ...(process.env.NODE_TENSORRT_GPU_REPORT ? ['./test/gpu/reporter.ts'] : [])],
  },
});
