import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './padding.cases.js';

testLayer('padding', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  expectRefusal(() => x.pad({ padding: {} as never }), 'ERR_SHAPE', /padding: expected whole numbers/);
  expectRefusal(() => x.pad({ padding: [-4, -5, 0, 0] }), 'ERR_SHAPE', /cuts off more than \[8, 8\] has/);
  expectRefusal(
    () => x.pad({ padding: [1, 2, 3] }),
    'ERR_PARAMETER',
    /padding: expected pairs of sides .* given \[1, 2, 3\]/,
  );
  expectRefusal(() => x.pad({ padding: Array(10).fill(0) }), 'ERR_PARAMETER', /at most the 4 axes/);
  expectRefusal(() => oneInput(3).pad({ padding: 1 }), 'ERR_PARAMETER', /at most the 1 axes/);
  expectRefusal(
    () => x.pad({ padding: [8, 0], mode: 'reflect' }),
    'ERR_SHAPE',
    /axis 3: expected at most 7 in mode reflect/,
  );
  expectRefusal(
    () => x.pad({ padding: [9, 0], mode: 'circular' }),
    'ERR_SHAPE',
    /at most 8 in mode circular, given 9 and 0/,
  );
  expectRefusal(() => x.pad({ padding: [-9, 0] }), 'ERR_SHAPE', /to keep some of the 8 elements/);
  expectRefusal(
    () => x.pad({ padding: 1, mode: 'edge' as never }),
    'ERR_PARAMETER',
    /mode: expected constant, reflect/,
  );
  expectRefusal(
    () => x.pad({ padding: 1, mode: 'reflect', value: 1 }),
    'ERR_PARAMETER',
    /value: mode reflect has none/,
  );
  expectRefusal(() => x.pad({ prePadding: 1, mode: 'reflect' }), 'ERR_PARAMETER', /give padding for other modes/);
  expectRefusal(() => x.pad({ padding: [0, 'n'] }), 'ERR_SHAPE', /no dynamic dim is named 'n'/);
  expectRefusal(() => x.pad({ prePadding: [1, 2, 3] }), 'ERR_PARAMETER', /prePadding: expected 2 numbers/);
  expectRefusal(() => x.pad({ padding: 0.5 }), 'ERR_SHAPE', /given 0.5/);
  expectRefusal(() => oneInput(4, 8, 8).pad({ prePadding: 1 }), 'ERR_RANK', /rank 4 or more, given rank 3/);
  expectRefusal(() => network('i', { x: int32(1, 4, 8, 8) }).pad({ prePadding: 1 }), 'ERR_DTYPE', /int32/);
});

test('sizes stay symbolic', () => {
  expect(oneInput('n', 4, 'h', 'w').pad({ padding: [1, 2, -3, 0] }).shape).toEqual(['n', 4, 'h - 3', 'w + 3']);
});
