import { defineConfig } from 'vitest/config';
import { env, trained } from './vitest.config.js';

/** `npm run test:examples` */
export default defineConfig({
  test: {
    include: trained,
    env,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['./test/reporter.ts'],
  },
});
