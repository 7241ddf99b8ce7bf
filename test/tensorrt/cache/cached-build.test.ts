import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BuildOptions, type Engine, float32, loadWeights, network, readEngineFile } from '../../../src/index.js';
import { forgetWhatWasSaid } from '../../../src/tensorrt/cache/cached-build.js';
import { entryFiles } from '../../../src/tensorrt/cache/entries.js';
import { graphHash } from '../../../src/tensorrt/cache/graph-hash.js';
import { tryLock, unlock } from '../../../src/tensorrt/cache/lock.js';
import { rejection, unbuildable } from '../networks.js';
import { small, smallFileSystem, temporaryFolder } from './support.js';

beforeEach(forgetWhatWasSaid);
afterEach(() => {
  delete process.env.NODE_TENSORRT_CACHE_LIMIT;
});

const enginesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.engine'));
const build = (cache: string, given: BuildOptions & { net?: ReturnType<typeof small> } = {}): Promise<Engine> => {
  const { net = small(), ...options } = given;
  return net.build({ cache, ...options });
};

test("the second build is the first one's engine", async () => {
  const folder = temporaryFolder();
  const told: string[] = [];
  const first = await build(folder);
  const second = await build(folder, { onLog: ({ severity, message }) => told.push(`${severity}: ${message}`) });
  expect([first.fromCache, second.fromCache]).toEqual([false, true]);
  expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
  expect(first.buildMs).toBeGreaterThan(0);
  expect(second.buildMs).toBeUndefined();
  const facts = ({ size, inputs, outputs, library, log, options }: Engine) => ({
    size,
    inputs,
    outputs,
    library,
    log,
    options,
  });
  expect(facts(second)).toEqual(facts(first));
  expect(told).toEqual([`info: the engine is from the cache: ${join(folder, enginesIn(folder)[0]!)}`]);
});

test('without a cache nothing is kept, and no engine is from it', async () => {
  const engine = await small().build();
  expect(engine.fromCache).toBe(false);
  expect((await small().build({ cache: false })).fromCache).toBe(false);
});

test('another weight, option or name is another engine', async () => {
  const folder = temporaryFolder();
  await build(folder);
  const others = [{ net: small(2) }, { tf32: false }, { net: small(1, 'other') }];
  for (const given of others) expect((await build(folder, given)).fromCache).toBe(false);
  for (const given of others) expect((await build(folder, given)).fromCache).toBe(true);
  expect(enginesIn(folder)).toHaveLength(4);
});

test('what the caller changes after the call does not count', async () => {
  const folder = temporaryFolder();
  await build(folder);
  const data = new Float32Array(16).fill(1);
  const net = network('small', { x: float32(2, 4) });
  net.linear({ weight: { shape: [4, 4], data } }).output('y');
  const options = { cache: folder, tf32: undefined as boolean | undefined };
  const built = net.build(options);
  data.fill(3);
  options.tf32 = false;
  expect((await built).fromCache).toBe(true);
});

test('compile takes it too', async () => {
  const folder = temporaryFolder();
  await build(folder);
  const model = await small().compile({ cache: folder });
  expect(model.engine!.fromCache).toBe(true);
  model.dispose();
});

test('several at once build it once', async () => {
  const folder = temporaryFolder();
  const told: string[] = [];
  const engines = await Promise.all(
    Array.from({ length: 5 }, () => build(folder, { onLog: ({ message }) => told.push(message) })),
  );
  expect(engines.filter(({ fromCache }) => !fromCache)).toHaveLength(1);
  expect(told.filter((message) => message.includes('being built elsewhere'))).toHaveLength(4);
  expect(readdirSync(folder).filter((name) => name.endsWith('.lock'))).toEqual([]);
});

test('what cannot be built is not kept, and who waits for it is told why', async () => {
  const folder = temporaryFolder();
  const errors = await Promise.all([0, 1].map(() => rejection(unbuildable().build({ cache: folder }))));
  expect(errors.map(({ code }) => code)).toEqual(['ERR_BUILD_FAILED', 'ERR_BUILD_FAILED']);
  expect(enginesIn(folder)).toEqual([]);
});

describe('a damaged entry', () => {
  test('is built again, which is told once', async () => {
    const folder = temporaryFolder();
    const first = await build(folder);
    const path = join(folder, enginesIn(folder)[0]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 100]! ^= 4;
    writeFileSync(path, bytes);
    const told: string[] = [];
    const second = await build(folder, {
      onLog: ({ severity, message }) => severity === 'warning' && told.push(message),
    });
    expect(second.fromCache).toBe(false);
    expect(told).toEqual([expect.stringMatching(/^the engine is built again: .*\.engine is damaged: the checksum of/)]);
    const [said] = told;
    expect(second.log.at(-1)).toBe(said);
    const third = await build(folder);
    expect([third.fromCache, third.log.includes(said!)]).toEqual([true, false]);
    expect(Buffer.compare(third.bytes, first.bytes)).toBe(0);
  });

  test('or one of another engine under its name', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const [name] = enginesIn(folder);
    const bytes = readFileSync(join(folder, name!));
    rmSync(join(folder, name!));
    await build(folder, { net: small(2) });
    const [other] = enginesIn(folder);
    writeFileSync(join(folder, other!), bytes);
    const again = await build(folder, { net: small(2) });
    expect(again.fromCache).toBe(false);
    expect(again.log.at(-1)).toContain('is the entry of another engine');
  });
});

describe('a cache that cannot be used is done without, and told once:', () => {
  async function expectBuilt(cache: string, said: RegExp): Promise<void> {
    const engines = [await build(cache), await build(cache), await build(cache, { net: small(2) })];
    expect(engines.map(({ fromCache }) => fromCache)).toEqual([false, false, false]);
    expect(engines.flatMap(({ log }) => log)).toEqual([expect.stringMatching(said)]);
  }

  test('a file instead of a folder', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    await expectBuilt(path, /is not written to: .*(ENOTDIR|EEXIST)/);
  });

  test('a folder that cannot be made', async () => {
    await expectBuilt('/proc/none/cache', /is not written to: ENOENT/);
  });

  test('a read-only file system, whose engines count', async ({ skip }) => {
    const disk = smallFileSystem(2 ** 24) ?? skip();
    const first = await build(disk.folder);
    disk.makeReadOnly();
    expect((await build(disk.folder)).fromCache).toBe(true);
    const other = await build(disk.folder, { net: small(5) });
    expect([other.fromCache, other.log.at(-1)]).toEqual([false, expect.stringMatching(/is not written to: EROFS/)]);
    expect(first.size).toBe(other.size);
  });

  test('a full disk', async ({ skip }) => {
    const disk = smallFileSystem(2 ** 14) ?? skip();
    await expectBuilt(disk.folder, /the engine is not kept in .*: ENOSPC/);
    expect(readdirSync(disk.folder).filter((name) => name.endsWith('.tmp') || name.endsWith('.engine'))).toEqual([]);
  });
});

test('a folder that is deleted while building is made again', async () => {
  const folder = temporaryFolder();
  const engine = await build(folder, { onProgress: () => rmSync(folder, { recursive: true, force: true }) });
  expect(engine.log).toEqual([]);
  expect((await build(folder)).fromCache).toBe(true);
});

describe('waiting for another one that builds', () => {
  test('ends at once by an abort', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const [name] = enginesIn(folder);
    rmSync(join(folder, name!));
    const held = (await tryLock(join(folder, name!.replace('.engine', '.lock'))))!;
    const controller = new AbortController();
    const waits = new Promise<void>((resolve) => {
      build(folder, { onLog: ({ message }) => message.includes('elsewhere') && resolve() }).catch(() => {});
    });
    const error = rejection(build(folder, { signal: controller.signal }));
    await waits;
    const began = performance.now();
    controller.abort();
    expect((await error).code).toBe('ERR_ABORTED');
    expect(performance.now() - began).toBeLessThan(1000);
    unlock(held);
  });

  test('ends by a callback that throws', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const [name] = enginesIn(folder);
    rmSync(join(folder, name!));
    const held = (await tryLock(join(folder, name!.replace('.engine', '.lock'))))!;
    const onLog = () => {
      throw new Error('no');
    };
    expect((await rejection(build(folder, { onLog }))).code).toBe('ERR_CALLBACK');
    unlock(held);
  });
});

test('a file of weights that was changed since it was loaded is an error, as where it is built', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'w.safetensors');
  copyFileSync(new URL('../../../examples/mnist/lenet.safetensors', import.meta.url), path);
  const net = (w: Awaited<ReturnType<typeof loadWeights>>) => {
    const net = network('fc', { x: float32(500) });
    net.linear(w.layer('fc2')).output('y');
    return net;
  };
  const cache = join(folder, 'cache');
  await net(await loadWeights(path)).build({ cache });
  const weights = await loadWeights(path);
  expect((await net(weights).build({ cache })).fromCache).toBe(true);
  const recorded = net(weights);
  utimesSync(path, new Date(), new Date());
  expect((await rejection(recorded.build({ cache }))).code).toBe('ERR_WEIGHTS_CHANGED');
});

describe('the size of the cache', () => {
  test('is bounded: what was not used for longest goes', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const size = statSync(join(folder, enginesIn(folder)[0]!)).size;
    const nets = [1, 2, 3].map((factor) => small(factor));
    for (const net of nets) await build(folder, { net });
    const [a, b, c] = enginesIn(folder);
    const years = [2021, 2022, 2023];
    [a, b, c].forEach((name, i) => {
      utimesSync(join(folder, name!), new Date(years[i]!, 0), new Date(years[i]!, 0));
      rmSync(join(folder, name!.replace('.engine', '.used')), { force: true });
    });
    process.env.NODE_TENSORRT_CACHE_LIMIT = String(3 * Math.ceil(size / 4096) * 4096 + 100);
    await build(folder, { net: small(4) });
    expect(enginesIn(folder)).not.toContain(a);
    expect(enginesIn(folder)).toEqual(expect.arrayContaining([b, c]));
  });

  test('a use makes an engine young', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const path = join(folder, enginesIn(folder)[0]!);
    utimesSync(path, new Date(2020, 0), new Date(2020, 0));
    const used = async () => (await entryFiles(folder))[0]!.usedMs;
    expect(Date.now() - (await used())).toBeGreaterThan(60_000);
    for (let i = 0; i < 2; i++) await build(folder);
    expect(Date.now() - (await used())).toBeLessThan(60_000);
    // The engine's own time stays: those who have it mapped would take it for changed.
    expect(statSync(path).mtimeMs).toBe(new Date(2020, 0).getTime());
  });

  test('an engine that is larger is not kept', async () => {
    const folder = temporaryFolder();
    process.env.NODE_TENSORRT_CACHE_LIMIT = '1kB';
    const engine = await build(folder);
    expect(engine.log.at(-1)).toMatch(/the engine is not kept: its \d+ bytes are more than .* may take, 1000$/);
    expect(enginesIn(folder)).toEqual([]);
  });

  test('that is no size is refused', async () => {
    process.env.NODE_TENSORRT_CACHE_LIMIT = 'much';
    const error = await rejection(build(temporaryFolder()));
    expect(error.code).toBe('ERR_BUILD_OPTION');
    expect(error.message).toContain("NODE_TENSORRT_CACHE_LIMIT: expected a size such as 5GB, given 'much'");
  });
});

test('the folder of `true` is beside what the package fetched', async () => {
  const folder = temporaryFolder();
  const { NODE_TENSORRT_CACHE, NODE_TENSORRT_LIBRARY } = process.env;
  const library = (await small().build()).library.path;
  process.env.NODE_TENSORRT_CACHE = folder;
  try {
    await small().build({ cache: true, library });
    expect(enginesIn(join(folder, 'engines'))).toHaveLength(1);
  } finally {
    if (NODE_TENSORRT_CACHE === undefined) delete process.env.NODE_TENSORRT_CACHE;
    else process.env.NODE_TENSORRT_CACHE = NODE_TENSORRT_CACHE;
  }
  expect(process.env.NODE_TENSORRT_LIBRARY).toBe(NODE_TENSORRT_LIBRARY);
});

test.each([[''], [3], [null], [{}]])('cache: %j is refused', async (cache) => {
  const error = await rejection(small().build({ cache: cache as never }));
  expect([error.code, error.option]).toEqual(['ERR_BUILD_OPTION', 'cache']);
});

test('an engine from the cache outlives its entry, and others that use it', async () => {
  const folder = temporaryFolder();
  const first = await build(folder);
  const engine = await build(folder);
  await build(folder);
  expect(Buffer.compare(engine.bytes, first.bytes)).toBe(0);
  const other = await build(folder);
  rmSync(folder, { recursive: true });
  const saved = join(temporaryFolder(), 'saved.plan');
  await other.save(saved);
  expect(Buffer.compare(readFileSync(saved), first.bytes)).toBe(0);
});

test('its file is an engine file', async () => {
  const folder = temporaryFolder();
  const engine = await build(folder);
  const { format, metadata } = await readEngineFile(join(folder, enginesIn(folder)[0]!));
  expect([format, metadata!.name, metadata!.library!.version]).toEqual(['container', 'small', engine.library.version]);
  expect(metadata!.graphHash).toBe(graphHash(small()));
});

test('an entry is moved with its folder', async () => {
  const folder = temporaryFolder();
  await build(join(folder, 'a'));
  renameSync(join(folder, 'a'), join(folder, 'b'));
  expect((await build(join(folder, 'b'))).fromCache).toBe(true);
  expect(existsSync(join(folder, 'a'))).toBe(false);
});
