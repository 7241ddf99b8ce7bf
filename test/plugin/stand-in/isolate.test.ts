import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../setup/fake-library.js';
import { runStandIn, standInEnv } from '../../stand-in/harness.js';
import { foreignLibraries } from '../foreign/libraries.js';
import { releases, runPlugins, standIns } from './support.js';

const folder = temporaryFolder();
standIns(...releases);

describe.each(releases)('TensorRT %s, in a process of its own', (release) => {
  test('plugins of definitions: their kernels and attributes go over, rules and references stay', async () => {
    const { result } = await runPlugins(
      `
      const net = network('both', { x: float32('n', 2), h: api.float16(3) });
      const { y } = net.plugin(plugins.scale, { x: net.tensor('x') }, { factor: -2, note: 'a note' });
      y.relu().plugin(plugins.scale2, { factor: 3 }).output('y');
      net.tensor('h').plugin(plugins.scale, { factor: 4 }).output('z');
      const { sum, twice } = net.plugin(plugins.rowSums, { x: y });
      sum.output('sum');
      twice.output('twice');
      const engine = await net.build({ profiles: [{ n: [1, 2, 300] }], isolate: true });
      const x = Float32Array.from({ length: 4 }, (_, i) => i - 2);
      print(await outcome(engine.run({ x, h: [1, -2, 3] })));`,
      { release },
    );
    expect(result).toEqual({
      y: { shape: [2, 2], data: [112, 106, 100, 100] },
      z: { shape: [3], data: [4, -8, 12] },
      sum: { shape: [2], data: [6, -2] },
      twice: { shape: [2], data: [12, -4] },
    });
  });

  test('plugins of a library that was loaded here', async () => {
    const { plugins } = foreignLibraries(join(folder, release), release);
    const tensorrt = join(folder, release, `libnvinfer.so.${Number.parseInt(release, 10)}`);
    copyFileSync((await standInEnv({ release })).NODE_TENSORRT_LIBRARY!, tensorrt);
    const { result } = await runStandIn(
      `
      const net = network('net');
      const outputs = [{ dtype: 'float32', shape: ['2*rows', 3] }];
      net.input('x', float32('rows', 4)).plugin('Halves', { version: '1', outputs })[0].output('y');
      const options = { profiles: [{ rows: [1, 2, 8] }], isolate: true };
      const sizes = (promise) => promise.then(({ size }) => size, ({ code }) => code);
      const missing = await sizes(net.build(options));
      await api.loadPluginLibrary(${JSON.stringify(plugins)});
      const engine = await net.build(options);
      const here = await net.build({ ...options, isolate: false });
      const { y } = await engine.run({ x: new Float32Array(8) });
      console.log(JSON.stringify([missing, Buffer.compare(engine.bytes, here.bytes), y.shape]));`,
      { release, env: { NODE_TENSORRT_LIBRARY: tensorrt, FOREIGN_MANY: '1' } },
    );
    expect(result).toEqual(['ERR_PLUGIN_MISSING', 0, [4, 3]]);
  });
});
