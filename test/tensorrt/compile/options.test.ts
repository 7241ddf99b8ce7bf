import { describe, expect, test } from 'vitest';
import { type BuildOptions, float32, int32, network, type Tensor } from '../../../src/index.js';
import { optionNames } from '../../../src/tensorrt/compile/options.js';
import { chain, rejection } from '../networks.js';

/** Values that are none of TensorRT's defaults; `refitIdentical` excludes `refit`. */
const unusual: BuildOptions = {
  tf32: false,
  refit: true,
  stripPlan: true,
  versionCompatible: true,
  excludeLeanRuntime: true,
  sparseWeights: true,
  strictNans: true,
  weightStreaming: true,
  directIO: true,
  debug: true,
  disableTimingCache: true,
  workspace: 2 ** 33 + 2 ** 20,
  optimizationLevel: 1,
  avgTimingIterations: 3,
  maxTactics: 17,
  maxAuxStreams: 5,
  profilingVerbosity: 'detailed',
  computeCapabilities: [89, 120],
};

describe('build options are read back', () => {
  test('every option is here', () => {
    // TensorRT-RTX has no plugins: test/plugin/existing-build.test.ts reads `pluginsToSerialize` back.
    const plugins = ['decomposePlugins', 'pluginsToSerialize'];
    const elsewhere = ['library', 'profiles', ...plugins, 'signal', 'onLog', 'onProgress'];
    const here = [...Object.keys(unusual), 'refitIdentical', 'hardwareCompatibility'];
    expect([...here, ...elsewhere].sort()).toEqual([...optionNames].sort());
  });

  test('all of them at once, none at its default', async () => {
    const { options: before } = await chain(1).check();
    for (const [name, value] of Object.entries(unusual)) {
      expect(before, `${name} has another default`).not.toMatchObject({ [name]: value });
      expect(before, `the default of ${name} is told`).toHaveProperty(name);
    }
    const { options } = await chain(1).check(unusual);
    expect(options).toMatchObject(unusual);
  });

  // Refused without `versionCompatible`.
  const single = Object.entries(unusual).filter(([name]) => name !== 'excludeLeanRuntime');
  test.each(single)('%s alone changes nothing else', async (name, value) => {
    const { options: before } = await chain(1).check();
    const { options } = await chain(1).check({ [name]: value });
    const { [name as keyof typeof options]: held, ...rest } = options;
    expect(held).toEqual(value);
    const differing = Object.keys(rest).filter((key) => {
      const [a, b] = [before, options].map((one) => JSON.stringify(one[key as keyof typeof one]));
      return a !== b;
    });
    expect(differing).toEqual([]);
  });

  test('options of which TensorRT keeps one only are an error', async () => {
    expect((await chain(1).check({ refitIdentical: true })).options).toMatchObject({
      refitIdentical: true,
      refit: false,
    });
    const error = await rejection(chain(1).check({ refit: true, refitIdentical: true }));
    expect(error.code).toBe('ERR_BUILD_OPTION');
    expect(error.message).toMatch(/^build option refit: asked for true, TensorRT holds false\n.*mutually exclusive/s);
  });

  test('an engine tells those it was built with', async () => {
    using engine = await chain(1).build({ profilingVerbosity: 'none', maxAuxStreams: 2 });
    expect(engine.options).toMatchObject({ profilingVerbosity: 'none', maxAuxStreams: 2 });
    expect(engine.options!.profiles).toEqual([{ x: { min: [1, 8], opt: [8, 8], max: [64, 8] } }]);
  });

  test('profiles: shapes, and elements that decide shapes', async () => {
    const net = network('profiles', { x: float32('n', 'm'), k: int32(), size: int32(2) });
    const [x, k, size] = net.inputs as [Tensor, Tensor, Tensor];
    x.topk(k, { axis: 1 })[0]!.output('largest');
    x.reshape(size).output('reshaped');
    const profiles = [
      {
        n: [1, 2, 3],
        m: [4, 5, 6],
        k: [1, 2, 3],
        size: [
          [1, 4],
          [2, 5],
          [3, 6],
        ],
      },
      {
        n: 7,
        m: [8, 9, 10],
        k: 4,
        size: [
          [7, 8],
          [7, 9],
          [7, 10],
        ],
      },
    ] as const;
    const { options } = await net.check({ profiles });
    expect(options.profiles).toEqual([
      {
        x: { min: [1, 4], opt: [2, 5], max: [3, 6] },
        k: { min: [1], opt: [2], max: [3] },
        size: { min: [1, 4], opt: [2, 5], max: [3, 6] },
      },
      {
        x: { min: [7, 8], opt: [7, 9], max: [7, 10] },
        k: { min: [4], opt: [4], max: [4] },
        size: { min: [7, 8], opt: [7, 9], max: [7, 10] },
      },
    ]);
  });

  test('a check without profiles has none', async () => {
    expect((await chain(1).check()).options).not.toHaveProperty('profiles');
  });
});
