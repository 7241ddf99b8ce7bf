import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  type BuildOptions,
  type BuildProgress,
  combineTimingCaches,
  float16,
  float32,
  type Network,
  network,
  TensorRTError,
} from '../../src/index.js';
import { binding } from '../../src/tensorrt/binding.js';
import { unusual } from '../tensorrt/option-values.js';
import { describeGpu } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'options-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Convolutions and a matrix product, for which TensorRT has to time kernels. */
function small(channels: number): Network {
  const net = network('small', { x: float32('n', 3, 32, 32) });
  const weights = (shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.01) });
  net
    .conv2d({ weight: weights([channels, 3, 3, 3]), padding: 1 })
    .relu()
    .conv2d({ weight: weights([channels, channels, 3, 3]), padding: 1 })
    .relu()
    .mean({ axes: [2, 3] })
    .linear({ weight: weights([10, channels]) })
    .output('y');
  return net;
}
const profiles = [{ n: [1, 4, 8] }] as const;
const fails = (promise: Promise<unknown>): Promise<TensorRTError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (error instanceof TensorRTError) return error;
      throw error;
    },
  );

describeGpu('timing caches', () => {
  const path = join(folder, 'timing.cache');

  test('a second build of the same network times nothing, and chooses the same kernels', async () => {
    using first = await small(32).build({ profiles, timingCache: path, profilingVerbosity: 'detailed' });
    const size = readFileSync(path).length;
    using second = await small(32).build({
      profiles,
      timingCache: path,
      profilingVerbosity: 'detailed',
      errorOnTimingCacheMiss: true,
    });
    console.log(
      `timing cache: ${size} bytes; ${Math.round(first.buildMs!)} ms without it, ${Math.round(second.buildMs!)} ms with it`,
    );
    expect(second.log).toEqual([]);
    expect(second.timingCache!.length).toBeGreaterThan(0);
    const kernels = async (engine: typeof first) =>
      (await engine.inspect()).Layers.map((layer) => (typeof layer === 'string' ? layer : layer.TacticName));
    expect(await kernels(second)).toEqual(await kernels(first));
  }, 240_000);

  test('caches are combined; a miss is an error where it is to be one', async () => {
    using other = await small(48).build({ profiles, timingCache: true });
    const both = await combineTimingCaches([path, other.timingCache!]);
    for (const channels of [32, 48]) {
      using engine = await small(channels).build({ profiles, timingCache: both, errorOnTimingCacheMiss: true });
      expect(engine.log).toEqual([]);
    }
    const miss = await fails(small(64).build({ profiles, timingCache: both, errorOnTimingCacheMiss: true }));
    console.log(`a miss: ${miss.message.split('\n').slice(0, 3).join(' | ')}`);
    expect(miss.code).toBe('ERR_BUILD_FAILED');
  }, 240_000);

  test('nonsense and a damaged cache are ignored, said once, and replaced', async () => {
    const good = readFileSync(path);
    const flipped = Buffer.from(good);
    for (let i = 40; i < flipped.length; i += 97) flipped[i]! ^= 0x55;
    for (const [what, bytes] of Object.entries({
      nonsense: Buffer.from('nonsense'),
      cut: good.subarray(0, 100),
      flipped,
    })) {
      const file = join(folder, what);
      writeFileSync(file, bytes);
      const lines: string[] = [];
      const onLog = ({ severity, message }: { severity: string; message: string }) =>
        lines.push(`${severity}: ${message}`);
      using engine = await small(8).build({ profiles, timingCache: file, onLog });
      console.log(`${what}: ${lines.join(' | ').slice(0, 400) || 'taken without a word'}`);
      expect(engine.size).toBeGreaterThan(0);
      if (what !== 'flipped') expect(lines).toEqual([expect.stringMatching(/^warning: the timing cache was not used/)]);
      using again = await small(8).build({ profiles, timingCache: file });
      expect(again.log).toEqual([]);
    }
  }, 240_000);
});

describeGpu('build options', () => {
  test('every option that this release has is read back, alone', async () => {
    const net = small(8);
    const { library, options: before } = await net.check();
    const number = (release: string) => release.split('.').reduce((sum, part) => sum * 100 + Number(part), 0);
    const rows = binding().optionTable();
    const values: Record<string, unknown> = {
      ...unusual,
      refitIdentical: true,
      ...(library.flavor === 'rtx1' ? { computeCapabilities: [89] } : { hardwareCompatibility: 'ampere_plus' }),
      previewFeatures: { aliased_plugin_io_10_03: true },
    };
    const told = [];
    for (const [name, value] of Object.entries(values)) {
      const first = rows.find((row) => row.name === name)![library.flavor];
      const given = {
        [name]: value,
        ...(name === 'excludeLeanRuntime' && { versionCompatible: true }),
      } as BuildOptions;
      if (first === null || number(first) > number(library.version)) {
        expect((await fails(net.check(given))).code).toBe('ERR_UNSUPPORTED');
        continue;
      }
      const { options } = await net.check(given);
      const held =
        typeof value === 'object' && !Array.isArray(value) ? expect.objectContaining(value as object) : value;
      expect(options[name as keyof typeof options], name).toEqual(held);
      told.push(name);
    }
    console.log(`TensorRT ${library.version} takes ${told.length} options: ${told.join(', ')}`);
    console.log(`defaults: ${JSON.stringify(before)}`);
    expect(told.length).toBeGreaterThan(20);
  }, 120_000);

  test('progress: phases are nested and end', async () => {
    const events: BuildProgress[] = [];
    using engine = await small(8).build({ profiles, onProgress: (event) => events.push(event) });
    expect(engine.size).toBeGreaterThan(0);
    const open: string[] = [];
    let deepest = 0;
    for (const { event, phase, parent } of events) {
      if (event === 'start') {
        if (parent !== undefined) expect(open).toContain(parent);
        deepest = Math.max(deepest, open.push(phase));
      } else if (event === 'end') open.splice(open.lastIndexOf(phase), 1);
    }
    expect(open).toEqual([]);
    expect(deepest).toBeGreaterThan(1);
    console.log(
      `progress: ${events.length} events, ${deepest} deep, ${[...new Set(events.map(({ phase }) => phase))].join(', ')}`,
    );
  }, 120_000);

  test('an engine with an input that is not linear is built, and refused where it would be run', async () => {
    const net = network('formats');
    const weight = { dtype: 'float16' as const, shape: [8, 8, 3, 3], data: new Uint16Array(576).fill(0x2000) };
    net
      .input('x', float16(1, 8, 16, 16), { format: 'hwc8' })
      .conv2d({ weight })
      .output('y', { format: 'hwc8' });
    using engine = await net.build({ directIO: true });
    expect(engine.options!.formats).toEqual({ x: ['hwc8'], y: ['hwc8'] });
    const error = await fails(engine.createContext());
    expect(error.message).toMatch(/^input 'x' has the format hwc8 in memory/);
    expect(error.code).toBe('ERR_UNSUPPORTED');
    expect((await engine.inspect()).Layers.length).toBeGreaterThan(0);
  }, 120_000);
});
