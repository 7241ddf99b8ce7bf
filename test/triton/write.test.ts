import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeTritonRepository } from '../../src/index.js';
import type { ServedEngine } from '../../src/triton/served.js';
import { writeServed } from '../../src/triton/write.js';
import { writeContainer } from './container.js';
import { parseConfig } from './text-format.js';

const folder = mkdtempSync(join(tmpdir(), 'triton-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...path: string[]) => join(folder, ...path);

const lenet = {
  generator: 'a test',
  name: 'lenet',
  library: { flavor: 'trt10', version: '10.6.0' },
  options: {
    versionCompatible: false,
    profiles: [{ data: { min: [2, 1, 28, 28], opt: [8, 1, 28, 28], max: [64, 1, 28, 28] } }],
  },
  inputs: [{ name: 'data', dtype: 'float32', shape: ['batch', 1, 28, 28] }],
  outputs: [{ name: 'prob', dtype: 'float32', shape: ['batch', 10] }],
  user: {},
};
const plan = new Uint8Array(5000).map((_, i) => i);

test('a file with metadata becomes a repository without TensorRT', async () => {
  await writeContainer(at('lenet.engine'), lenet, plan);
  const written = await writeTritonRepository(at('lenet.engine'), at('models'));
  expect(written).toEqual({
    name: 'lenet',
    files: [at('models/lenet/1/model.plan'), at('models/lenet/config.pbtxt')],
    maxBatchSize: 64,
    serverOptions: [],
    notes: [
      'needs a Triton with TensorRT 10.6.0, and a GPU like the one that built the engine',
      'requests of fewer than 2 items are refused: every profile begins there',
    ],
  });
  expect(new Uint8Array(readFileSync(written.files[0]!))).toEqual(plan);
  expect(parseConfig(readFileSync(written.files[1]!, 'utf8'))).toMatchObject({ name: 'lenet', max_batch_size: 64 });
  await writeTritonRepository(at('lenet.engine'), at('models'), { version: 2 });
  expect(existsSync(at('models/lenet/1/model.plan')) && existsSync(at('models/lenet/2/model.plan'))).toBe(true);
});

test('plugins need their library, which is copied', async () => {
  const plugins = [{ name: 'Snake', version: '1', namespace: '', code: 'plan', layers: ['snake'] }];
  await writeContainer(
    at('snake.engine'),
    { ...lenet, options: { ...lenet.options, versionCompatible: true }, plugins },
    plan,
  );
  await expect(writeTritonRepository(at('snake.engine'), at('models'))).rejects.toMatchObject({
    code: 'ERR_TRITON',
    message: expect.stringMatching(/plugins \(Snake\): expected the library .* plugins library writes/),
  });
  writeFileSync(at('libsnake.so'), 'ELF');
  const written = await writeTritonRepository(at('snake.engine'), at('models'), {
    plugins: [at('libsnake.so')],
    name: 's',
  });
  expect(readFileSync(at('models/s/plugins/libsnake.so'), 'utf8')).toBe('ELF');
  expect(written.serverOptions).toEqual([
    `--backend-config=tensorrt,plugins=${at('models/s/plugins/libsnake.so')}`,
    '--backend-config=tensorrt,version-compatible=true',
  ]);
});

test('shape tensors of a file are those of fixed shapes with a range; their warm-up is a file', async () => {
  const shaped = {
    ...lenet,
    inputs: [...lenet.inputs, { name: 'sizes', dtype: 'int32', shape: [2] }],
    options: { profiles: [{ ...lenet.options.profiles[0], sizes: { min: [1, 1], opt: [3, 4], max: [9, 9] } }] },
  };
  await writeContainer(at('shaped.engine'), shaped, plan);
  const { maxBatchSize, files } = await writeTritonRepository(at('shaped.engine'), at('models'));
  expect(maxBatchSize).toBe(0);
  expect(files).toContain(at('models/shaped/warmup/profile0_1'));
  expect(new Int32Array(readFileSync(at('models/shaped/warmup/profile0_1')).buffer.slice(0))).toHaveProperty('length');
});

test('nothing is left behind where the plan cannot be written, and errors have codes', async () => {
  const served = { ...lenet, profiles: [], hasNames: true, inputs: [], outputs: [] } as unknown as ServedEngine;
  const fails = writeServed(served, at('broken'), {}, async () => {
    throw new Error('disk full');
  });
  await expect(fails).rejects.toThrow('disk full');
  expect(existsSync(at('broken/model/config.pbtxt'))).toBe(false);
  writeFileSync(at('file'), '');
  await expect(writeTritonRepository(at('lenet.engine'), at('file'))).rejects.toMatchObject({ code: 'ERR_SAVE' });
  await expect(writeTritonRepository(at('missing.engine'), at('models'))).rejects.toMatchObject({ code: 'ERR_LOAD' });
  await expect(writeTritonRepository(at('lenet.engine'), '')).rejects.toMatchObject({ code: 'ERR_PARAMETER' });
  await expect(
    writeTritonRepository(at('lenet.engine'), at('models'), { plugins: [at('no.so')] }),
  ).rejects.toMatchObject({ code: 'ERR_SAVE' });
});
