import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { without } from '../../src/tensorrt/compile/build.js';
import { readFixture } from './fixture.js';
import { expectSameInference, type LayerCase, profilesOf, record } from './harness.js';

const table = readFileSync(new URL('../../native/lowering/table.def', import.meta.url), 'utf8');
const rows = [...table.matchAll(/^(LAYER|DECOMPOSED|BEYOND_TRT10)\((\w+), (?:\w+, )?(\w+)\)$/gm)].map(
  ([, row, kind, method]) => ({ isDecomposed: row !== 'LAYER', kind: kind!, method: method! }),
);

afterEach(() => {
  without.length = 0;
});

async function variantsOf(kind: string) {
  const { cases } = (await import(`./${kind}.cases.ts`)) as { cases: LayerCase[] };
  const fixture = readFixture(kind);
  return cases.flatMap((one) =>
    (one.dynamic ? [false, true] : [false]).map((dynamic) => ({
      label: dynamic ? `${one.name} (dynamic)` : one.name,
      one,
      stored: fixture.get(one.name)!,
      dynamic,
    })),
  );
}

/** Kinds that other layers make for releases that lack a method; and parts of kinds. */
const replaced = [
  ...rows.filter(({ isDecomposed }) => isDecomposed),
  { kind: 'topk', method: 'setIndicesType' },
  { kind: 'nms', method: 'setIndicesType' },
  { kind: 'non_zero', method: 'setIndicesType' },
];

for (const { kind, method } of replaced) {
  const variants = await variantsOf(kind);
  describe(`${kind} without ${method}`, () => {
    test.each(variants)('$label', async ({ one, stored, dynamic }) => {
      const { net } = record(one, stored, dynamic);
      const profiles = profilesOf(one, stored, dynamic);
      without.push(method);
      const refused = one.refused?.fallback ?? one.refused?.build;
      await expectSameInference(net, { refused });
      if (refused) {
        await expect(net.build({ profiles })).rejects.toThrow(refused);
        return;
      }
      using engine = await net.build({ profiles });
      expect(engine.bytes.byteLength).toBeGreaterThan(1000);
    });
  });
}

describe('kinds that nothing stands in for', () => {
  const { length } = rows;
  test('are all the others', () => {
    expect(length).toBe(table.match(/^[A-Z_0-9]+\(/gm)!.length);
  });
  test.each(rows.filter(({ isDecomposed }) => !isDecomposed))('$kind needs $method', async ({ kind, method }) => {
    const [first] = await variantsOf(kind);
    const { net } = record(first!.one, first!.stored, false);
    without.push(method);
    // TensorRT-RTX never had it.
    const said =
      kind === 'plugin'
        ? /TensorRT-RTX has no plugin layers/
        : new RegExp(`INetworkDefinition::${method} needs TensorRT.* or later; loaded is \\w+ [\\d.]+`);
    await expect(net.check()).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(said),
    });
  });
});
