import type { Tensor } from '../../src/index.js';
import { readFixture, type Stored } from '../layers/fixture.js';
import type { LayerCase } from '../layers/harness.js';

/** Options that do not follow from the weights. */
const extra: Record<string, object> = {
  lstm_everything: { batchFirst: true },
  gru_everything: { batchFirst: true },
  rnn_everything: { batchFirst: true },
  lstm_batch_first: { batchFirst: true },
  gru_batch_first: { batchFirst: true },
  rnn_batch_first: { batchFirst: true },
  rnn_relu: { nonlinearity: 'relu' },
  lstm_order: { gates: 'iofc' },
  gru_order: { gates: 'zrn' },
  gru_before: { resetAfter: false },
  gru_before_no_bias: { resetAfter: false, gates: 'zrh' },
  lstm_lengths_everything: { batchFirst: true },
  gru_lengths_everything: { batchFirst: true },
  rnn_lengths_everything: { batchFirst: true },
  gru_lengths_known: { lengths: [2, 3] },
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  lstm: { x: ['n', 'b', 3] },
  gru: { x: ['n', 'b', 3] },
  rnn_states: { x: ['n', 'b', 3], hidden: [1, 'b', 4] },
  gru_keras: { x: ['n', 'b', 3] },
  gru_before: { x: ['n', 'b', 3] },
  lstm_lengths: { x: ['n', 'b', 3], lengths: ['b'] },
  gru_lengths_everything: { x: ['b', 'n', 3], hidden: [4, 'b', 4], lengths: ['b'] },
  lstm_everything: { x: ['b', 'n', 3], hidden: [4, 'b', 4], cell: [4, 'b', 4] },
};

function run(name: string, { x, ...states }: Record<string, Tensor>, weights: Record<string, Stored>): Tensor[] {
  const options = { ...weights, ...states, ...extra[name] };
  if (name.startsWith('lstm')) {
    const { output, hidden, cell } = x!.lstm(options);
    return [output, hidden, cell];
  }
  const { output, hidden } = name.startsWith('gru') ? x!.gru(options) : x!.rnn(options);
  return [output, hidden];
}

export const cases: LayerCase[] = [...readFixture('recurrent', 'modules').keys()].map((name) => ({
  name,
  build: (inputs, weights) => run(name, inputs, weights),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
  // Every step rounds the gates and states again.
  ...(name.endsWith('_bf16') && { tolerance: { atol: 5e-2, rtol: 5e-2 } }),
  ...(name.endsWith('_f16') && { tolerance: { atol: 5e-3, rtol: 5e-3 } }),
}));
