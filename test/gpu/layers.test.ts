import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LibraryInfo } from '../../src/tensorrt/binding.js';
import { readFixture } from '../layers/fixture.js';
import { expectClose, expectSameInference, type LayerCase, profilesOf, record } from '../layers/harness.js';
import { describeGpu, lackedKinds, releaseOf } from './support.js';

/** TensorRT releases that only create networks here, separated by colons: every case's shapes are compared with theirs. */
const checkOnly = (process.env.NODE_TENSORRT_CHECK_LIBRARIES ?? '').split(':').filter(Boolean);

const kinds = (['layers', 'modules'] as const).flatMap((area) => {
  const folder = new URL(`../${area}/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cases.ts'));
  return files.sort().map((file) => ({ area, kind: file.replace('.cases.ts', ''), url: new URL(file, folder).href }));
});

for (const { area, kind, url } of kinds) {
  const { cases } = (await import(url)) as { cases: LayerCase[] };
  const fixture = readFixture(kind, area);
  const variants = cases.flatMap((one) =>
    (one.dynamic ? [false, true] : [false]).map((dynamic) => ({
      label: dynamic ? `${one.name} (dynamic)` : one.name,
      one,
      stored: fixture.get(one.name)!,
      dynamic,
    })),
  );
  describeGpu(`${kind}: build and run on the GPU`, () => {
    let release: LibraryInfo;
    beforeAll(async () => {
      release = await releaseOf();
    });
    test.each(variants)('$label', async ({ one, stored, dynamic }) => {
      const { net } = record(one, stored, dynamic);
      const build = () => net.build({ profiles: profilesOf(one, stored, dynamic), tf32: false });
      if (lackedKinds(net, release).length > 0) {
        await expect(build()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
        return;
      }
      await expectSameInference(net, { anyRelease: true, refused: one.refused?.gpu });
      const run = async () => {
        using engine = await build();
        return await engine.run(stored.inputs);
      };
      if (one.refused?.gpu) {
        await expect(run()).rejects.toThrow(one.refused.gpu);
        return;
      }
      const results = await run();
      stored.outputs.forEach((expected, i) => {
        expectClose(results[`out${i}`]!, expected, one.tolerance);
      });
    });
  });
  for (const library of checkOnly) {
    describe(`${kind}: networks of other releases`, () => {
      let release: LibraryInfo;
      beforeAll(async () => {
        release = await releaseOf(library);
      });
      test.each(variants)(`$label with ${library}`, async ({ one, stored, dynamic }) => {
        const { net } = record(one, stored, dynamic);
        if (lackedKinds(net, release).length > 0) {
          await expect(net.check({ library })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
          return;
        }
        await expectSameInference(net, { library, anyRelease: true });
      });
    });
  }
}
