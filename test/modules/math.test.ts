import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './math.cases.js';

testLayer('math', cases, 'modules');

test('integers are refused, and the name given is that of the result', () => {
  for (const method of ['rsqrt', 'log2', 'isfinite'] as const) {
    expectRefusal(() => network('i', { x: int32(2) })[method](), 'ERR_DTYPE', /int32/);
    expect(oneInput(2)[method]({ name: 'result' }).name).toBe('result');
  }
  expectRefusal(() => network('i', { x: int32(2) }).log1p(), 'ERR_DTYPE', /int32/);
  expect(oneInput(2).log1p({ name: 'result' }).name).toBe('result');
});
