import { describe, expect, test } from 'vitest';
import { releases, runPlugins, standIns } from './support.js';

standIns(...releases);

/** `tuned` has a layer of two tactics, which TensorRT has to time. */
const program = (body: string) => `
  import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  import { join } from 'node:path';
  const cache = mkdtempSync(join(tmpdir(), 'engine-cache-'));
  const timing = () => readdirSync(join(cache, 'timing')).map((name) => join(cache, 'timing', name));
  const tuned = (size, relu = false) => {
    const net = network('one', { x: float32(size) });
    const y = net.tensor('x').plugin(plugins.tuned);
    (relu ? y.relu() : y).output('y');
    return net;
  };
  try {
    ${body}
  } finally {
    rmSync(cache, { recursive: true });
  }`;

const hits = (log: readonly { call: string; hit?: unknown }[]) =>
  log.filter(({ call }) => call === 'timing cache').map(({ hit }) => hit);

describe.each(releases)('TensorRT %s', (release) => {
  test('a layer that another network had is not timed again; an engine from the cache times nothing', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        const first = await tuned(3).build({ cache });
        const again = await tuned(3).build({ cache });
        const other = await tuned(3, true).build({ cache });
        print([first.fromCache, again.fromCache, other.fromCache, first.timingCache === undefined, timing().length,
          Buffer.compare(first.bytes, again.bytes), [...first.log, ...again.log, ...other.log]]);`),
      { release },
    );
    expect(result).toEqual([false, true, false, true, 1, 0, []]);
    expect(hits(log)).toEqual([false, true]);
  });

  test('a damaged timing cache is said once, and replaced', async () => {
    const { result, log } = await runPlugins<unknown[]>(
      program(`
        await tuned(3).build({ cache });
        writeFileSync(timing()[0], 'nonsense');
        const said = await tuned(4).build({ cache });
        const silent = await tuned(4, true).build({ cache });
        print([said.log.length, silent.log]);`),
      { release },
    );
    expect(result).toEqual([1, []]);
    expect(hits(log)).toEqual([false, false, true]);
  });

  test('builds at once put theirs together; disableTimingCache does without', async () => {
    const { result } = await runPlugins<unknown[]>(
      program(`
        await Promise.all([3, 4, 5].map((size) => tuned(size).build({ cache })));
        const [path] = timing();
        const all = readFileSync(path, 'latin1');
        rmSync(path);
        await tuned(6).build({ cache, disableTimingCache: true });
        print([timing().length, all.split('\\n').length]);`),
      { release },
    );
    expect(result).toEqual([0, expect.any(Number)]);
  });
});
