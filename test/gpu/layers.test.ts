import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LibraryInfo } from '../../src/tensorrt/binding.js';
import { readFixture } from '../layers/fixture.js';
import {
  expectClose,
  expectMostlyClose,
  expectSameInference,
  type LayerCase,
  profilesOf,
  record,
} from '../layers/harness.js';
import { describeGpu, lackedKinds, releaseOf, reportFigure, reportLibrary, reportReadBack } from './support.js';

/** TensorRT releases that only create networks here, separated by colons: every case's shapes are compared with theirs. */
const checkOnly = (process.env.NODE_TENSORRT_CHECK_LIBRARIES ?? '').split(':').filter(Boolean);

/** Kinds and `modules/NAME`, separated by commas: no others. */
const only = process.env.NODE_TENSORRT_KINDS?.split(',');

const all = (['layers', 'modules'] as const).flatMap((area) => {
  const folder = new URL(`../${area}/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cases.ts'));
  return files.sort().map((file) => {
    const kind = file.replace('.cases.ts', '');
    return { area, kind, suite: area === 'layers' ? kind : `${area}/${kind}`, url: new URL(file, folder).href };
  });
});
const unknown = only?.filter((name) => !all.some(({ suite }) => suite === name)) ?? [];
if (unknown.length > 0) throw new Error(`NODE_TENSORRT_KINDS: there is no ${unknown.join(', ')}`);

for (const { area, kind, suite, url } of all.filter((one) => !only || only.includes(one.suite))) {
  const files = [`test/${area}/${kind}.cases.ts`, `test/${area}/fixtures/${kind}.safetensors`];
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
  const onGpu = () => {
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
      await reportReadBack(() => expectSameInference(net, { anyRelease: true, refused: one.refused?.gpu }));
      const run = async () => {
        using engine = await build();
        return await engine.run(stored.inputs);
      };
      if (one.refused?.gpu) {
        await expect(run()).rejects.toThrow(one.refused.gpu);
        return;
      }
      const results = await run();
      const differences = stored.outputs.map((expected, i) => {
        const result = results[`out${i}`]!;
        if (!one.step) return expectClose(result, expected, one.tolerance);
        expectMostlyClose(result, expected, one.tolerance!);
        return expectClose(result, expected, one.step);
      });
      reportFigure('largest difference, of what is allowed', Math.max(0, ...differences), 1);
    });
  };
  describeGpu(`${kind}: build and run on the GPU`, onGpu, { suite, files });
  for (const library of checkOnly) {
    const about = { name: suite, tier: 'networks', files, library } as const;
    describe(`${kind}: networks of other releases`, { meta: { suite: about } }, () => {
      let release: LibraryInfo;
      beforeAll(async () => {
        release = await releaseOf(library);
      });
      test.each(variants)(`$label with ${library}`, async ({ one, stored, dynamic }) => {
        reportLibrary(release);
        const { net } = record(one, stored, dynamic);
        if (lackedKinds(net, release).length > 0) {
          await expect(net.check({ library })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
          return;
        }
        // Cases state what TensorRT 10.6 refuses, the release that the GPU tier has run with.
        const refused =
          release.flavor === 'trt10' && release.version.startsWith('10.6.') ? one.refused?.gpu : undefined;
        await reportReadBack(() => expectSameInference(net, { library, anyRelease: true, refused }));
      });
    });
  }
}
