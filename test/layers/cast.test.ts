import { expect, test } from 'vitest';
import { float8e4m3, network } from '../../src/index.js';
import { cases } from './cast.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('cast', cases);

test('dtypes that TensorRT does not cast are refused', () => {
  expectRefusal(() => oneInput(2).cast('float8e4m3'), 'ERR_PARAMETER', /: dtype: /);
  expectRefusal(() => oneInput(2).cast('float64' as never), 'ERR_PARAMETER', /float32/);
  expectRefusal(() => oneInput(2).to(undefined as never), 'ERR_PARAMETER', /: dtype: /);
  const net = network('narrow', { x: float8e4m3(4) });
  expectRefusal(() => net.cast('float32'), 'ERR_DTYPE', /given float8e4m3/);
});

test('known integers stay known between integer dtypes that hold them', () => {
  const net = network('contents');
  const c = net.constant([1, 2 ** 31], { dtype: 'int64' });
  expect(c.cast('int64').contents).toEqual([1, 2 ** 31]);
  expect(c.cast('int32').contents).toBeUndefined();
  expect(net.constant([1, -2], { dtype: 'int32' }).cast('int64').contents).toEqual([1, -2]);
  expect(net.constant([1], { dtype: 'int32' }).cast('float32').contents).toBeUndefined();
});
