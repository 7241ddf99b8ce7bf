import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './pooling.cases.js';

testLayer('pooling', cases, 'modules');

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 3, 4, 6);
  expectRefusal(
    () => x.adaptiveAvgPool2d({ outputSize: 0 }),
    'ERR_PARAMETER',
    /outputSize: expected one or two .* given 0/,
  );
  expectRefusal(() => x.adaptiveAvgPool2d({ outputSize: [2] }), 'ERR_PARAMETER', /given \[ 2 \]/);
  expectRefusal(() => x.adaptiveAvgPool2d({ outputSize: [2, 2, 2] }), 'ERR_PARAMETER', /given \[ 2, 2, 2 \]/);
  expectRefusal(
    () => oneInput(1, 3, 0, 'w').adaptiveAvgPool2d({ outputSize: 2 }),
    'ERR_SHAPE',
    /expected elements to average, given \[1, 3, 0, w\]/,
  );
  expectRefusal(() => oneInput(3, 4, 6).adaptiveAvgPool2d(), 'ERR_RANK', /rank 4/);
  expectRefusal(() => oneInput(3, 4).globalAvgPool(), 'ERR_RANK', /rank 3 or more/);
  expectRefusal(() => network('i', { x: int32(1, 3, 4, 4) }).globalAvgPool(), 'ERR_DTYPE', /int32/);
});
