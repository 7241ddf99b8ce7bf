import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWeights, saveSafetensors, weight } from '../../src/index.js';
import { write } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { compiling, prepare, standInEnv } from '../stand-in/harness.js';
import { cli } from './cli.js';

// On a stand-in TensorRT, which runs engines.
const folder = temporaryFolder();
let env: NodeJS.ProcessEnv;
const run = (...args: string[]) => cli(folder, args, env);
const x = Float32Array.of(-1, 2, -3, 4, -5, 6);

beforeAll(async () => {
  await prepare('10.6.0');
  env = { ...(await standInEnv()), NODE_TENSORRT_CACHE: join(folder, 'cache') };
  write(
    folder,
    'net.ts',
    `import { network, float32 } from 'node-tensorrt';
export default ({ size = 3 }: { size?: number }) => {
  const net = network('net', { x: float32('batch', size) });
  net.tensor('x').relu().output('y');
  return net;
};\n`,
  );
  await saveSafetensors(join(folder, 'in.safetensors'), { x: weight(x, [2, 3]) });
  const { status, stderr } = await run('build', 'net.ts', '--dims', 'batch=1:2:8', '-o', 'net.engine');
  expect([status, stderr]).toEqual([0, '']);
}, compiling);

describe('run', () => {
  test('an engine: elements from a file, outputs to a file and as a table', async () => {
    const { status, stdout, stderr } = await run(
      'run',
      'net.engine',
      '--input',
      'x=in.safetensors',
      '--output',
      'out.safetensors',
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^output +type +min +max +mean +NaN\ny +float32 \[2, 3\] +0 +6 +2 +0\n[\d.]+ ms on the GPU; out\.safetensors: 24 bytes\n$/,
    );
    using outputs = await loadWeights(join(folder, 'out.safetensors'));
    expect(outputs.get('y').shape).toEqual([2, 3]);
    expect(outputs.get('y').data).toEqual(x.map((one) => Math.max(one, 0)));
  });

  test('random inputs of the sizes that the engine was tuned for, or of --dims; --json', async () => {
    const tuned = JSON.parse((await run('run', 'net.engine', '--json')).stdout);
    expect(tuned).toMatchObject({ backend: 'tensorrt', outputs: { y: { dtype: 'float32', shape: [2, 3], nan: 0 } } });
    const given = JSON.parse((await run('run', 'net.engine', '--dims', 'batch=5', '--json')).stdout);
    expect(given.outputs.y.shape).toEqual([5, 3]);
  });

  test('a module: built first, or on the CPU', async () => {
    const cpu = await run('run', 'net.ts', '--backend', 'cpu', '--input', 'in.safetensors', '--json');
    expect(cpu.status).toBe(0);
    expect(JSON.parse(cpu.stdout)).toMatchObject({
      backend: 'cpu',
      outputs: { y: { shape: [2, 3], min: 0, max: 6, mean: 2 } },
    });
    const gpu = await run('run', 'net.ts', '--set', 'size=2', '--dims', 'batch=4', '--json', '--no-isolate');
    expect(JSON.parse(gpu.stdout)).toMatchObject({ backend: 'tensorrt', outputs: { y: { shape: [4, 2] } } });
  });

  test.each<[string[], number, RegExp]>([
    [['net.engine', '--input', 'z=in.safetensors'], 2, /no input is called 'z'/],
    [['net.engine', '--output', 'out.npy'], 2, /ends in \.safetensors/],
    [['net.engine', '--backend', 'cpu'], 2, /an engine runs on a GPU/],
    [['net.engine', '--set', 'size=2'], 2, /--set is for a module/],
    [['net.engine', '--dims', 'batch=9'], 1, /profile 0 was built for 1 to 8/],
    [['none.engine'], 1, /none\.engine/],
    [['in.safetensors'], 1, /error: /],
  ])('%j ends with %d', async (args, code, message) => {
    const { status, stdout, stderr } = await run('run', ...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect([stdout, status]).toEqual(['', code]);
  });
});
