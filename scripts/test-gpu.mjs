#!/usr/bin/env node
// npm run test:gpu [-- --report[=FILE] VITEST'S ARGUMENTS…]: runs the GPU tier. --report writes the results to docs/gpu-results.json
// and docs/gpu-results.md, or only to FILE. Vitest refuses options it does not know, so this one is passed through the environment.
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const rest = [];
for (const argument of process.argv.slice(2)) {
  const [, file] = /^--report(?:=(.+))?$/.exec(argument) ?? [argument, null];
  if (file === null) rest.push(argument);
  else process.env.NODE_TENSORRT_GPU_REPORT = file ? resolve(file) : resolve(root, 'docs', 'gpu-results.json');
}
process.env.NODE_TENSORRT_GPU_COMMAND ??= ['npm run test:gpu --', ...process.argv.slice(2)].join(' ');
process.argv.splice(2, process.argv.length, 'vitest', 'run', '--config', 'vitest.gpu.config.ts', ...rest);
await import('./run.mjs');
