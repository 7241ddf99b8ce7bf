import { defineConfig } from 'vitest/config';
import { compiled, env } from './vitest.config.js';

/** `npm run test:plugins` */
export default defineConfig({
  test: {
    include: compiled,
    env,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['./test/reporter.ts'],
  },
});
