import type { ReverseSequenceOptions } from '../../src/layers/reverse_sequence.js';
import type { LayerCase } from './harness.js';

const options: Record<string, ReverseSequenceOptions> = {
  plain: {},
  batch_first: { batchAxis: 0, sequenceAxis: 1 },
  inner: { batchAxis: -1, sequenceAxis: 1 },
  last: { sequenceAxis: 2 },
  int64_lengths: {},
  matrix: {},
  float16: {},
  bfloat16: {},
  int32: {},
  int64: {},
  bool: {},
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x, lengths }) => x!.reverseSequence(lengths!, given),
  ...(name === 'plain' && { dynamic: { x: ['t', 'n', 4], lengths: ['n'] } }),
}));
