import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { load as loadNpy } from 'npyjs';
import { describe, expect, test } from 'vitest';
import { parseWeights } from '../../src/weights/index.js';
import { contents, failure, fixtureBytes, npy, safetensors } from './helpers.js';

// The npm packages that read the same files: second oracles where they can read one, and why they are not used in place of
// readers of our own, as the README says.

interface SafeTensorFile {
  metadata: Map<string, { shape: number[] }>;
  getTensor(name: string): Uint8Array;
}
const { SafeTensor } = createRequire(import.meta.url)('safetensors') as {
  SafeTensor: new (bytes: Uint8Array) => SafeTensorFile;
};

// They hand out the bytes of bools as they are; PyTorch takes all but 0 for true.
const files = readdirSync(new URL('fixtures/files/', import.meta.url)).filter((name) => !/bool/.test(name));

describe('npm’s safetensors 0.0.1', () => {
  const plain = files.filter((name) => {
    if (!name.endsWith('.safetensors')) return false;
    const bytes = fixtureBytes(name);
    return !Buffer.from(bytes.subarray(0, 4096)).includes('__metadata__');
  });

  test('there are files without metadata', () => expect(plain.length).toBeGreaterThan(2));

  test.each(plain)('reads what we read from %s', async (name) => {
    const theirs = new SafeTensor(fixtureBytes(name));
    const ours = contents(await parseWeights(fixtureBytes(name)));
    expect([...theirs.metadata.keys()].sort()).toEqual(Object.keys(ours).sort());
    for (const [key, { shape }] of theirs.metadata) {
      expect(ours[key]).toMatchObject({ shape, hex: Buffer.from(theirs.getTensor(key)).toString('hex') });
    }
  });

  test('cannot read metadata', async () => {
    const bytes = safetensors(
      {
        __metadata__: { format: 'pt' },
        a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      },
      4,
    );
    expect(() => new SafeTensor(bytes)).toThrow(TypeError);
    expect((await parseWeights(bytes)).names()).toEqual(['a']);
  });

  test.each([
    ['overlap', 8, [4, 8], [0, 8]],
    ['lie outside the file', 4, [0, 4], [4, 4096]],
  ])('accepts tensors that %s', async (_, size, a, b) => {
    const entry = ([from, to]: number[]) => ({ dtype: 'U8', shape: [to! - from!], data_offsets: [from, to] });
    const bytes = safetensors({ a: entry(a), b: entry(b) }, size);
    const theirs = new SafeTensor(bytes);
    expect([...theirs.metadata.keys()].map((key) => theirs.getTensor(key))).toHaveLength(2);
    expect((await failure(() => parseWeights(bytes))).code).toBe('ERR_WEIGHTS_FORMAT');
  });
});

describe('npyjs 1.2', () => {
  const header = (shape: string) =>
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117).concat('\n');

  // Little-endian numbers in C order: it leaves the others to its caller.
  test.each(files.filter((name) => /^((u?int|float)\d+|empty|scalar|v[23])\.npy$/.test(name)))(
    'reads what we read from %s',
    async (name) => {
      const { data, shape } = await loadNpy(fixtureBytes(name), { convertFloat16: false });
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      const ours = Object.values(contents(await parseWeights(fixtureBytes(name))));
      expect(ours).toMatchObject([{ shape, hex: Buffer.from(buffer, byteOffset, byteLength).toString('hex') }]);
    },
  );

  test('accepts a file that is cut off', async () => {
    const bytes = npy(header('1000,'), 8);
    expect((await loadNpy(bytes)).shape).toEqual([1000]);
    expect((await failure(() => parseWeights(bytes, 'x.npy'))).code).toBe('ERR_WEIGHTS_FORMAT');
  });

  test('knows no npz', async () => {
    const name = files.find((file) => file.endsWith('.npz'))!;
    await expect(loadNpy(fixtureBytes(name))).rejects.toThrow('Not an .npy file');
    expect((await parseWeights(fixtureBytes(name))).names()).not.toEqual([]);
  });
});
