import { describe, expect, test } from 'vitest';
import { type BuildOptions, float32, int32, network, type Tensor } from '../../../src/index.js';
import { binding } from '../../../src/tensorrt/binding.js';
import { optionTable } from '../../../src/tensorrt/compile/option-table.js';
import { optionNames } from '../../../src/tensorrt/compile/options.js';
import { chain, rejection } from '../networks.js';
import { unusual as values } from '../option-values.js';

/** TensorRT-RTX has compute capabilities in addition. */
const unusual: BuildOptions = { ...values, computeCapabilities: [89, 120] };

/** Tested below, because they exclude others, need a network, or TensorRT-RTX takes one value only. */
const single = ['refitIdentical', 'refitIndividual', 'buildRoute', 'engineCapability', 'runtimePlatform'];

test('the table, the types, the schema and the addon have the same options', () => {
  // The compiler compares the table's keys with the type's; the schema is made of the table.
  const told = optionNames.filter((name) => !optionTable[name as keyof BuildOptions].ours);
  const native = binding().optionTable();
  expect(native.map(({ name }) => name).sort()).toEqual([...told].sort());
  for (const { name, ...releases } of native) {
    expect(Object.values(releases).some(Boolean), name).toBe(true);
    for (const release of Object.values(releases)) expect(release ?? '1.0.0').toMatch(/^\d+\.\d+\.\d+$/);
  }
});

describe('build options are read back', () => {
  test('every option is here, and TensorRT tells all that it has', async () => {
    // TensorRT-RTX has no plugins: test/plugin/existing-build.test.ts reads `pluginsToSerialize` back.
    const absent = ['pluginsToSerialize', 'hardwareCompatibility'];
    const told = optionNames.filter((name) => !optionTable[name as keyof BuildOptions].ours);
    expect([...Object.keys(unusual), ...single, ...absent].sort()).toEqual([...told].sort());
    const { options } = await chain(1).check();
    expect(Object.keys(options).sort()).toEqual(told.filter((name) => !absent.includes(name)).sort());
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
  const alone = Object.entries(unusual).filter(([name]) => name !== 'excludeLeanRuntime');
  test.each(alone)('%s alone changes nothing else', async (name, value) => {
    const { options: before } = await chain(1).check();
    const { options } = await chain(1).check({ [name]: value });
    const { [name as keyof typeof options]: held, ...rest } = options;
    expect(held).toEqual(typeof value === 'object' && !Array.isArray(value) ? expect.objectContaining(value) : value);
    const differing = Object.keys(rest).filter((key) => {
      const [a, b] = [before, options].map((one) => JSON.stringify(one[key as keyof typeof one]));
      return a !== b;
    });
    // It is one of the pools.
    expect(differing).toEqual(name === 'workspace' ? ['memoryPools'] : []);
  });

  test('those that exclude others', async () => {
    const net = network('linear', { x: float32(2, 4) });
    net
      .linear({ weight: { name: 'fc.weight', dtype: 'float32', shape: [3, 4], data: new Float32Array(12) } })
      .output('y');
    const { options } = await net.check({ refitIndividual: ['fc.weight'] });
    expect(options).toMatchObject({ refitIndividual: ['fc.weight'], refit: false });
    expect((await net.check()).options.refitIndividual).toEqual([]);
    const error = await rejection(net.check({ refitIndividual: ['fc.wieght'] }));
    expect(error.message).toBe(
      "build options: refitIndividual: network 'linear' has no weights named 'fc.wieght'; did you mean 'fc.weight'?",
    );
    expect((await net.check({ engineCapability: 'standard', runtimePlatform: 'same_as_build' })).options).toMatchObject(
      {
        engineCapability: 'standard',
        runtimePlatform: 'same_as_build',
        buildRoute: '',
      },
    );
    const platform = await rejection(net.check({ runtimePlatform: 'windows_amd64' }));
    expect(platform.message).toMatch(/^build option runtimePlatform: TensorRT refused it\n.*kWINDOWS_AMD64/s);
  });

  test('attention that may, must or must not be several kernels', async () => {
    const net = network('attention', { q: float32(1, 2, 4, 8) });
    const q = net.tensor();
    q.attention(q, q, { name: 'outer' }).output('y');
    const large = q.max({ axes: [0, 1, 2, 3] }).gt(1);
    net
      .if(
        large,
        () => q.attention(q, q, { name: 'inner' }),
        () => q.mul(2),
      )
      .output('z');
    const held = async (decomposeAttention?: 'never' | 'may' | 'must') => {
      const { readBack } = await net.check({ decomposeAttention });
      const both = readBack.filter(({ kind }) => kind === 'attention');
      // TensorRT-RTX does not take TensorRT's layer in nested graphs.
      expect(both.map(({ layer }) => layer)).toEqual(['outer', 'if.then.inner']);
      return both.map(({ parameters, parts }) => (parts.length > 1 ? 'parts' : parameters.decomposable));
    };
    expect(await held()).toEqual([true, 'parts']);
    expect(await held('never')).toEqual([false, 'parts']);
    expect(await held('may')).toEqual([true, 'parts']);
    expect(await held('must')).toEqual(['parts', 'parts']);
    // The network itself stays as it is.
    expect(JSON.stringify(net.toJSON())).not.toContain('"decomposable":false');
  });

  test('a number of threads holds for one build only', async () => {
    expect((await chain(1).check({ maxThreads: 2 })).options.maxThreads).toBe(2);
    expect((await chain(1).check()).options.maxThreads).toBe(1);
  });

  test('what is not offered, or not by this release, says why', async () => {
    const message = async (options: object) => {
      const { code, message } = await rejection(chain(1).check(options as BuildOptions));
      return `${code} ${message.split('\n')[0]}`;
    };
    expect(await message({ useDLACore: 0 })).toMatch(/^ERR_UNSUPPORTED build options: useDLACore: not offered: .*DLA/);
    expect(await message({ memoryPools: { dla_local_dram: 1 } })).toMatch(/^ERR_UNSUPPORTED .*'dla_local_dram' is not/);
    expect(await message({ engineCapability: 'safety' })).toMatch(/^ERR_UNSUPPORTED .*'safety' is not offered/);
    expect(await message({ fp16: true })).toMatch(/^ERR_UNSUPPORTED .*strongly typed/);
    expect(await message({ tacticSources: ['cudnn'] })).toBe(
      'ERR_UNSUPPORTED build option tacticSources: TacticSource::kCUDNN needs TensorRT 10; loaded is rtx1 1.7.1',
    );
    expect(await message({ hardwareCompatibility: 'none' })).toMatch(/^ERR_UNSUPPORTED .*takes computeCapabilities/);
    expect(await message({ buildRoute: '-x=1' })).toBe('ERR_BUILD_OPTION build option buildRoute: TensorRT refused it');
    expect(await message({ memoryPools: { heap: 1 } })).toMatch(/no option is called 'heap'; there are workspace, /);
    expect(await message({ workspace: 1, memoryPools: { workspace: 2 } })).toMatch(/expected 1, as workspace says/);
    expect(await message({ timingCache: true, disableTimingCache: true })).toMatch(/^ERR_BUILD_OPTION .*timingCache/);
    expect(await message({ timingCache: 5 })).toMatch(/expected a path, a Uint8Array or true, given 5$/);
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
