import { expect, test } from 'vitest';
import { network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './identity.cases.js';

testLayer('identity', cases);

test('names are checked, contents pass', () => {
  const x = oneInput(2);
  x.identity({ name: 'same' });
  expectRefusal(() => x.identity({ name: 'same' }), 'ERR_DUPLICATE_NAME', /'same'/);
  expectRefusal(() => x.identity({ name: 5 as never }), 'ERR_NAME');
  expect(network('c').constant(3n).identity().contents).toEqual([3]);
});
