import type { LayerCase } from '../layers/harness.js';

export const cases: LayerCase[] = ['plain', 'float16'].map((name) => ({ name, build: ({ x }) => x!.rsqrt() }));
