import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './creation.cases.js';

testLayer('creation', cases, 'modules');

test('what does not fit is refused', () => {
  expectRefusal(() => network('i', { x: int32(2) }).fullLike(0.5), 'ERR_VALUE', /0.5/);
  expectRefusal(() => oneInput(2).tril(), 'ERR_RANK', /^tril: expected rank 2 or more/);
  expectRefusal(() => oneInput(2, 2).triu({ diagonal: 0.5 }), 'ERR_PARAMETER', /diagonal: .*given 0.5/);
  const x = oneInput(2);
  expectRefusal(() => x.meshgrid(x, { indexing: 'yx' as never }), 'ERR_PARAMETER', /indexing: expected ij or xy/);
  expectRefusal(() => x.meshgrid(1 as never), 'ERR_INPUT', /vector 1: expected a tensor, given 1/);
  expectRefusal(() => x.meshgrid(x.unsqueeze(0)), 'ERR_RANK', /vector 1: expected rank 1/);
});
