import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { float32, loadWeights, type Network, network } from '../../../src/index.js';
import type { CudaInfo, LibraryInfo } from '../../../src/tensorrt/binding.js';
import { FileHashes } from '../../../src/tensorrt/cache/file-hashes.js';
import { type Ingredients, keyOf, keyParts } from '../../../src/tensorrt/cache/key.js';
import { type OptionPart, optionParts, optionsThat } from '../../../src/tensorrt/cache/options.js';
import { type BuildOptions, optionNames } from '../../../src/tensorrt/compile/options.js';
import { prepare } from '../../../src/tensorrt/compile/prepare.js';
import { unusual } from '../option-values.js';

const folder = mkdtempSync(join(tmpdir(), 'cache-key-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());
let files = 0;
/** A file of its own. */
function fileWith(text: string): string {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, text);
  return path;
}

const lenet = new URL('../../../examples/mnist/lenet.safetensors', import.meta.url).pathname;
const trt = fileWith('TensorRT');
const cuda: CudaInfo = { driver: '13.0', devices: [{ name: 'H200', computeCapability: '9.0', totalMemory: 1 }] };
const library: LibraryInfo = { path: trt, flavor: 'trt10', version: '10.6.0' };

interface Changes extends Partial<Ingredients> {
  net?: Network;
  given?: BuildOptions;
}

const data = () => Float32Array.from({ length: 8 }, (_, i) => i);
function make(weight = data(), name = 'w', layer = 'fc'): Network {
  const net = network('net', { x: float32('batch', 4) });
  net.linear({ weight: { name, shape: [2, 4], data: weight }, name: layer }).output('y');
  return net;
}

async function partsOf({ net = make(), given = {}, ...more }: Changes = {}, hashes = new FileHashes(folder)) {
  const { network: graph, options, profiles } = prepare(net, given);
  try {
    const fixed = { graph, options, profiles, plugins: [], library, cuda, without: [] };
    return await keyParts({ ...fixed, ...more }, hashes, () => {});
  } finally {
    graph.release();
  }
}

const keyWith = async (changes?: Changes): Promise<string> => keyOf(await partsOf(changes));
const before = await keyWith();
const plugin = { value: 1, name: 'P', version: '1', recipe: new Uint8Array([1]), cubins: [], attributes: [] };

describe('every build option', () => {
  test('is in the table of the key', () => {
    expect(Object.keys(optionParts).sort()).toEqual([...optionNames].sort());
  });

  /** Another value of each option. */
  const values: BuildOptions = {
    ...unusual,
    decomposeAttention: 'must',
    refitIdentical: true,
    refitIndividual: ['w'],
    hardwareCompatibility: 'ampere_plus',
    computeCapabilities: [80],
    runtimePlatform: 'windows_amd64',
    engineCapability: 'standard',
    buildRoute: 'a=b',
    ignoreTimingCacheMismatch: true,
    isolate: true,
    timeout: 1000,
    memoryLimit: 1e9,
    cache: true,
    signal: new AbortController().signal,
    onLog() {},
    onProgress() {},
  };
  const valuesThat = (part: OptionPart) => optionsThat(part).map((name) => [name, values[name]] as const);

  test('that counts as it was given changes the key, in a way of its own', async () => {
    const others = valuesThat('value');
    expect(others.filter(([, value]) => value === undefined)).toEqual([]);
    const keys = await Promise.all(others.map(([name, value]) => keyWith({ given: { [name]: value } })));
    expect(new Set([before, ...keys]).size).toBe(keys.length + 1);
  });

  test('that counts as nothing does not', async () => {
    const nothing = valuesThat('none');
    expect(nothing.filter(([, value]) => value === undefined)).toEqual([]);
    expect(await keyWith({ given: Object.fromEntries(nothing) })).toBe(before);
  });

  test('that names files counts by what is in them', async () => {
    const [a, same, b] = ['one', 'one', 'two'].map(fileWith);
    const key = (path: string) => keyWith({ given: { versionCompatible: true, pluginsToSerialize: [path] } });
    expect(await key(a!)).toBe(await key(same!));
    expect(await key(a!)).not.toBe(await key(b!));
    expect(await key(a!)).not.toBe(await keyWith({ given: { versionCompatible: true } }));
  });

  test('a timing cache counts where it is to be obeyed', async () => {
    const [a, b] = [new Uint8Array([1]), new Uint8Array([2])];
    expect(await keyWith({ given: { timingCache: a } })).toBe(before);
    for (const name of ['errorOnTimingCacheMiss', 'editableTimingCache']) {
      const key = (timingCache: Uint8Array | string) => keyWith({ given: { timingCache, [name]: true } });
      expect(await key(a)).toBe(await key(Uint8Array.of(1)));
      expect(await key(a)).not.toBe(await key(b));
      expect(await key(fileWith('a'))).not.toBe(await key(fileWith('b')));
      await key(join(folder, 'none yet'));
    }
  });

  test('undefined is as if it were absent', async () => {
    expect(await keyWith({ given: { tf32: undefined, workspace: undefined } })).toBe(before);
  });
});

describe('the key changes with', () => {
  const h100: CudaInfo = { ...cuda, devices: [{ name: 'H100', computeCapability: '9.0', totalMemory: 1 }] };
  const cubins = [{ capability: 90, data: new Uint8Array([1]) }];
  const attributes = [{ name: 'a', type: 'int32' as const, length: 1, data: new Uint8Array([1]) }];
  const changed: Record<string, () => Changes> = {
    'an element of a weight': () => ({ net: make(data().fill(9, 3, 4)) }),
    'minus zero in a weight': () => ({ net: make(data().fill(-0, 0, 1)) }),
    'the name of a weight': () => ({ net: make(data(), 'v') }),
    'the name of a layer': () => ({ net: make(data(), 'w', 'head') }),
    'a range of a profile': () => ({ given: { profiles: [{ batch: [1, 8, 65] }] } }),
    'one more profile': () => ({ given: { profiles: [{ batch: [1, 8, 64] }, { batch: 1 }] } }),
    'the GPU': () => ({ cuda: h100 }),
    'no GPU': () => ({ cuda: { driver: null, devices: [] } }),
    'the release of TensorRT': () => ({ library: { ...library, version: '10.7.0' } }),
    'the flavor of TensorRT': () => ({ library: { ...library, flavor: 'trt11' } }),
    'what is in the file of TensorRT': () => ({ library: { ...library, path: fileWith('TensorRT, patched') } }),
    'a method that is not to be used': () => ({ without: ['addSqueeze'] }),
    'a plugin': () => ({ plugins: [plugin] }),
    'a plugin of another layer': () => ({ plugins: [{ ...plugin, value: 0 }] }),
    'the version of a plugin': () => ({ plugins: [{ ...plugin, version: '2' }] }),
    'the recipe of a plugin': () => ({ plugins: [{ ...plugin, recipe: new Uint8Array([2]) }] }),
    'the kernels of a plugin': () => ({ plugins: [{ ...plugin, cubins }] }),
    'what the kernels of a plugin are compiled for': () => ({
      plugins: [{ ...plugin, cubins: [{ ...cubins[0]!, capability: 80 }] }],
    }),
    'an attribute of a plugin': () => ({ plugins: [{ ...plugin, attributes }] }),
  };
  const keys = new Map([['nothing', before]]);
  test.each(Object.entries(changed))('%s', async (what, changes) => {
    const key = await keyWith(changes());
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect([...keys].filter(([, other]) => other === key)).toEqual([]);
    keys.set(what, key);
  });

  test('the variables that NVIDIA reads', async () => {
    process.env.NVIDIA_TF32_OVERRIDE = '0';
    try {
      expect(await keyWith()).not.toBe(before);
    } finally {
      delete process.env.NVIDIA_TF32_OVERRIDE;
    }
  });
});

describe('the key does not change with', () => {
  test('the place of the calls', async () => {
    const net = network('net', { x: float32('batch', 4) });
    const { data } = { data: Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]) };
    net
      .linear({
        // A comment.
        weight: { name: 'w', shape: [2, 4], data },
        name: 'fc',
      })
      .output('y');
    expect(await keyWith({ net })).toBe(before);
  });

  test('the default of a profile, said', async () => {
    expect(await keyWith({ given: { profiles: [{ batch: [1, 8, 64] }] } })).toBe(before);
  });

  test('the path of TensorRT, the driver, memory of the GPU', async () => {
    const driver = { ...cuda, driver: '12.4', devices: [{ ...cuda.devices[0]!, totalMemory: 2 }] };
    expect(await keyWith({ cuda: driver })).toBe(before);
    expect(await keyWith({ library: { ...library, path: fileWith('TensorRT') } })).toBe(before);
  });

  test('where weights lie: in memory, a file, or a copy of it', async () => {
    const copy = join(folder, 'copy.safetensors');
    copyFileSync(lenet, copy);
    const net = (data: { data: unknown; name?: string | undefined; shape: readonly number[] }) => {
      const net = network('fc', { x: float32(500) });
      net.linear({ weight: data as never }).output('y');
      return net;
    };
    const keys: string[] = [];
    for (const path of [lenet, copy]) {
      const { name, shape, data } = (await loadWeights(path)).get('fc2.weight');
      keys.push(await keyWith({ net: net({ name, shape, data }) }));
      keys.push(await keyWith({ net: net({ name, shape, data: data.slice() }) }));
    }
    expect(new Set(keys).size).toBe(1);
  });

  test('nor is it too little: it names what differs', async () => {
    const a = await partsOf();
    const b = await partsOf({ net: make(data().fill(1)), given: { tf32: false } });
    const differ = Object.keys(a).filter((name) => a[name as keyof typeof a] !== b[name as keyof typeof b]);
    expect(differ).toEqual(['weights', 'options']);
  });
});

describe('weights of a file', () => {
  const net = (given: { name?: string | undefined; shape: readonly number[]; data: unknown }) => {
    const net = network('fc', { x: float32(500) });
    net.linear({ weight: given as never }).output('y');
    return net;
  };

  /** Old enough for its hashes to be remembered. */
  const index = () => mkdtempSync(join(folder, 'index-'));

  /** Lengths of what has to be hashed. */
  function counting(where: string): { hashes: FileHashes; computed: number[] } {
    const hashes = new FileHashes(where);
    const computed: number[] = [];
    const of = hashes.of.bind(hashes);
    hashes.of = (place, length, compute) =>
      of(place, length, () => {
        computed.push(length);
        return compute();
      });
    return { hashes, computed };
  }

  test('are hashed once per version of the file', async () => {
    const where = index();
    const weights = await loadWeights(lenet);
    const bytes = weights.get('fc2.weight').data.byteLength;
    const first = counting(where);
    const parts = await partsOf({ net: net(weights.get('fc2.weight')) }, first.hashes);
    expect(first.computed).toContain(bytes);
    await first.hashes.save();
    const second = counting(where);
    expect(await partsOf({ net: net(weights.get('fc2.weight')) }, second.hashes)).toEqual(parts);
    expect(second.computed).not.toContain(bytes);
  });

  test('of a file that was just written are hashed again', async () => {
    const where = index();
    const path = join(folder, 'young.safetensors');
    copyFileSync(lenet, path);
    const weight = (await loadWeights(path)).get('fc2.weight');
    for (let i = 0; i < 2; i++) {
      const { hashes, computed } = counting(where);
      await partsOf({ net: net(weight) }, hashes);
      expect(computed).toContain(weight.data.byteLength);
      await hashes.save();
    }
  });

  test('that somebody wrote to, in this process, count as they are', async () => {
    const where = index();
    const hashes = new FileHashes(where);
    const { name, shape, data } = (await loadWeights(lenet)).get('fc2.weight');
    const first = await partsOf({ net: net({ name, shape, data }) }, hashes);
    await hashes.save();
    (data as Float32Array)[7] = 12345;
    const written = await partsOf({ net: net({ name, shape, data }) }, new FileHashes(where));
    expect(written.weights).not.toBe(first.weights);
    const copied = await partsOf({ net: net({ name, shape, data: data.slice() }) }, new FileHashes(where));
    expect(copied.weights).toBe(written.weights);
  });

  test('that were changed in the file count as another version', async () => {
    const where = index();
    const path = join(folder, 'changing.safetensors');
    copyFileSync(lenet, path);
    const key = async () => {
      const hashes = new FileHashes(where);
      const { weights } = await partsOf({ net: net((await loadWeights(path)).get('fc2.weight')) }, hashes);
      await hashes.save();
      return weights;
    };
    const first = await key();
    expect(await key()).toBe(first);
    const bytes = readFileSync(path);
    bytes[bytes.length - 20000]! ^= 1;
    writeFileSync(path, bytes);
    const old = new Date(2020, 1, 1);
    utimesSync(path, old, old);
    expect(await key()).not.toBe(first);
  });
});

test('a file that cannot be read is an error', async () => {
  const given = { versionCompatible: true, pluginsToSerialize: [join(folder, 'none.so')] };
  await expect(partsOf({ given })).rejects.toMatchObject({ code: 'ENOENT' });
});
