import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/testing/runners/in-vitest.ts'], testTimeout: 60_000, env: { NODE_TENSORRT_LIBRARY: 'rtx1' } },
});
