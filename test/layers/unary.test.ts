import { expect, test } from 'vitest';
import { bool, int32, network } from '../../src/index.js';
import { unaryOperations } from '../../src/layers/kinds/unary.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './unary.cases.js';

testLayer('unary', cases);

test('what TensorRT takes for floats only is refused for others', () => {
  expectRefusal(
    () => network('ints', { x: int32(2) }).exp(),
    'ERR_DTYPE',
    /expected float32, float16, bfloat16, given int32/,
  );
  expectRefusal(() => network('flags', { x: bool(2) }).abs(), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => oneInput(2).logicalNot(), 'ERR_DTYPE', /expected bool, given float32/);
});

test('an unknown operation is refused', () => {
  expectRefusal(() => oneInput(2).unary(undefined as never), 'ERR_PARAMETER', /operation/);
  expectRefusal(() => oneInput(2).unary({ operation: 'cbrt' as never }), 'ERR_PARAMETER', /operation/);
});

test('TensorRT has 25 operations', () => {
  expect(unaryOperations).toHaveLength(25);
});
