import { describe, expect, test } from 'vitest';
import { releases, runPlugins, standIns } from './support.js';

standIns(...releases);

/** A network with a layer of two tactics, which TensorRT has to time; `hits` says where it had not. */
const program = (body: string) => `
  import { mkdtempSync, rmSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  import { join } from 'node:path';
  const folder = mkdtempSync(join(tmpdir(), 'timing-'));
  const path = join(folder, 'timing.cache');
  const tuned = (size) => {
    const net = network('one', { x: float32(size) });
    net.tensor('x').plugin(plugins.tuned).output('y');
    return net;
  };
  const failed = (promise) => promise.then(() => 'none', ({ code }) => code);
  try {
    ${body}
  } finally {
    rmSync(folder, { recursive: true });
  }`;

const hits = (log: readonly { call: string; hit?: unknown }[]) =>
  log.filter(({ call }) => call === 'timing cache').map(({ hit }) => hit);

describe.each(releases)('TensorRT %s', (release) => {
  test('a file: made, used by the next build, and extended by it', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        const first = await tuned(3).build({ timingCache: path });
        const size = readFileSync(path).length;
        const again = await tuned(3).build({ timingCache: path, errorOnTimingCacheMiss: true });
        await tuned(4).build({ timingCache: path });
        const more = readFileSync(path).length;
        await tuned(3).build({ timingCache: path });
        print([first.timingCache.length === size, more > size, again.log, await failed(tuned(5).build({ timingCache: path, errorOnTimingCacheMiss: true }))]);`),
      { release },
    );
    expect(result).toEqual([true, true, [], 'ERR_BUILD_FAILED']);
    expect(hits(log)).toEqual([false, true, false, true, false]);
  });

  test('bytes, combined; without the option there are none', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        const three = await tuned(3).build({ timingCache: true });
        const four = await tuned(4).build({ timingCache: true });
        await four.saveTimingCache(path);
        const both = await api.combineTimingCaches([three.timingCache, path]);
        await tuned(3).build({ timingCache: both });
        await tuned(4).build({ timingCache: both });
        const none = await tuned(4).build();
        print([none.timingCache === undefined, await failed(none.saveTimingCache(path)), await failed(api.combineTimingCaches([path, join(folder, 'absent')]))]);`),
      { release },
    );
    expect(result).toEqual([true, 'ERR_TIMING_CACHE', 'ERR_TIMING_CACHE']);
    expect(hits(log)).toEqual([false, false, true, true, false]);
  });

  test('damaged or another GPU’s: said once, as a warning, and replaced', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        const good = await tuned(3).build({ timingCache: true });
        const text = Buffer.from(good.timingCache).toString('latin1');
        const foreign = Buffer.from(text.replace(' 9.0', ' 8.0'), 'latin1');
        const all = [];
        for (const bytes of [Buffer.from('nonsense'), Buffer.from(text.slice(0, -3), 'latin1'), foreign]) {
          writeFileSync(path, bytes);
          const lines = [];
          const engine = await tuned(3).build({ timingCache: path, onLog: (line) => lines.push(line) });
          all.push([lines.map(({ severity }) => severity), engine.log.length, lines[0].message, readFileSync(path).equals(good.timingCache)]);
        }
        const taken = await tuned(3).build({ timingCache: foreign, ignoreTimingCacheMismatch: true });
        print([...all, taken.log, await failed(api.combineTimingCaches([good.timingCache, foreign])), await failed(api.combineTimingCaches([Buffer.from('nonsense')]))]);`),
      { release },
    );
    const warned = (why: RegExp) => [['warning'], 1, expect.stringMatching(why), true];
    expect(result).toEqual([
      warned(/^the timing cache was not used, so every layer is timed anew: .*wrong header/),
      warned(/wrong header or is damaged/),
      warned(/verification failed/),
      [],
      'ERR_TIMING_CACHE',
      'ERR_TIMING_CACHE',
    ]);
    expect(hits(log)).toEqual([false, false, false, false, true]);
  });

  test('what cannot be written is a warning; what another build wrote meanwhile stays', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        const other = await tuned(4).build({ timingCache: true });
        const deep = join(folder, 'no', 'such', 'folder');
        const engine = await tuned(3).build({ timingCache: deep });
        const onProgress = () => writeFileSync(path, other.timingCache);
        await tuned(3).build({ timingCache: path, onProgress });
        await tuned(3).build({ timingCache: path });
        await tuned(4).build({ timingCache: path });
        print([engine.size > 0, engine.log.length, engine.log[0], await failed(tuned(3).build({ timingCache: folder }))]);`),
      { release },
    );
    expect(result).toEqual([
      true,
      1,
      expect.stringMatching(/^could not write the timing cache to .*ENOENT/),
      'ERR_TIMING_CACHE',
    ]);
    expect(hits(log)).toEqual([false, false, false, true, true]);
  });
});
