import { expect, test } from 'vitest';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './windows.cases.js';

testLayer('windows', cases, 'modules');

test('what does not fit is refused', () => {
  const x = oneInput(2, 3, 5, 6);
  expectRefusal(() => oneInput(5, 6).unfold({ kernel: 2 }), 'ERR_RANK', /^unfold: .*given/);
  expectRefusal(() => x.unfold({ kernel: 0 }), 'ERR_PARAMETER', /kernel: expected one or two whole numbers from 1/);
  expectRefusal(() => x.unfold({ kernel: [1, 2, 3] }), 'ERR_PARAMETER', /kernel/);
  expectRefusal(() => x.unfold(undefined as never), 'ERR_PARAMETER', /kernel/);
  expectRefusal(() => x.unfold({ kernel: 2, stride: 0.5 }), 'ERR_PARAMETER', /stride/);
  expectRefusal(() => x.unfold({ kernel: 2, padding: -1 }), 'ERR_PARAMETER', /padding/);
  expectRefusal(() => x.unfold({ kernel: 2, dilation: [1] }), 'ERR_PARAMETER', /dilation/);
  expectRefusal(() => x.unfold({ kernel: 6 }), 'ERR_SHAPE', /spans 6, more than the padded image of 5/);
  const y = oneInput(2, 12, 20);
  const fold = { kernel: 2, outputSize: [5, 6] } as const;
  expectRefusal(() => x.fold(fold), 'ERR_RANK', /^fold: .*given/);
  expectRefusal(() => y.fold({ ...fold, kernel: 5 }), 'ERR_SHAPE', /a multiple of 25 along axis 1/);
  expectRefusal(() => y.fold({ ...fold, stride: 2 }), 'ERR_SHAPE', /image \[5, 6\] has 2 by 3 windows, 6, given/);
  expectRefusal(() => y.fold({ ...fold, outputSize: [5] as never }), 'ERR_PARAMETER', /outputSize: .*height and width/);
  expectRefusal(() => y.fold({ kernel: 2 } as never), 'ERR_SHAPE', /outputSize/);
});

test('sizes stay symbolic', () => {
  const columns = oneInput('n', 3, 'h', 6).unfold({ kernel: 3, padding: 1, stride: 2 });
  expect(columns.shape.slice(0, 2)).toEqual(['n', 27]);
  const image = columns.fold({ kernel: 3, padding: 1, stride: 2, outputSize: ['h', 6] });
  expect(image.shape).toEqual(['n', 3, 'h', 6]);
});

test('positions of huge windows are computed at run time, not while recording', () => {
  const from = performance.now();
  expect(oneInput(1, 1, 5, 5).unfold({ kernel: [30_000, 1], padding: [2 ** 20, 0] }).rank).toBe(3);
  expect(oneInput(1, 1, 7).adaptiveMaxPool1d({ outputSize: 2 ** 30 }).shape).toEqual([1, 1, 2 ** 30]);
  expect(oneInput(2).repeatInterleave([2 ** 30, 1]).shape).toEqual([2 ** 30 + 1]);
  expect(performance.now() - from).toBeLessThan(2000);
});
