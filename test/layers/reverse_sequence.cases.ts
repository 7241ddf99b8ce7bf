import type { ReverseSequenceOptions } from '../../src/layers/kinds/reverse_sequence.js';
import { int8Refused, type LayerCase } from './harness.js';

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
  int8: {},
  bool: {},
  empty: {},
};

const dynamic: Record<string, LayerCase['dynamic']> = {
  plain: { x: ['t', 'n', 4], lengths: ['n'] },
  batch_first: { x: ['n', 't', 'c'], lengths: ['n'] },
  inner: { x: ['c', 't', 'n'], lengths: ['n'] },
  matrix: { x: ['t', 'n'], lengths: ['n'] },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x, lengths }) => x!.reverseSequence(lengths!, given),
  ...(dynamic[name] && { dynamic: dynamic[name] }),
  ...(name === 'int8' && { refused: int8Refused }),
}));
