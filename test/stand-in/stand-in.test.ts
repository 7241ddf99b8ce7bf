import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile, type Release, sources } from './compile.js';
import { callsOf, compiling, livingObjects, prepare, readLog, runStandIn, standInEnv } from './harness.js';

const releases = ['10.6.0', '11.1.0'] as const;

/** programs/drive.cc: builds, loads and runs a network with a plugin that is written by hand. */
const driver = (release: Release) => {
  const [major, minor] = release.split('.').map(Number) as [number, number];
  const file = join(sources, 'programs', 'drive.cc');
  return compile('drive', [file], [`-DRELEASE=${major * 10000 + minor * 100}`]);
};

beforeAll(async () => {
  await prepare(...releases);
  await Promise.all(releases.map(driver));
}, compiling);

interface Driven {
  signal: string | null;
  stderr: string;
  cloned: boolean;
  built: boolean;
  livingAfterBuild: number;
  registered: boolean[];
  /** Whether each run passed, then its output. */
  runs: [boolean, ...number[]][];
  living: number;
  lines: string[];
  log: ReturnType<typeof readLog>;
}

/** @param wrong what the plugin does wrong; see programs/hand.h */
async function drive(release: Release, wrong = ''): Promise<Driven> {
  const folder = mkdtempSync(join(tmpdir(), 'drive-'));
  try {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...(await standInEnv({ release })),
      STANDIN_LOG: join(folder, 'log'),
      HAND: wrong,
    };
    const program = await driver(release);
    const [signal, stdout, stderr] = await new Promise<[string | null, string, string]>((resolve) => {
      execFile(program, [env.NODE_TENSORRT_LIBRARY!], { env }, (error, out, err) =>
        resolve([error?.signal ?? null, out, err]),
      );
    });
    const [cloned, built, livingAfterBuild, registered, runs, living, lines] = JSON.parse(stdout || '[]');
    const log = readLog(join(folder, 'log'));
    return { signal, stderr, cloned, built, livingAfterBuild, registered, runs, living, lines, log };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(releases)('a network without plugins: TensorRT %s', async (release) => {
  const { result } = await runStandIn(
    `
    const net = network('relu', { x: float32('batch', 3) });
    net.tensor('x').relu().output('y');
    const engine = await net.build({ profiles: [{ batch: [1, 2, 4] }] });
    const { y } = await engine.run({ x: { shape: [2, 3], data: [-1, 2, -3, 4, -5, 6] } });
    console.log(JSON.stringify([engine.library.version, y.shape, Array.from(y.data)]));`,
    { release },
  );
  expect(result).toEqual([release, [2, 3], [0, 2, 0, 4, 0, 6]]);
});

describe.each(releases)('a plugin written by hand, as TensorRT 10.6 was seen to call one: TensorRT %s', (release) => {
  test('is built, loaded and run, also on two threads at once without a CUDA context', async () => {
    const { log, lines, stderr, ...rest } = await drive(release);
    expect(stderr).toBe('');
    expect(rest).toEqual({
      signal: null,
      cloned: true,
      built: true,
      livingAfterBuild: 0,
      // Another namespace than the creator's, the creator, it again, another one of the same name.
      registered: [true, true, false, false],
      runs: [
        [true, 0, 2, 0, 3],
        [true, 0, 2, 0, 3, 5, 0],
        [true, 0, 2, 0, 3, 5, 0, 1, 8],
      ],
      living: 0,
    });
    expect(lines[0]).toContain('Cannot find plugin: AddOnehand, version: 1, namespace:hand.');
    expect(livingObjects(log)).toEqual([]);
    const enqueues = log.filter(({ call }) => call === 'enqueue');
    expect(new Set(enqueues.map(({ thread }) => thread)).size).toBe(3);
    expect(enqueues.every(({ context }) => context === false)).toBe(true);
  });

  test('the order of the calls', async () => {
    const { log } = await drive(release);
    // `begins` and `ends` are told by the stream's own thread.
    const others = ['log', 'registerCreator', 'deregisterCreator', 'deserializeCudaEngine', 'begins', 'ends'];
    const calls = log.filter(({ call }) => !others.includes(call));
    const load = calls.findIndex(({ call }) => call === 'createPlugin');
    const [build, run] = [calls.slice(0, load), calls.slice(load, load + 8)].map(callsOf);
    expect(build).toEqual([
      ...['made', 'getPluginName', 'getPluginVersion', 'getPluginNamespace', 'getNbOutputs', 'getOutputDataTypes'],
      ...['getOutputShapes', 'clone', 'made', 'supportsFormatCombination×6', 'configurePlugin', 'getWorkspaceSize'],
      ...['clone', 'made', 'attachToContext', 'made', 'destroyed', 'configurePlugin', 'setTactic', 'attachToContext'],
      ...['made', 'destroyed', 'getFieldsToSerialize', 'destroyed×3'],
    ]);
    expect(run).toEqual(['createPlugin', 'made', 'setTactic', 'attachToContext', 'made', 'onShapeChange', 'enqueue×2']);
  });

  test('tactics are timed; one that fails is skipped; where all fail there is no engine', async () => {
    const { runs, lines, log, living } = await drive(release, 'tactics');
    expect(lines[0]).toContain('Skipping tactic 0x1');
    expect(log.filter(({ call }) => call === 'enqueue').length).toBeGreaterThan(4);
    expect(runs[0]).toEqual([true, 0, 2, 0, 3]);
    expect(living).toBe(0);
    const none = await drive(release, 'no tactic');
    expect(none).toMatchObject({ built: false, livingAfterBuild: 0 });
    expect(none.lines.at(-1)).toContain('Could not find any implementation for node one.');
  });

  test.each([
    ['types', 'AddOne: IPluginV3OneBuild::getOutputDataTypes returned error code 5'],
    ['shapes', 'one: IPluginV3OneBuild::getOutputShapes returned error code 6'],
    ['null attach', 'attachToContext returned null'],
  ])('no engine: %s', async (wrong, line) => {
    const { built, lines, livingAfterBuild } = await drive(release, wrong);
    expect({ built, livingAfterBuild }).toEqual({ built: false, livingAfterBuild: 0 });
    expect(lines.at(-1)).toContain(line);
  });

  test.each(['enqueue', 'shape change'])('no run: %s', async (wrong) => {
    const { built, lines, runs } = await drive(release, wrong);
    expect(built).toBe(true);
    expect(runs.map(([passed]) => passed)).toEqual([false, false, false]);
    expect(lines.at(-1)).toContain('Assertion pluginUtils::isSuccess(status) failed');
  });

  test.each([
    ['null clone', "clone of layer '(Unnamed)' returned null: libnvinfer crashes here"],
    ['null plugin', "createPlugin of layer 'one' returned null: libnvinfer crashes here"],
    ['late builder', 'is used outside getOutputShapes'],
  ])('what crashes TensorRT ends the process: %s', async (wrong, line) => {
    const { signal, stderr } = await drive(release, wrong);
    expect(signal).toBe('SIGABRT');
    expect(stderr).toContain(line);
  });
});
