import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TensorRTError } from '../../src/index.js';
import { layerTable } from '../../src/layers/table.js';
import { chooseTensorRT } from '../../src/tensorrt/library/find.js';
import { readFixture } from './fixture.js';
import { type LayerCase, profilesOf, record } from './harness.js';

// What `rtx1Builds` says of TensorRT-RTX 1.7.1, asked of that release: it builds a case of every other kind, and none of these.
// It has no method for plugins at all.

const { path: library, version } = await chooseTensorRT({ for: 'build', library: 'rtx1' });
const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.cases.ts'));
const casesOf = new Map<string, LayerCase[]>(
  await Promise.all(
    files.map(async (file) => {
      const { cases } = (await import(new URL(file, import.meta.url).href)) as { cases: LayerCase[] };
      return [file.replace('.cases.ts', ''), cases] as const;
    }),
  ),
);

/** What became of a kind's cases: built, or the code of the error. With `first`, it stops at the first that is built. */
async function outcomes(kind: string, first: boolean): Promise<Set<string>> {
  const fixture = readFixture(kind);
  const found = new Set<string>();
  for (const one of casesOf.get(kind)!) {
    if (first && found.has('built')) break;
    const stored = fixture.get(one.name)!;
    const { net } = record(one, stored, false);
    const built = net.build({ library, profiles: profilesOf(one, stored, false) });
    found.add(
      await built.then(
        (engine) => {
          engine.dispose();
          return 'built';
        },
        (error: TensorRTError) => error.code,
      ),
    );
  }
  return found;
}

test
  .runIf(version === '1.7.1')
  .each(layerTable.map(({ definition: { kind }, rtx1Builds = true }) => [kind, rtx1Builds] as const))(
  '%s: TensorRT-RTX 1.7.1 builds it: %s',
  async (kind, builds) => {
    const found = await outcomes(kind, builds);
    if (builds) expect(found).toContain('built');
    else expect([...found]).toEqual([kind === 'plugin' ? 'ERR_UNSUPPORTED' : 'ERR_BUILD_FAILED']);
  },
);
