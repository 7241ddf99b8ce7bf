import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { TensorRTError } from '../../src/errors/error.js';
import { loadWeights, parseWeights, type Weights } from '../../src/weights/index.js';
import { fixtureBytes } from './helpers.js';
import { mutate, random } from './mutate.js';

// 200,000 mutated files over all formats, the same ones each time. Whatever they hold, a reader gives tensors that are
// consistent or throws a TensorRTError: soon, and without much memory.

type Random = (below: number) => number;
type Make = (next: Random) => Uint8Array;

const read = (name: string): Uint8Array => fixtureBytes(name);
const pick = <T>(list: readonly T[], next: Random): T => list[next(list.length)]!;

/** Mutated bytes of one of the files. */
const raw =
  (...names: string[]): Make =>
  (next) => {
    const files = names.map(read);
    return mutate(pick(files, next), next, pick(files, next));
  };

/** A safetensors file whose header alone is mutated, with the length put right, so that the JSON is reached. */
function header(...names: string[]): Make {
  const files = names.map(read);
  return (next) => {
    const file = pick(files, next);
    const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    const changed = mutate(file.subarray(8, 8 + length), next, pick(files, next));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(changed.length));
    return new Uint8Array(Buffer.concat([size, changed, file.subarray(8 + length)]));
  };
}

/** A zip with one member mutated and packed again with a right checksum, so that the member's own reader is reached. */
function member(pattern: RegExp, ...names: string[]): Make {
  const zips = names.map((name) => unzipSync(read(name)));
  return (next) => {
    const zip = pick(zips, next);
    const name = pick(
      Object.keys(zip).filter((n) => pattern.test(n)),
      next,
    );
    return zipSync(
      { ...zip, [name]: mutate(zip[name]!, next, pick(Object.values(zip), next)) },
      { level: next(2) ? 0 : 1 },
    );
  };
}

const npys = ['float32', 'bool', 'fortran', 'big_fortran', 'v2', 'v3', 'scalar', 'empty'].map((n) => `${n}.npy`);
const safes = ['all', 'odd', 'bf16', 'f8'].map((n) => `${n}.safetensors`);
const pts = [
  'state_dict.pt',
  'views.pt',
  'checkpoint.pt',
  'dtypes.pt',
  'protocol4.bin',
  'torch2_values.pt',
  'torch2_training.pt',
];
const legacy = ['state_dict', 'training', 'python2', 'protocol4', 'module'].map((n) => `legacy_${n}.pt`);
const index = 'model.safetensors.index.json';

const campaigns: [string, number, Make][] = [
  ['safetensors', 25_000, raw(...safes)],
  ['safetensors headers', 42_000, header(...safes)],
  ['npy', 45_000, raw(...npys)],
  ['wts', 30_000, raw('tensorrtx.wts', 'tf_v1.wts', 'charrnn.wts', 'found_odd.wts')],
  ['npz', 10_000, raw('stored.npz', 'deflated.npz', 'found_mixed.npz')],
  ['npz members', 8_000, member(/./, 'stored.npz', 'found_mixed.npz')],
  ['PyTorch zips', 8_000, raw(...pts)],
  ['PyTorch pickles', 13_000, member(/data\.pkl$/, ...pts)],
  ['PyTorch records', 3_000, member(/version$|byteorder$/, ...pts)],
  ['PyTorch before 1.6', 12_000, raw(...legacy)],
];
/** Indices of shards, which are files beside their shards. */
const indices = 4_000;
const total = 200_000;

/** Reads everything, and checks that what is given is consistent. @returns whether the file was accepted */
async function consume(open: () => Promise<Weights>): Promise<boolean> {
  try {
    using weights = await open();
    for (const name of weights.names()) {
      if (weights.info(name).dtype === undefined) continue;
      const weight = weights.get(name);
      const { data, byteLength, size } = weight;
      if (data.byteLength !== byteLength || size !== weight.shape.reduce((a, b) => a * b, 1)) {
        throw new Error(`${weight} has ${data.byteLength} bytes`);
      }
    }
    return true;
  } catch (error) {
    if (error instanceof TensorRTError && /^ERR_WEIGHTS_(FORMAT|CHANGED|FILE)$/.test(error.code)) return false;
    throw error;
  }
}

const slowest = 2000; // ms
const growth = 512 * 2 ** 20;

async function campaign(
  count: number,
  seed: number,
  make: Make,
  open: (bytes: Uint8Array, i: number) => Promise<Weights>,
) {
  const before = process.memoryUsage().rss;
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const bytes = make(random(seed * 1_000_003 + i));
    const began = performance.now();
    try {
      if (await consume(() => open(bytes, i))) accepted++;
    } catch (cause) {
      throw new Error(`file ${i} of seed ${seed}`, { cause });
    }
    const took = performance.now() - began;
    if (took > slowest) throw new Error(`file ${i} of seed ${seed} took ${took} ms`);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(growth);
  expect(Object.keys(Object.prototype)).toEqual([]);
  // Of so many, some stay valid and most do not: otherwise the mutations miss the readers.
  expect(accepted).toBeGreaterThan(count / 1000);
  expect(accepted).toBeLessThan(count * 0.9);
}

const inMemory = (bytes: Uint8Array) => parseWeights(bytes, 'mutant');

test.each(campaigns)(
  '%s: %i mutated files',
  async (_, count, make) => {
    await campaign(count, 1, make, inMemory);
  },
  120_000,
);

test('through mapped files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weights-fuzz-'));
  for (const [index, [, , make]] of campaigns.entries()) {
    await campaign(250, 2, make, (bytes) => {
      const path = join(folder, `${index}`);
      writeFileSync(path, bytes);
      return loadWeights(path);
    });
  }
}, 60_000);

test('indices of shards', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weights-fuzz-index-'));
  for (const n of [1, 2]) {
    const shard = `model-0000${n}-of-00002.safetensors`;
    writeFileSync(join(folder, shard), read(shard));
  }
  const path = join(folder, index);
  await campaign(indices, 3, raw(index), (bytes) => {
    writeFileSync(path, bytes);
    return loadWeights(path);
  });
}, 120_000);

test('that is 200,000 files', () => {
  expect(campaigns.reduce((sum, [, count]) => sum + count, indices)).toBe(total);
});
