import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctor, findTensorRT, loadWeights } from '../../../src/index.js';
import { temporaryFolder } from '../../setup/fake-library.js';
import { crashingTensorRT } from '../../tensorrt/compile/crashing-library.js';
import { chain } from '../../tensorrt/networks.js';

const folder = temporaryFolder();

test('the processor is arm64', () => {
  expect(process.arch).toBe('arm64');
});

test('findTensorRT reads the version of NVIDIA’s library for arm64', async () => {
  const found = await findTensorRT();
  const rtx = found.find(({ path }) => path.startsWith(process.env.NODE_TENSORRT_CACHE!));
  expect(rtx).toMatchObject({ flavor: 'rtx1', version: '1.7.1', usableFor: { build: true } });
});

test('doctor finds that networks can be built', async () => {
  const { addon, works } = await doctor();
  expect([addon.compiled, works.build]).toEqual([true, true]);
});

// arm64 divides by zero without a signal, so CRASH=divide is not among these.
test.each([
  ['null', 'SIGSEGV'],
  ['abort', 'SIGABRT'],
  ['trap', 'SIG(TRAP|ILL)'],
  ['bus', 'SIGBUS'],
])('a crash (%s) fails the build and is placed in the library', async (how, signal) => {
  const library = crashingTensorRT(join(folder, how, 'libtensorrt_rtx.so.1'));
  process.env.CRASH = how;
  try {
    await expect(chain(1).build({ library })).rejects.toThrow(new RegExp(`crashed while building .*\\(${signal}`));
  } finally {
    delete process.env.CRASH;
  }
});

test('a file that shrinks after loading is noticed', async () => {
  const path = join(folder, 'shrinks.safetensors');
  const size = 8 << 20;
  const header = JSON.stringify({ a: { dtype: 'U8', shape: [size], data_offsets: [0, size] } });
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.alloc(size)]));
  using weights = await loadWeights(path);
  truncateSync(path, 4096);
  expect(() => weights.get('a').as('float32').data).toThrow(expect.objectContaining({ code: 'ERR_WEIGHTS_CHANGED' }));
});
