import { test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './rms-norm.cases.js';

testLayer('rms-norm', cases, 'modules');

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(2, 3, 4);
  const weight = { shape: [3], data: new Float32Array(3) };
  expectRefusal(() => x.rmsNorm({ weight }), 'ERR_SHAPE', /the last dims of \[2, 3, 4\], given \[3\]/);
  expectRefusal(() => x.rmsNorm({ weight, normalizedShape: 4 }), 'ERR_SHAPE', /weight: .*given \[3\]/);
  expectRefusal(() => x.rmsNorm({ eps: -1 }), 'ERR_VALUE', /eps: .*given -1/);
  expectRefusal(() => x.rmsNorm({ eps: Number.NaN }), 'ERR_VALUE', /eps/);
  expectRefusal(() => oneInput().rmsNorm(), 'ERR_RANK', /rank 1 or more/);
  expectRefusal(() => oneInput(3).rmsNorm({ normalizedShape: [1, 3] }), 'ERR_RANK', /rank 2 or more/);
  expectRefusal(() => network('i', { x: int32(2, 3) }).rmsNorm(), 'ERR_DTYPE', /int32/);
});
