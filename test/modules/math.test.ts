import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './rsqrt.cases.js';

testLayer('rsqrt', cases, 'modules');

test('integers are refused, and the name given is that of the result', () => {
  expectRefusal(() => network('i', { x: int32(2) }).rsqrt(), 'ERR_DTYPE', /int32/);
  expect(oneInput(2).rsqrt({ name: 'inverse' }).name).toBe('inverse');
});
