import { expect, test } from 'vitest';
import { float32, int32, network, type WeightLike } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './recurrent.cases.js';

testLayer('recurrent', cases, 'modules');

const weight = (...shape: number[]): WeightLike => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const lstm = { weight_ih_l0: weight(16, 3), weight_hh_l0: weight(16, 4) };

test('weights that do not fit are refused, with their names', () => {
  const x = oneInput(5, 2, 3);
  const { weight_ih_l0, weight_hh_l0 } = lstm;
  expectRefusal(() => x.lstm({}), 'ERR_WEIGHTS_NAME', /weight_ih_l0, weight_hh_l0 .*given none/);
  expectRefusal(() => x.lstm({ weight_ih_l0 }), 'ERR_INPUT', /weight_hh_l0: expected a weight/);
  expectRefusal(() => x.lstm({ ...lstm, weight_ih_l2: weight(16, 4) }), 'ERR_WEIGHTS_NAME', /weight_ih_l2/);
  expectRefusal(() => x.lstm({ ...lstm, bias_ih_l1: weight(16) }), 'ERR_WEIGHTS_NAME', /bias_ih_l1/);
  expectRefusal(
    () => x.lstm({ weight_ih_l0: weight(15, 3), weight_hh_l0 }),
    'ERR_SHAPE',
    /multiple of 4 gates, given 15/,
  );
  expectRefusal(() => x.lstm({ ...lstm, weight_hh_l0: weight(16, 5) }), 'ERR_SHAPE', /weight_hh_l0: expected 4/);
  expectRefusal(() => x.lstm({ ...lstm, weight_ih_l0: weight(16) }), 'ERR_RANK', /weight_ih_l0: expected rank 2/);
  expectRefusal(() => x.lstm({ ...lstm, gates: 'ifg' }), 'ERR_PARAMETER', /gates: expected the letters of ifgo/);
  expectRefusal(() => x.gru({ ...lstm }), 'ERR_SHAPE', /multiple of 3 gates/);
  expectRefusal(() => x.rnn({ ...lstm, nonlinearity: 'sin' as never }), 'ERR_PARAMETER', /tanh or relu/);
  expectRefusal(
    () => x.lstm({ kernel: weight(3, 16), recurrentKernel: weight(5, 16) }),
    'ERR_SHAPE',
    /recurrentKernel: expected 4/,
  );
  expectRefusal(
    () => x.lstm({ ...lstm, recurrentKernel: weight(4, 16) }),
    'ERR_INPUT',
    /kernel: expected one beside recurrentKernel/,
  );
  expectRefusal(
    () => x.lstm({ kernel: weight(7, 16), bias: weight(12) }),
    'ERR_SHAPE',
    /bias: expected \[16\], given \[12\]/,
  );
  const keras = { kernel: weight(3, 12), recurrentKernel: weight(4, 12) };
  expectRefusal(() => x.gru({ kernel: weight(7, 12) }), 'ERR_INPUT', /recurrentKernel: expected one beside kernel/);
  expectRefusal(() => x.gru({ ...keras, bias: weight(12) }), 'ERR_SHAPE', /bias: expected \[2, 12\], given \[12\]/);
  expectRefusal(
    () => x.gru({ ...keras, bias: weight(2, 12), resetAfter: false }),
    'ERR_SHAPE',
    /bias: expected \[12\]/,
  );
  expectRefusal(() => x.gru({ ...keras, resetAfter: 1 as never }), 'ERR_PARAMETER', /resetAfter/);
  expectRefusal(() => x.lstm({ kernel: weight(4, 16) }), 'ERR_SHAPE', /more than 4 rows/);
});

test('inputs and states that do not fit are refused', () => {
  const x = oneInput(5, 2, 3);
  expectRefusal(() => x.lstm({ ...lstm, hidden: x }), 'ERR_SHAPE', /hidden: expected \[1, batch, size\]/);
  const { network: net } = x;
  expectRefusal(() => x.lstm({ ...lstm, lengths: [1, 2, 3] }), 'ERR_SHAPE', /lengths: expected \[2\], given \[3\]/);
  expectRefusal(() => x.lstm({ ...lstm, lengths: 3 }), 'ERR_SHAPE', /lengths: expected \[2\], given \[\]/);
  expectRefusal(() => x.lstm({ ...lstm, lengths: net.zeros([2]) }), 'ERR_DTYPE', /lengths: expected int32, int64/);
  expectRefusal(() => x.lstm({ ...lstm, lengths: 'all' as never }), 'ERR_INPUT', /given 'all'/);
  expectRefusal(() => x.sum().lstm(lstm), 'ERR_RANK', /sequence, batch, features/);
  expectRefusal(() => network('i', { x: int32(5, 2, 3) }).lstm(lstm), 'ERR_DTYPE', /int32/);
});

test('the sequence stays symbolic, and layers carry the scope of the module', () => {
  const net = network('lstm', { x: float32('n', 'b', 3) });
  const { output, hidden, cell } = net.lstm({ ...lstm, name: 'encoder' });
  expect([output, hidden, cell].map((t) => t.shape)).toEqual([
    ['n', 'b', 4],
    [1, 'b', 4],
    [1, 'b', 4],
  ]);
  expect(net.graph.nodes.every(({ name }) => name.startsWith('encoder.'))).toBe(true);
});
