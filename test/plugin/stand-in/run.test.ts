import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { callsOf, type LogLine, livingObjects } from '../../stand-in/harness.js';
import { releases, runPlugins, standIns } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'engines-'));
afterAll(() => rmSync(folder, { recursive: true }));
standIns(...releases);

const launches = (log: readonly LogLine[]) =>
  log.filter(({ call }) => call === 'cuLaunchKernel').map(({ kernel, grid, block }) => ({ kernel, grid, block }));

describe.each(releases)('TensorRT %s', (release) => {
  const file = JSON.stringify(join(folder, release));

  test('an engine is built, saved, and run in a process without the definitions and without NVRTC', async () => {
    const built = await runPlugins<string>(
      `
      const net = network('both', { x: float32('n', 2), h: api.float16(3) });
      const { y } = net.plugin(plugins.scale, { x: net.tensor('x') }, { factor: -2, note: 'a note' });
      y.relu().plugin(plugins.scale2, { factor: 3 }).output('y');
      net.tensor('h').plugin(plugins.scale, { factor: 4 }).output('z');
      const { sum, twice } = net.plugin(plugins.rowSums, { x: y });
      sum.output('sum');
      twice.output('twice');
      const engine = await net.build({ profiles: [{ n: [1, 2, 300] }] });
      await engine.save(${file});
      engine.dispose();
      print('saved');`,
      { release },
    );
    expect(built.result).toBe('saved');
    // With one tactic TensorRT times nothing.
    expect(built.log.filter(({ call }) => call === 'enqueue')).toEqual([]);

    const { result, log } = await runPlugins<unknown[]>(
      `
      const engine = await loadEngine(${file});
      const feeds = (n) => ({ x: { shape: [n, 2], data: Float32Array.from({ length: 2 * n }, (_, i) => i - 2) }, h: [1, -2, 3] });
      const small = await outcome(engine.run(feeds(2)));
      const again = await outcome(engine.run(feeds(2)));
      const large = await outcome(engine.run(feeds(300)));
      engine.dispose();
      globalThis.gc?.();
      print([small, again, large.y.data.slice(-2), large.sum.data.slice(-1)]);`,
      { release, defined: false, env: { NODE_TENSORRT_NVRTC: '/nowhere', NODE_OPTIONS: '--expose-gc' } },
    );
    const small = {
      y: { shape: [2, 2], data: [112, 106, 100, 100] },
      z: { shape: [3], data: [4, -8, 12] },
      sum: { shape: [2], data: [6, -2] },
      twice: { shape: [2], data: [12, -4] },
    };
    expect(result).toEqual([small, small, [100, 100], [-2386]]);
    // Creators are registered one after another, as TensorRT says that they are missing.
    const last = log.findLastIndex(({ call }) => call === 'registerCreator');
    const calls = log.slice(last + 1).filter(({ at, call }) => at === 'tensorrt' && call !== 'log');
    expect(calls.filter(({ call }) => call === 'createPlugin')).toHaveLength(4);
    // Sizes are looked at once per shape, not per run.
    const layers = new Set(calls.flatMap(({ layer }) => layer ?? []));
    expect(layers.size).toBe(4);
    for (const layer of layers)
      expect(callsOf(calls.filter((line) => line.layer === layer && line.call !== 'destroyed'))).toEqual([
        ...['createPlugin', 'made', 'setTactic', 'attachToContext', 'made'],
        ...['onShapeChange', 'enqueue×2', 'onShapeChange', 'enqueue'],
      ]);
    expect(launches(log).slice(0, 5)).toEqual(
      expect.arrayContaining([
        { kernel: 'scale<float>', grid: [1, 1, 1], block: [256, 1, 1] },
        { kernel: 'scale<__half>', grid: [1, 1, 1], block: [256, 1, 1] },
        { kernel: 'scaleShifted', grid: [1, 1, 1], block: [256, 1, 1] },
        { kernel: 'addRows', grid: [2, 1, 1], block: [32, 1, 1] },
      ]),
    );
    expect(launches(log)).toContainEqual({ kernel: 'scale<float>', grid: [3, 1, 1], block: [256, 1, 1] });
  });

  test('the callbacks of a build, in order; every object is destroyed', async () => {
    const { log } = await runPlugins(
      `
      const net = network('one', { x: float32('n') });
      net.tensor('x').plugin(plugins.scale).output('y');
      const engine = await net.build({ profiles: [{ n: [1, 2, 4] }] });
      await engine.save(${file});
      print(0);`,
      { release },
    );
    const calls = log.filter(({ at, call }) => at === 'tensorrt' && !['log', 'registerCreator'].includes(call));
    expect(callsOf(calls)).toEqual([
      ...['made', 'getPluginName', 'getPluginVersion', 'getPluginNamespace', 'getNbOutputs', 'getOutputDataTypes'],
      ...['getOutputShapes', 'clone', 'made', 'supportsFormatCombination×6', 'configurePlugin', 'getWorkspaceSize'],
      ...['clone', 'made', 'attachToContext', 'made', 'destroyed', 'configurePlugin', 'setTactic', 'attachToContext'],
      ...['made', 'destroyed', 'getFieldsToSerialize', 'destroyed×3'],
    ]);
    expect(livingObjects(log)).toEqual([]);
    expect(log.find(({ call }) => call === 'registerCreator')).toMatchObject({
      ...{ name: 'Scale', version: '1', namespace: 'node_tensorrt', own: 'node_tensorrt', result: true },
    });
  });

  test('enqueue pushes the CUDA context of its stream where none is current, and takes it back', async () => {
    const { result, log } = await runPlugins(
      `
      const net = network('one', { x: float32(3) });
      net.tensor('x').plugin(plugins.scale).output('y');
      const engine = await net.build();
      print([await outcome(engine.run({ x: [1, 2, 3] })), await outcome(engine.run({ x: [3, 2, 1] }))]);`,
      { release, env: { STANDIN_NO_CONTEXT: '1' } },
    );
    expect(result).toEqual([{ y: { shape: [3], data: [2, 4, 6] } }, { y: { shape: [3], data: [6, 4, 2] } }]);
    const enqueues = log.filter(({ call }) => call === 'enqueue');
    expect(enqueues.map(({ context }) => context)).toEqual([false, false]);
    expect(launches(log)).toHaveLength(2);
    for (const line of log.filter(({ call }) => call === 'cuLaunchKernel')) expect(line.context).toBe(true);
  });

  test('empty outputs launch nothing; other sizes do', async () => {
    const { result, log } = await runPlugins(
      `
      const net = network('one', { x: float32('n', 2) });
      net.tensor('x').plugin(plugins.scale).output('y');
      const engine = await net.build({ profiles: [{ n: [0, 2, 4] }] });
      print([await outcome(engine.run({ x: { shape: [0, 2], data: [] } })), await outcome(engine.run({ x: [1, 2] }))]);`,
      { release },
    );
    expect(result).toEqual([{ y: { shape: [0, 2], data: [] } }, { y: { shape: [1, 2], data: [2, 4] } }]);
    expect(launches(log)).toHaveLength(1);
  });

  test('the kernels of another capability of the same GPU generation run; of another one, not', async () => {
    const ended = async (capability: string) => {
      const { result } = await runPlugins<{ y?: unknown; code?: string; message?: string }>(
        `
        const engine = await loadEngine(${file});
        print(await outcome(engine.run({ x: [1, 2] })));`,
        { release, capability },
      );
      return result;
    };
    await runPlugins(
      `
      const net = network('one', { x: float32('n') });
      net.tensor('x').plugin(plugins.scale).output('y');
      await (await net.build({ profiles: [{ n: [1, 2, 4] }] })).save(${file});
      print(0);`,
      { release, capability: '8.0' },
    );
    expect(await ended('8.6')).toEqual({ y: { shape: [2], data: [2, 4] } });
    expect(await ended('9.0')).toEqual({
      code: 'ERR_KERNEL',
      message: expect.stringMatching(/Scale.*capability 9\.0; the engine has kernels for 8\.0/),
    });
  });
});
