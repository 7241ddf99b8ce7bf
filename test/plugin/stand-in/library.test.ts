import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writePluginLibrary } from '../../../src/plugin/library-file.js';
import { compile, type Release, sources } from '../../stand-in/compile.js';
import { compiling, livingObjects, readLog, standInEnv } from '../../stand-in/harness.js';
import { positives, scale } from './definitions.js';
import { kernels, releases, runPlugins, standIns } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'libraries-'));
afterAll(() => rmSync(folder, { recursive: true }));
standIns(...releases);

/** programs/run_engine.cc, a program without Node. */
const runner = (release: Release) => {
  const [major, minor] = release.split('.').map(Number) as [number, number];
  const flags = [`-DRELEASE=${major * 10000 + minor * 100}`];
  return compile('run_engine', [join(sources, 'programs', 'run_engine.cc')], flags);
};
beforeAll(() => Promise.all(releases.map(runner)), compiling);

describe.each(releases)('TensorRT %s', (release) => {
  const engine = join(folder, release);
  const library = join(folder, `libmy_plugins-${release}.so`);

  async function run(path: string) {
    const log = join(folder, `${release}.log`);
    rmSync(log, { force: true });
    const env: NodeJS.ProcessEnv = { ...(await standInEnv({ release, kernels })), STANDIN_LOG: log };
    const program = await runner(release);
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
      execFile(program, [env.NODE_TENSORRT_LIBRARY!, path, engine], { env }, (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve({ stdout, stderr }),
      );
    });
    const [loaded, runs, lines] = JSON.parse(stdout) as [boolean, unknown[][], string[]];
    return { loaded, runs, lines, stderr, log: readLog(log) };
  }

  beforeAll(async () => {
    await runPlugins(
      `
      const net = network('one', { x: float32('n') });
      net.tensor('x').plugin(plugins.scale, { factor: 3 }).output('y');
      await (await net.build({ profiles: [{ n: [1, 2, 4] }] })).save(${JSON.stringify(engine)});
      print(0);`,
      { release },
    );
  }, compiling);

  test('a C++ program runs the engine through the library, on two threads at once', async () => {
    await writePluginLibrary([scale, positives], library);
    const { loaded, runs, lines, stderr, log } = await run(library);
    expect({ loaded, runs, lines, stderr }).toEqual({
      loaded: true,
      runs: [
        [true, 147, 150],
        [true, 147, 150, 153],
      ],
      lines: [],
      stderr: '',
    });
    const registered = log.filter(({ call }) => call === 'registerCreator');
    expect(registered.map(({ name, version, namespace }) => [name, version, namespace])).toEqual([
      ['Scale', '1', 'node_tensorrt'],
      ['Positives', '1', 'node_tensorrt'],
    ]);
    const launched = log.filter(({ call }) => call === 'cuLaunchKernel');
    expect(launched).toHaveLength(100);
    expect(new Set(launched.map(({ thread }) => thread)).size).toBe(2);
    expect(launched.every(({ context, result }) => context && result === 0)).toBe(true);
    expect(log.filter(({ call, context }) => call === 'enqueue' && context)).toEqual([]);
    expect(livingObjects(log)).toEqual([]);
  });

  test('a library without this definition', async () => {
    await writePluginLibrary([positives], library);
    const { runs, lines } = await run(library);
    expect(runs).toEqual([]);
    expect(lines[0]).toContain('Cannot find plugin: Scalenode_tensorrt, version: 1, namespace:node_tensorrt.');
  });
});
