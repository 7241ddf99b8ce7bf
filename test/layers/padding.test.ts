import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './padding.cases.js';

testLayer('padding', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  expectRefusal(() => x.pad({ padding: {} as never }), 'ERR_PARAMETER', /prePadding/);
  expectRefusal(() => x.pad({ padding: [-4, -5, 0, 0] }), 'ERR_SHAPE', /cuts off more than \[8, 8\] has/);
  expectRefusal(() => x.pad({ padding: [1, 2] as never }), 'ERR_PARAMETER', /Padding/);
  expectRefusal(() => x.pad({ prePadding: [1, 2, 3] }), 'ERR_PARAMETER', /prePadding: expected 2 numbers/);
  expectRefusal(() => x.pad({ padding: 0.5 }), 'ERR_PARAMETER', /given 0.5/);
  expectRefusal(() => oneInput(4, 8, 8).pad({ padding: 1 }), 'ERR_RANK', /rank 4 or more, given rank 3/);
  expectRefusal(() => network('i', { x: int32(1, 4, 8, 8) }).pad({ padding: 1 }), 'ERR_DTYPE', /int32/);
});

test('sizes stay symbolic', () => {
  expect(oneInput('n', 4, 'h', 'w').pad({ padding: [1, 2, -3, 0] }).shape).toEqual(['n', 4, 'h - 3', 'w + 3']);
});
