import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { float32, loadWeights, network, parseWeights, saveSafetensors, weight } from '../src/index.js';
import { failure } from './weights/helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'gone-'));
afterAll(() => rmSync(folder, { recursive: true }));

const detach = (array: ArrayBufferView) => structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
const lost = () => {
  const array = new Float32Array(4);
  detach(array);
  return array;
};
const net = () => network('net', { x: float32(4) });

describe('a detached array is refused, and said to be one,', () => {
  test.each<[string, string, () => unknown]>([
    ['as an operand', 'ERR_INPUT', () => net().tensor().add(lost())],
    ['as a constant', 'ERR_INPUT', () => net().constant(lost())],
    ['as a constant of another dtype', 'ERR_INPUT', () => net().constant(lost(), { dtype: 'float16' })],
    ['as a weight', 'ERR_INPUT', () => net().linear({ weight: { shape: [2, 4], data: lost() } })],
    [
      'as a bias',
      'ERR_WEIGHT',
      () =>
        net()
          .reshape([1, 1, 4])
          .conv1d({ weight: { shape: [1, 1, 1], data: new Float32Array(1) }, bias: lost() }),
    ],
    ['by weight()', 'ERR_INPUT', () => weight(lost())],
    ['by parseWeights', 'ERR_WEIGHTS_FILE', () => parseWeights(new Uint8Array(lost().buffer as never, 0, 0))],
  ])('%s', async (_, code, call) => {
    const error = await failure(async () => {
      try {
        return await call();
      } catch (error) {
        // A view of a detached buffer cannot be made.
        if (error instanceof TypeError) throw await failure(() => parseWeights(gone()));
        throw error;
      }
    });
    expect(error).toMatchObject({ code, message: expect.stringMatching(/detached/) });
  });
});

function gone(): Uint8Array {
  const bytes = new Uint8Array(8);
  detach(bytes);
  return bytes;
}

describe('an array that is detached after it was given', () => {
  const recorded = () => {
    const data = new Float32Array(4);
    const one = net();
    one
      .tensor()
      .add({ name: 'b', shape: [4], data })
      .output('y');
    detach(data);
    return one;
  };

  test.each<[string, () => unknown]>([
    ['toJSON', () => recorded().toJSON()],
    ['build', () => recorded().build()],
    ['check', () => recorded().check()],
    ['compile', () => recorded().compile()],
    ['the CPU backend', () => recorded().compile({ backend: 'cpu' })],
  ])('is said to be gone by %s', async (_, call) => {
    expect(await failure(async () => call())).toMatchObject({
      code: 'ERR_DISPOSED',
      message: expect.stringMatching(/the elements of weight 'b' are gone: their array was detached/),
    });
  });

  test.each<[string, (w: ReturnType<typeof weight>) => unknown]>([
    ['data', (w) => w.data],
    ['as', (w) => w.as('float16')],
    ['transpose', (w) => w.reshape([2, 2]).transpose()],
    ['saveSafetensors', (w) => saveSafetensors(join(folder, 'lost'), { w })],
    ['linear', (w) => net().linear({ weight: w.reshape([1, 4]) })],
  ])('is said to be gone by %s, read before or not', async (_, call) => {
    for (const isRead of [false, true]) {
      const data = new Float32Array(4);
      const w = weight(data, [4], 'float32', 'mine');
      if (isRead) expect(w.data).toHaveLength(4);
      detach(data);
      const error = await failure(async () => call(w));
      expect(error).toMatchObject({ code: 'ERR_DISPOSED', message: expect.stringMatching(/mine are gone/) });
    }
  });

  test('and held a weight file', async () => {
    const path = join(folder, 'file');
    await saveSafetensors(path, { w: weight(Float32Array.of(1, 2)) });
    const { readFileSync } = await import('node:fs');
    const bytes = new Uint8Array(readFileSync(path));
    using weights = await parseWeights(bytes, 'mine');
    detach(bytes);
    for (const call of [() => weights.get('w').data, () => weights.get('w').as('float16')]) {
      expect(await failure(call)).toMatchObject({ code: 'ERR_DISPOSED', message: expect.stringMatching(/detached/) });
    }
  });
});

describe('saveSafetensors writes what was given at the call', () => {
  test.each<[string, (data: Float32Array<ArrayBuffer>) => ReturnType<typeof weight>]>([
    ['weight()', (data) => weight(data, [2, 2])],
    ['reshaped', (data) => weight(data, [4]).reshape([2, 2])],
    ['split', (data) => weight(data, [4]).split([4])[0]!],
    [
      'read before',
      (data) => {
        const w = weight(data, [4]);
        expect(w.data).toHaveLength(4);
        return w;
      },
    ],
  ])('%s', async (_, make) => {
    const data = Float32Array.of(1, 2, 3, 4);
    const path = join(folder, 'given');
    const saving = saveSafetensors(path, { w: make(data), small: weight(new Float32Array(1)) });
    data.fill(9);
    await saving;
    using weights = await loadWeights(path);
    expect([...(weights.get('w').data as Float32Array)]).toEqual([1, 2, 3, 4]);
  });

  test('of a converted weight whose array was handed out', async () => {
    const w = weight(Float32Array.of(1, 2)).as('float64');
    const path = join(folder, 'converted');
    const { data } = w;
    const saving = saveSafetensors(path, { w });
    (data as Float64Array).fill(9);
    await saving;
    using weights = await loadWeights(path);
    expect([...(weights.get('w').data as Float64Array)]).toEqual([1, 2]);
  });
});

describe('numbers under another dtype than theirs are refused, not read as bits', () => {
  test.each<[string, string, () => unknown]>([
    ['a weight', 'ERR_WEIGHT', () => net().constant({ dtype: 'int32', shape: [4], data: new Float32Array(4) })],
    [
      'a kernel of float16',
      'ERR_WEIGHT',
      () =>
        net()
          .reshape([1, 1, 4])
          .conv1d({ weight: { dtype: 'float16', shape: [1, 1, 2], data: new Float32Array(1) } }),
    ],
    ['weight()', 'ERR_WEIGHTS_DTYPE', () => weight(new Int32Array(2), [2], 'float32')],
  ])('%s', async (_, code, call) => {
    expect(await failure(call)).toMatchObject({
      code,
      message: expect.stringMatching(/convert it with weight\(data, shape, '\w+'\).as\('\w+'\)/),
    });
  });
});
