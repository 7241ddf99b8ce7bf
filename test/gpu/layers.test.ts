import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFixture } from '../layers/fixture.js';
import { expectClose, expectSameInference, type LayerCase, record, sizesOf } from '../layers/harness.js';
import { describeGpu } from './support.js';

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
    test.each(variants)('$label', async ({ one, stored, dynamic }) => {
      const { net } = record(one, stored, dynamic);
      const build = () => net.build({ profiles: dynamic ? [sizesOf(one, stored)] : undefined, tf32: false });
      if (one.refused?.gpu) {
        await expect(build()).rejects.toThrow(one.refused.gpu);
        return;
      }
      await expectSameInference(net);
      using engine = await build();
      const results = await engine.run(stored.inputs);
      stored.outputs.forEach((expected, i) => {
        expectClose(results[`out${i}`]!, expected, one.tolerance);
      });
    });
  });
  describe.skipIf(checkOnly.length === 0)(`${kind}: networks of other releases`, () => {
    for (const library of checkOnly) {
      test.each(variants)(`$label with ${library}`, async ({ one, stored, dynamic }) => {
        await expectSameInference(record(one, stored, dynamic).net, library);
      });
    }
  });
}
