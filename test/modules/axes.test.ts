import { expect, test } from 'vitest';
import { createCpuModel } from '../../src/cpu/session.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './axes.cases.js';

testLayer('axes', cases, 'modules');

test('what does not fit is refused', () => {
  const x = oneInput(2, 3, 4);
  expectRefusal(() => x.unbind({ axis: 3 }), 'ERR_AXIS', /^unbind: .*given 3/);
  expectRefusal(() => oneInput('n').unbind(), 'ERR_SHAPE', /expected a known size along axis 0/);
  expectRefusal(() => oneInput(3, 2).unbind({ count: 2 }), 'ERR_SHAPE', /^unbind: count: expected 2 slices, given 3/);
  const [a, b, c] = oneInput(3, 2).unbind({ count: 3 });
  expect([a, b, c].map(({ shape }) => shape)).toEqual([[2], [2], [2]]);
  expectRefusal(() => x.repeat([2]), 'ERR_SHAPE', /repeats: expected at least 3, one per axis .* given \[2\]/);
  expectRefusal(() => x.repeat([1, 1, -1]), 'ERR_SHAPE', /repeats: expected whole numbers from 0/);
  expectRefusal(() => x.repeat(2 as never), 'ERR_SHAPE', /repeats: expected a list/);
  expectRefusal(() => x.tile(Array(9).fill(1)), 'ERR_RANK', /repeats: expected at most 8/);
  expectRefusal(() => x.roll(1, { axes: [0, 1] }), 'ERR_PARAMETER', /a whole number per axis, given 1 for axes/);
  expectRefusal(() => x.roll(0.5), 'ERR_PARAMETER', /given 0.5 for axes all/);
  expectRefusal(() => x.roll(1, { axes: 3 }), 'ERR_AXIS', /^roll: .*given 3/);
  expectRefusal(() => x.roll([1, 1], { axes: [0, -3] }), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.expandAs(oneInput(2, 2, 4)), 'ERR_SHAPE', /does not expand to \[2, 2, 4\]/);
  expectRefusal(() => oneInput(6, 4, 4).pixelShuffle(2), 'ERR_SHAPE', /a multiple of 4 along axis 0/);
  expectRefusal(() => oneInput(4, 4).pixelShuffle(2), 'ERR_RANK', /rank 3/);
  expectRefusal(() => oneInput(4, 4, 4).pixelShuffle(1.5), 'ERR_PARAMETER', /factor: .*given 1.5/);
  expectRefusal(() => oneInput(1, 4, 5).pixelUnshuffle(2), 'ERR_SHAPE', /a multiple of 2 along axis 2/);
  expectRefusal(() => x.roll('q', { axes: 0 }), 'ERR_SHAPE', /shifts: no dynamic dim is named 'q' here/);
});

test('sizes stay symbolic, and nothing unbinds to no tensors', () => {
  expect(oneInput('n', 8, 'h', 'w').pixelShuffle(2).shape).toEqual(['n', 2, '2*h', '2*w']);
  expect(oneInput('n', 2, 'h', 6).pixelUnshuffle(2).shape).toEqual(['n', 8, 'floor(h / 2)', 3]);
  expect(oneInput('n', 3).repeat([2, 1, 4]).shape).toEqual([2, 'n', 12]);
  expect(oneInput(0, 3).unbind()).toEqual([]);
});

test('a size that the factor does not divide fails the run', async () => {
  const net = oneInput(1, 1, 'h', 4).pixelUnshuffle(2).output('y').network;
  using model = await createCpuModel(net);
  const run = model.run({ x: { shape: [1, 1, 3, 4], data: new Float32Array(12) } });
  await expect(run).rejects.toMatchObject({ code: 'ERR_CPU_BACKEND', message: expect.stringMatching(/Reshape/) });
});
