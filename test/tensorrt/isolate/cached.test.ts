import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addonPath } from '../../../src/addon.js';
import { fakeTensorRT, temporaryFolder } from '../../setup/fake-library.js';
import { resultOf } from '../child.js';
import { runDist } from './children.js';

const folder = temporaryFolder();
const emptyFolder = (): string => mkdtempSync(join(folder, 'cache-'));

/** What programs here use. A process that was started stays for a minute, so that it is counted. */
const tools = (cache: string): string => `
  const net = (name = 'cached') => {
    const net = network(name, { x: float32('batch', 8) });
    net.linear({ weight: { shape: [8, 8], data: new Float32Array(64).fill(1) } }).output('y');
    return net;
  };
  const made = (options, one = net()) => one.build({ isolate: true, cache: ${JSON.stringify(cache)}, ...options });
`;

/** Builds one engine in a process of its own: whether it was cached, the processes it started, its log. */
async function buildIn(cache: string, options = '{}', env: NodeJS.ProcessEnv = {}) {
  const ended = await runDist(
    `${tools(cache)}
    const { fromCache, log, bytes, library } = await made(${options});
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(bytes).digest('hex');
    console.log(JSON.stringify({ fromCache, children: childrenOf().length, log, hash, library }));`,
    { env },
  );
  return resultOf<{ fromCache: boolean; children: number; log: string[]; hash: string; library: object }>(ended);
}

test('an engine that is built needs one process, one from the cache none', async () => {
  const cache = emptyFolder();
  const built = await buildIn(cache);
  expect(built).toMatchObject({ fromCache: false, children: 1 });
  const found = await buildIn(cache);
  expect(found).toEqual({ ...built, fromCache: true, children: 0 });
  expect(await buildIn(cache, '{ timeout: 50_000, memoryLimit: 2 ** 34 }')).toEqual(found);
});

test('of several who want the same at once, one starts a process', async () => {
  const ended = await runDist(`${tools(emptyFolder())}
    const engines = await Promise.all(Array.from({ length: 4 }, () => made()));
    const most = childrenOf().length;
    console.log(JSON.stringify([engines.filter(({ fromCache }) => !fromCache).length, most]));`);
  expect(resultOf(ended)).toEqual([1, 1]);
});

describe('before there is a process', () => {
  /** The key's lock is held by this program itself, so that the build waits. */
  const waiting = (cache: string, rest: string): string => `${tools(cache)}
    (await made()).dispose();
    const [entry] = fs.readdirSync(${JSON.stringify(cache)}).filter((name) => name.endsWith('.engine'));
    const path = ${JSON.stringify(`${cache}/`)} + entry;
    const { createRequire } = await import('node:module');
    const addon = createRequire(import.meta.url)(${JSON.stringify(addonPath())});
    const held = addon.tryLock(path.replace(/engine$/, 'lock'));
    fs.rmSync(path);
    process.kill(childrenOf()[0], 'SIGKILL');
    await until(() => childrenOf().length === 0);
    ${rest}
    addon.unlock(held);`;

  test('a timeout ends the wait for who builds the same', async () => {
    const ended = await runDist(
      waiting(
        emptyFolder(),
        `const began = performance.now();
        const said = await outcome(made({ timeout: 400 }));
        console.log(JSON.stringify([said, performance.now() - began < 2000, childrenOf().length]));`,
      ),
    );
    expect(resultOf(ended)).toEqual([
      [
        'ERR_BUILD_TIMEOUT',
        'the build was ended: it took longer than its timeout of 400 ms, and was looking into the cache',
      ],
      true,
      0,
    ]);
  });

  test('a signal does, too', async () => {
    const ended = await runDist(
      waiting(
        emptyFolder(),
        `const [code] = await outcome(made({ signal: AbortSignal.timeout(300) }));
        console.log(JSON.stringify([code, childrenOf().length]));`,
      ),
    );
    expect(resultOf(ended)).toEqual(['ERR_ABORTED', 0]);
  });
});

test('a library that only the process finds unusable is passed over, and the other one’s engine is cached', async () => {
  const root = join(folder, 'broken');
  mkdirSync(root);
  fakeTensorRT(join(root, 'libtensorrt_rtx.so.1'), 10701);
  const cache = emptyFolder();
  const env = { TENSORRT_ROOT: root };
  const other = await buildIn(emptyFolder());
  const built = await buildIn(cache, '{}', env);
  expect(built).toEqual({ ...other, fromCache: false, children: 1 });
  expect(await buildIn(cache, '{}', env)).toEqual({ ...built, fromCache: true });
  expect(await buildIn(cache)).toEqual({ ...built, fromCache: true, children: 0 });
});
