import { readFileSync } from 'node:fs';
import { beforeAll } from 'vitest';
import { kernels as compileKernels, type Release } from '../../stand-in/compile.js';
import { compiling, prepare, type Run, runStandIn, type StandInOptions } from '../../stand-in/harness.js';

export const releases = ['10.6.0', '11.1.0'] as const;
/** What the kernels of definitions.ts compute. */
export const kernels = readFileSync(new URL('./kernels.cc', import.meta.url), 'utf8');
const definitions = JSON.stringify(new URL('./definitions.js', import.meta.url).href);

/** Before the tests of a file. */
export const standIns = (...wanted: Release[]): void =>
  beforeAll(() => Promise.all([prepare(...wanted), compileKernels(kernels)]), compiling);

const prelude = `
import { readFileSync, writeFileSync } from 'node:fs';
const plain = (one) => ({ shape: one.shape, data: Array.from(one.toFloat32()) });
const outcome = (promise) => promise.then(
  (outputs) => Object.fromEntries(Object.entries(outputs).map(([name, one]) => [name, plain(one)])),
  ({ code, message }) => ({ code, message }),
);
const print = (value) => console.log(JSON.stringify(value));
`;

export const importDefinitions = `const plugins = await import(${definitions});\n`;

/**
 * Runs a program with the plugins of definitions.ts as `plugins`, `outcome(engine.run(…))` and `print(result)`.
 * @param options `defined: false` leaves the definitions out
 */
export const runPlugins = <T>(
  program: string,
  { defined = true, ...options }: StandInOptions & { defined?: boolean } = {},
): Promise<Run<T>> => runStandIn(`${prelude}${defined ? importDefinitions : ''}${program}`, { kernels, ...options });
