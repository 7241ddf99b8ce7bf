import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './statistics.cases.js';

testLayer('statistics', cases, 'modules');

test('what does not fit is refused', () => {
  const x = oneInput(2, 3);
  for (const method of ['var', 'std', 'norm', 'logSumExp', 'any', 'all'] as const) {
    expectRefusal(() => x[method]({ axis: 2 }), 'ERR_AXIS', new RegExp(`^${method}: .*given 2`));
    expectRefusal(() => x[method]({ axes: [0, -2] }), 'ERR_AXIS', /each axis once/);
    expectRefusal(() => x[method]({ axes: 'all' as never }), 'ERR_AXIS', /a list of axes, given all/);
  }
  expectRefusal(() => x.var({ correction: 0.5 }), 'ERR_PARAMETER', /correction: expected a whole number, given 0.5/);
  expectRefusal(() => x.norm({ p: 'fro' as never }), 'ERR_PARAMETER', /p: expected a number, given fro/);
  expectRefusal(() => x.normalize({ p: Number.NaN }), 'ERR_PARAMETER', /given NaN/);
  expectRefusal(() => x.normalize({ eps: '0' as never }), 'ERR_PARAMETER', /eps/);
  expectRefusal(() => oneInput(2).normalize(), 'ERR_AXIS', /^normalize: .*given 1/);
  expectRefusal(() => x.cosineSimilarity(x, { axis: 2 }), 'ERR_AXIS', /^cosineSimilarity: .*given 2/);
  expectRefusal(() => x.cosineSimilarity([1, 2]), 'ERR_SHAPE', /^cosineSimilarity: .*do not broadcast/);
  expectRefusal(() => x.cosineSimilarity(x, { eps: '0' as never }), 'ERR_PARAMETER', /eps/);
  expectRefusal(() => x.cosineSimilarity(oneInput(2, 3)), 'ERR_FOREIGN_TENSOR');
  const whole = network('i', { x: int32(2) }).tensor();
  expectRefusal(() => whole.var(), 'ERR_DTYPE', /^var: .*int32/);
  expectRefusal(() => whole.norm(), 'ERR_DTYPE', /^norm: .*int32/);
  expectRefusal(() => whole.cosineSimilarity(whole), 'ERR_DTYPE', /^cosineSimilarity: .*int32/);
  expect(x.cosineSimilarity(x, { name: 'angle' }).name).toBe('angle');
});

test('the name given is that of the result', () => {
  const x = oneInput(2, 3);
  for (const method of ['var', 'std', 'norm', 'normalize', 'logSumExp', 'any', 'all'] as const) {
    expect(x[method]({ name: `my_${method}` }).name).toBe(`my_${method}`);
  }
});
