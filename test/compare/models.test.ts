import { expect, test } from 'vitest';
import { depthsOf, exactKinds } from '../../src/compare/depth.js';
import { compareModels, float16, float32, int32, network } from '../../src/index.js';
import { layerTable } from '../../src/layers/table.js';

const net = (scale = 1) => {
  const made = network('demo', { x: float32('batch', 4) });
  made.tensor('x').mul(scale).softmax({ axis: -1 }).output('y');
  return made;
};
const cpu = (scale?: number) => ({ network: net(scale), options: { backend: 'cpu' } }) as const;
const dims = { batch: 3 };

test('networks, models and stored outputs', async () => {
  const same = await compareModels(cpu(), cpu(), { dims, seed: 2 });
  expect(same).toMatchObject({ agrees: true, outputs: [{ output: 'y', max: 0, cosine: expect.closeTo(1, 6) }] });
  expect(same.bisection).toBeUndefined();
  using model = await net().compile({ backend: 'cpu' });
  expect(model.inputs[0]).toMatchObject({ name: 'x', dtype: 'float32' });
  const stored = await model.run(same.feeds);
  expect((await compareModels(stored, model, { feeds: same.feeds })).agrees).toBe(true);
  expect((await compareModels(stored, cpu(2), { feeds: same.feeds })).agrees).toBe(false);
  // The seed decides what is random.
  expect((await compareModels(stored, model, { dims, seed: 2 })).agrees).toBe(true);
  expect((await compareModels(stored, model, { dims, seed: 3 })).agrees).toBe(false);
});

test('no bisection where both agree', async () => {
  const { agrees, bisection } = await compareModels(cpu(), cpu(), { dims, bisect: true });
  expect([agrees, bisection]).toEqual([true, undefined]);
});

test('refusals', async () => {
  const other = network('other', { x: int32('batch', 4) });
  other.tensor('x').add(1).output('y');
  const half = { network: other, options: { backend: 'cpu' } } as const;
  await expect(compareModels(cpu(), half, { dims })).rejects.toMatchObject({
    code: 'ERR_COMPARE',
    message: expect.stringMatching(/'x' is float32 in A, int32 in B/),
  });
  await expect(compareModels(cpu(), {}, { dims, bisect: true })).rejects.toMatchObject({ code: 'ERR_COMPARE' });
  await expect(compareModels(cpu(), 3 as never)).rejects.toMatchObject({ code: 'ERR_INPUT' });
  await expect(compareModels(cpu(), cpu(), { feeds: { z: new Float32Array(4) } })).rejects.toMatchObject({
    code: 'ERR_FEED',
  });
  await expect(compareModels(cpu(), cpu(), { bisekt: true } as never)).rejects.toMatchObject({ code: 'ERR_PARAMETER' });
  await expect(compareModels(cpu(), cpu(), { dims: { batch: -1 } })).rejects.toMatchObject({ code: 'ERR_PARAMETER' });
  await expect(compareModels(cpu(), cpu(), { dims, thresholds: { maximum: 1 } as never })).rejects.toMatchObject({
    code: 'ERR_PARAMETER',
  });
});

test('depth: layers that round, terms of sums, and the coarsest dtype on the way', () => {
  const made = network('deep', { x: float32(8, 16), h: float16(8, 32) });
  const weight = { dtype: 'float32', shape: [32, 16], data: new Float32Array(512) };
  const wide = made.tensor('x').linear({ weight }).reshape([8, 32]);
  const y = wide.relu();
  const mixed = y.add(made.tensor('h').cast('float32')).mean({ axes: [1] });
  const depths = depthsOf(made);
  expect(depths.get(y.id)).toEqual({ layers: 2, terms: 17, roundoff: 2 ** -24 });
  expect(depths.get(mixed.id)).toEqual({ layers: 4, terms: 50, roundoff: 2 ** -11 });
});

test('the kinds that do not round are kinds', () => {
  const names = new Set(layerTable.map(({ definition }) => definition.kind));
  expect([...exactKinds].filter((kind) => !names.has(kind))).toEqual([]);
});
