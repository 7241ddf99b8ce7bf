import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDir } from '../../src/machine/search.js';

/** NVIDIA's Python bindings of TensorRT-RTX, in the release that `node-tensorrt install` fetches. */
export const distribution = 'tensorrt-rtx-cu13-bindings==1.7.1.116';

/** The interpreter that has them; wheels exist for CPython 3.9 to 3.13. */
export const python = process.env.PYTHON ?? 'python3';

/** The environment where Python finds the bindings and the library. Fetches them into the cache if they are missing. */
export function pythonEnvironment(library: string): NodeJS.ProcessEnv | undefined {
  const folder = join(cacheDir(), 'bench', distribution);
  const path = [folder, dirname(dirname(library)), process.env.PYTHONPATH].filter(Boolean).join(':');
  const env = { ...process.env, PYTHONPATH: path, PYTHONSAFEPATH: '1' };
  const works = () => spawnSync(python, ['-c', 'import tensorrt_rtx_bindings'], { env }).status === 0;
  if (works()) return env;
  const line = [
    '-I',
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--target',
    folder,
    distribution,
  ];
  if (!existsSync(folder)) console.error(`fetching Python's bindings: ${python} ${line.join(' ')}`);
  const { stderr } = spawnSync(python, line, { encoding: 'utf8' });
  if (works()) return env;
  console.error(
    `Python's bindings of TensorRT-RTX are not installed. Install them with\n  ${python} ${line.join(' ')}`,
  );
  console.error(`(wheels exist for CPython 3.9 to 3.13; PYTHON names another interpreter)\n${stderr}`);
  return undefined;
}
