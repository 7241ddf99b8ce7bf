import { expect, test } from 'vitest';
import { float32, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './pooling.cases.js';

testLayer('pooling', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  expectRefusal(
    () => x.pool(undefined as never),
    'ERR_PARAMETER',
    /kernel: expected the size of the window, or one per axis, given none/,
  );
  expectRefusal(() => x.maxPool({ kernel: '2' as never }), 'ERR_PARAMETER', /: kernel: .*given '2'/);
  expectRefusal(
    () => x.maxPool({ kernel: {} as never }),
    'ERR_PARAMETER',
    /: kernel: expected a whole number of 1 or more/,
  );
  expectRefusal(() => x.maxPool({ kernel: 9 }), 'ERR_SHAPE', /spans 9 along spatial axis 0.*8/);
  expectRefusal(() => x.maxPool({ kernel: 0 }), 'ERR_PARAMETER', /kernel.*given 0/);
  expectRefusal(() => x.maxPool({ kernel: [2] }), 'ERR_PARAMETER', /kernel: expected 2 or 3 sizes/);
  expectRefusal(() => x.maxPool({ kernel: [2, 2, 2] }), 'ERR_RANK', /expected rank 5, given rank 4/);
  expectRefusal(() => x.maxPool3d({ kernel: 2 }), 'ERR_RANK', /expected rank 5, given rank 4/);
  expectRefusal(() => x.maxPool({ kernel: 2, stride: 0 }), 'ERR_PARAMETER', /stride/);
  expectRefusal(() => x.maxPool({ kernel: 2, stride: [1, 1, 1] }), 'ERR_PARAMETER', /stride/);
  expectRefusal(() => x.maxPool({ kernel: 2, padding: 2 }), 'ERR_PARAMETER', /: padding: expected less than/);
  expectRefusal(() => x.maxPool({ kernel: 2, postPadding: 2 }), 'ERR_PARAMETER', /: postPadding: expected less than/);
  expectRefusal(
    () => x.maxPool({ kernel: 2, padding: -1 }),
    'ERR_PARAMETER',
    /: padding: expected a whole number of 0 or more, given /,
  );
  expectRefusal(() => x.pool({ type: 'median' as never, kernel: 2 }), 'ERR_PARAMETER', /type/);
  expectRefusal(() => x.pool({ type: 'maxAverageBlend', kernel: 2, blendFactor: 1.5 }), 'ERR_PARAMETER', /from 0 to 1/);
  expectRefusal(() => x.maxPool({} as never), 'ERR_PARAMETER', /kernel/);
  expectRefusal(() => x.maxPool(undefined as never), 'ERR_PARAMETER', /kernel/);
  expectRefusal(() => oneInput(2, 3).maxPool({ kernel: 2 }), 'ERR_PARAMETER', /kernel/);
  expectRefusal(() => network('ints', { x: int32(1, 1, 4, 4) }).maxPool({ kernel: 2 }), 'ERR_DTYPE', /given int32/);
});

test('the stride is the window by default, and padding counts in an average, as in PyTorch', () => {
  const net = network('defaults', { x: float32('batch', 3, 8, 'width') });
  const y = net.avgPool({ kernel: [2, 3] });
  expect(y.shape).toEqual(['batch', 3, 4, 'floor(width / 3)']);
  expect(net.graph.nodes[0]!.params).toMatchObject({ stride: [2, 3], averageCountExcludesPadding: false });
});

test('ceilMode and paddingMode name two roundings', () => {
  const x = oneInput(1, 1, 7, 7);
  const options = { kernel: 2, stride: 2, padding: 1 };
  expect(x.maxPool2d({ ...options, ceilMode: true }).shape).toEqual([1, 1, 4, 4]);
  expect(x.maxPool2d({ ...options, paddingMode: 'explicit_round_up' }).shape).toEqual([1, 1, 5, 5]);
  expectRefusal(
    () => x.maxPool2d({ ...options, ceilMode: true, paddingMode: 'explicit_round_up' }),
    'ERR_PARAMETER',
    /ceilMode and paddingMode: expected one of them, given explicit_round_up beside ceilMode/,
  );
  const symbolic = oneInput(1, 1, 'h', 'w').maxPool2d({ ...options, kernel: [2, 3], ceilMode: true });
  expect(symbolic.shape).toEqual([1, 1, 'floor(h / 2) + 1', 'floor(w / 2) + 1']);
});

test('an average whose windows end within the padding is one layer', () => {
  const x = oneInput(1, 1, 7, 8);
  x.avgPool2d({ kernel: [2, 4], stride: [2, 3], padding: 1, ceilMode: true });
  expect(x.network.graph.nodes.map(({ kind }) => kind)).toEqual(['pooling']);
});

test('ceilMode refuses what any pool refuses', () => {
  const x = oneInput(1, 4, 8, 8);
  const ceil = (options: object) => () => x.maxPool({ kernel: 2, stride: 4, ceilMode: true, ...options });
  expectRefusal(ceil({ padding: 2 }), 'ERR_PARAMETER', /: padding: expected less than/);
  expectRefusal(ceil({ padding: -1 }), 'ERR_PARAMETER', /: padding: expected a whole number of 0 or more/);
  expectRefusal(ceil({ stride: 0 }), 'ERR_PARAMETER', /stride/);
  expectRefusal(ceil({ kernel: '2' }), 'ERR_PARAMETER', /: kernel: .*given '2'/);
  expectRefusal(ceil({ kernel: [2, 2, 2] }), 'ERR_RANK', /expected rank 5, given rank 4/);
});

test('an average of no element is refused', () => {
  const options = { kernel: 2, padding: 1, paddingMode: 'explicit_round_up' as const };
  const noElement =
    /paddingMode: the window of 2 at index 4 of spatial axis 0 has no element to average: ceilMode drops/;
  const x = oneInput(1, 1, 7, 7);
  expectRefusal(() => x.avgPool2d({ ...options, countIncludePad: false }), 'ERR_SHAPE', noElement);
  expect(x.avgPool2d(options).shape).toEqual([1, 1, 5, 5]);
  expectRefusal(
    () => x.avgPool2d({ ...options, padding: 0, kernel: 3, stride: 7 }),
    'ERR_SHAPE',
    /window of 3 at index 1/,
  );
});
