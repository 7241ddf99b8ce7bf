import { describe, expect, test } from 'vitest';
import { type BuildOptions, type BuildProgress, float32, network, type Profile } from '../../../src/index.js';
import { chain, rejection, unbuildable } from '../networks.js';

/** Checks that phases are nested and whole. @returns how many there are */
function phasesOf(events: readonly BuildProgress[]): number {
  const open: BuildProgress[] = [];
  let phases = 0;
  for (const event of events) {
    const { phase, parent } = event;
    if (event.event === 'start') {
      phases++;
      expect(phase).not.toBe('');
      expect(event.step).toBe(0);
      expect(event.steps).toBeGreaterThan(0);
      if (parent !== undefined) expect(open.map((one) => one.phase)).toContain(parent);
      open.push(event);
      continue;
    }
    const at = open.findLastIndex((one) => one.phase === phase);
    expect(at).toBeGreaterThanOrEqual(0);
    expect([event.parent, event.steps]).toEqual([open[at]!.parent, open[at]!.steps]);
    expect(event.step).toBeGreaterThanOrEqual(open[at]!.step + (event.event === 'step' ? 1 : 0));
    expect(event.step).toBeLessThanOrEqual(event.steps);
    open[at] = event;
    if (event.event === 'end') open.splice(at, 1);
  }
  expect(open).toEqual([]);
  return phases;
}

describe('build', () => {
  test('an engine knows its inputs, outputs, size and library', async () => {
    using engine = await chain(3).build();
    expect(engine.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 8] }]);
    expect(engine.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['batch', 8] }]);
    expect(engine.library).toMatchObject({ flavor: expect.stringMatching(/^(trt1[01]|rtx1)$/) });
    expect(engine.bytes.byteLength).toBe(engine.size);
    expect(engine.buildMs).toBeGreaterThan(0);
    // Serialized engines begin with their magic tag: "ftrt" of TensorRT, "vtrt" of TensorRT-RTX.
    expect(Buffer.from(engine.bytes.subarray(0, 4)).toString()).toMatch(/^[fv]trt$/);
  });

  test('progress: phases are nested, start, count their steps and end', async () => {
    const events: BuildProgress[] = [];
    using engine = await chain(10).build({ onProgress: (event) => events.push(event) });
    expect(engine.size).toBeGreaterThan(0);
    expect(phasesOf(events)).toBeGreaterThan(5);
    expect(Math.max(...events.map(({ step, steps }) => step / steps))).toBe(1);
  });

  test('progress: what has started ends, where the build fails or is aborted', async () => {
    const failed: BuildProgress[] = [];
    await rejection(unbuildable().build({ onProgress: (event) => failed.push(event) }));
    expect(phasesOf(failed)).toBeGreaterThan(0);
    const aborted: BuildProgress[] = [];
    const stop = new AbortController();
    const onProgress = (event: BuildProgress) => {
      aborted.push(event);
      if (event.parent !== undefined) stop.abort();
    };
    await rejection(chain(500).build({ onProgress, signal: stop.signal }));
    // What comes after the abort is not told.
    expect(aborted.at(-1)!.parent).toBeDefined();
  });

  test('what TensorRT finds wrong is in the error, in the log and in onLog', async () => {
    const lines: { severity: string; message: string }[] = [];
    const error = await rejection(unbuildable().build({ onLog: (line) => lines.push(line) }));
    expect(error.code).toBe('ERR_BUILD_FAILED');
    expect(error.message).toMatch(/could not build network 'unbuildable'[\s\S]*TensorRT: .*non_zero/);
    expect(error).toMatchObject({ layer: 'non_zero', kind: 'non_zero', method: 'nonZero' });
    expect(error.source?.file).toMatch(/networks\.ts$/);
    expect(error.log).toEqual([expect.stringContaining('non_zero')]);
    expect(lines).toEqual([{ severity: 'error', message: error.log![0] }]);
  });

  test('a failed build leaves the next one alone', async () => {
    const [bad, good] = await Promise.allSettled([unbuildable().build(), chain(2).build({ profiles: [{ batch: 8 }] })]);
    expect(bad.status).toBe('rejected');
    expect(good.status).toBe('fulfilled');
    using engine = (good as PromiseFulfilledResult<Awaited<ReturnType<ReturnType<typeof chain>['build']>>>).value;
    expect(engine.log).toEqual([]);
  });

  test('several builds at once, each its own network', async () => {
    const sizes = [1, 5, 9, 13];
    const engines = await Promise.all(
      sizes.map((layers) => {
        const net = network(`net${layers}`, { [`in${layers}`]: float32(layers, 2) });
        net.relu().output(`out${layers}`);
        return net.build();
      }),
    );
    expect(engines.map(({ inputs, outputs }) => [inputs[0]!.name, inputs[0]!.shape, outputs[0]!.name])).toEqual(
      sizes.map((layers) => [`in${layers}`, [layers, 2], `out${layers}`]),
    );
    for (const engine of engines) engine.dispose();
  });

  test('one network twice, at once and again', async () => {
    const net = chain(4);
    const engines = [...(await Promise.all([net.build(), net.build()])), await net.build()];
    expect(new Set(engines.map(({ size }) => size)).size).toBe(1);
    for (const engine of engines) engine.dispose();
  });

  test('what is recorded after build() was called belongs to the next build', async () => {
    const net = chain(2);
    const first = net.build();
    const other = net.input('z', float32(2));
    other.relu().output('late');
    using engine = await first;
    expect([engine.inputs.length, engine.outputs.length]).toEqual([1, 1]);
    using second = await net.build();
    expect([second.inputs.length, second.outputs.length]).toEqual([2, 2]);
  });

  test('an empty network, and one without an output', async () => {
    const empty = network('empty', { x: float32(1) });
    const none = network('none', { x: float32(1) });
    none.relu();
    for (const [net, code] of [
      [network('nothing'), 'ERR_EMPTY_NETWORK'],
      [empty, 'ERR_EMPTY_NETWORK'],
      [none, 'ERR_NO_OUTPUT'],
    ] as const) {
      for (const run of [() => net.build(), () => net.check(), () => net.compile({ backend: 'cpu' })]) {
        const error = await rejection(run());
        expect([error.code, error.message.includes(`'${net.name}'`)]).toEqual([code, true]);
      }
    }
  });

  test('an input as an output, one tensor under two names, an input nobody uses', async () => {
    const net = network('odd', { x: float32('n', 2), unused: float32(3) });
    const [x] = net.inputs;
    x!.output('copy');
    x!.relu().output('a').output('b');
    using engine = await net.build();
    expect(engine.outputs.map(({ name }) => name)).toEqual(['copy', 'a', 'b']);
    expect(engine.inputs.map(({ name }) => name)).toEqual(['x', 'unused']);
  });

  test('names of inputs and layers may be alike', async () => {
    const net = network('alike', { activation: float32(2) });
    net.relu().sigmoid().relu().output('activation_1');
    using engine = await net.build();
    expect(engine.outputs[0]!.name).toBe('activation_1');
  });
});

describe('options', () => {
  test.each<[string, unknown, RegExp]>([
    ['an unknown one', { optimise: 3 }, /no option is called 'optimise'; there are library, profiles, tf32/],
    ['text for a flag', { tf32: 'yes' }, /tf32: expected true or false, given 'yes'/],
    ['a level beyond 5', { optimizationLevel: 6 }, /optimizationLevel: .*given 6/],
    ['a fraction', { workspace: 1.5 }, /workspace: .*given 1.5/],
    ['a negative workspace', { workspace: -1 }, /workspace: .*given -1/],
    ['more iterations than 32 bits', { avgTimingIterations: 2 ** 31 }, /avgTimingIterations: .*given 2147483648/],
    ['a compute capability that is none', { computeCapabilities: [90] }, /computeCapabilities\[0\]: .*given 90/],
    ['an enumerator that is none', { profilingVerbosity: 'loud' }, /profilingVerbosity: .*given 'loud'/],
    ['no list of profiles', { profiles: { batch: 1 } }, /profiles: .*given \{ batch: 1 \}/],
    ['a function as a signal', { signal: () => 1 }, /signal: .*given/],
    ['an object as a callback', { onProgress: {} }, /onProgress: .*given \{\}/],
    ['null', null, /expected an object, given null/],
    ['text', 'fast', /expected an object, given 'fast'/],
  ])('%s is refused', async (_, options, message) => {
    const error = await rejection(chain(1).build(options as BuildOptions));
    expect([error.code, error.message]).toEqual(['ERR_BUILD_OPTION', expect.stringMatching(message)]);
  });

  test.each<BuildOptions>([
    { tf32: false },
    { tf32: true },
    { refit: true },
    { refit: true, stripPlan: true },
    { sparseWeights: true },
    { strictNans: true },
    { weightStreaming: true },
    { directIO: true },
    { debug: true },
    { disableTimingCache: true },
    { workspace: 2 ** 33 },
    { optimizationLevel: 0 },
    { avgTimingIterations: 2 },
    { maxTactics: -1 },
    { maxAuxStreams: 2 },
    { profilingVerbosity: 'detailed' },
    { profilingVerbosity: 'layer_names_only' },
    { profilingVerbosity: 'none' },
  ])('%o is taken', async (options) => {
    using engine = await chain(2).build(options);
    expect(engine.log.filter((line) => /error/i.test(line))).toEqual([]);
    expect(engine.options).toMatchObject(options);
  });

  test('what TensorRT refuses without failing is an error', async () => {
    const error = await rejection(chain(1).build({ excludeLeanRuntime: true }));
    expect(error).toMatchObject({
      code: 'ERR_BUILD_OPTION',
      log: expect.arrayContaining([expect.stringContaining('kVERSION_COMPATIBLE')]),
    });
    expect(error.message).toMatch(/^build option excludeLeanRuntime: TensorRT refused it/);
  });

  test('what only another flavor has is ERR_UNSUPPORTED', async () => {
    const { flavor } = (await chain(1).check()).library;
    const options: BuildOptions =
      flavor === 'rtx1' ? { hardwareCompatibility: 'ampere_plus' } : { computeCapabilities: [89] };
    expect(await rejection(chain(1).build(options))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });
});

describe('profiles', () => {
  const net = () => {
    const two = network('two', { x: float32('n', 'm', 2), y: float32('m', 3) });
    two.inputs[0]!.relu().output('a');
    two.inputs[1]!.relu().output('b');
    return two;
  };

  test.each<[string, Profile[], RegExp]>([
    ['a dim is missing', [{ n: 1 }], /profiles\[0\]: dim 'm' is missing.*n, m/],
    ['a dim is unknown', [{ n: 1, m: 1, k: 1 }], /no dynamic dim 'k'; it has n, m/],
    ['not in rising order', [{ n: [1, 2, 3], m: [4, 2, 8] }], /profiles\[0\]: 'm'.*rising order, given \[4, 2, 8\]/],
    ['the second one is wrong', [{ n: 1, m: 1 }, { n: 1 }], /profiles\[1\]: dim 'm' is missing/],
  ])('%s', async (_, profiles, message) => {
    expect(await rejection(net().build({ profiles }))).toMatchObject({
      code: 'ERR_PROFILE',
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, unknown]>([
    ['no profile', []],
    ['two numbers', [{ n: [1, 2], m: 1 }]],
    ['a negative size', [{ n: -1, m: 1 }]],
    ['NaN', [{ n: Number.NaN, m: 1 }]],
    ['text', [{ n: '1', m: 1 }]],
    ['2^31', [{ n: 2 ** 31, m: 1 }]],
  ])('%s is refused', async (_, profiles) => {
    expect((await rejection(net().build({ profiles: profiles as Profile[] }))).code).toBe('ERR_BUILD_OPTION');
  });

  test('for a network without dynamic dims there is nothing to name', async () => {
    const fixed = network('fixed', { x: float32(2) });
    fixed.relu().output('y');
    const error = await rejection(fixed.build({ profiles: [{ batch: [1, 2, 4] }] }));
    expect(error).toMatchObject({
      code: 'ERR_PROFILE',
      message: expect.stringMatching(/no dynamic dim 'batch'.*none/),
    });
    using engine = await fixed.build({ profiles: [{}] });
    expect(engine.size).toBeGreaterThan(0);
  });

  test('a size with which a layer cannot be is an error with TensorRT’s words', async () => {
    const pair = network('pair', { x: float32('n') });
    pair.reshape([2]).output('y');
    const error = await rejection(pair.build({ profiles: [{ n: 3 }] }));
    expect(error.code).toBe('ERR_BUILD_FAILED');
    expect(error.message).toMatch(
      /^reshape 'shuffle': .*\n {4}recorded at .*build.test.ts:\d+\n {4}TensorRT: .*reshape/i,
    );
  });

  test('several of them, fixed sizes among them', async () => {
    using engine = await net().build({
      profiles: [
        { n: 1, m: 4 },
        { n: [1, 2, 3], m: [4, 4, 8] },
      ],
    });
    expect(engine.size).toBeGreaterThan(0);
  });
});
