import { expect, test } from 'vitest';
import { float16, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './linear.cases.js';

testLayer('linear', cases, 'modules');

const weight = (shape: number[], name?: string) => ({
  name,
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

test('layers are named after their weights', () => {
  const x = oneInput(2, 4);
  x.linear({ weight: weight([5, 4], 'fc1.weight'), bias: weight([5], 'fc1.bias') });
  x.linear({ weight: weight([5, 4], 'fc2.weight'), name: 'head' });
  x.linear({ weight: weight([5, 4]), bias: new Float32Array(5), name: 'tail' });
  expect(x.network.graph.nodes.map(({ kind, name }) => [kind, name])).toEqual([
    ['constant', 'fc1.weight'],
    ['matrix_multiply', 'fc1.matmul'],
    ['constant', 'fc1.bias'],
    ['element_wise', 'fc1'],
    ['constant', 'fc2.weight'],
    ['matrix_multiply', 'head'],
    ['constant', 'constant'],
    ['matrix_multiply', 'tail.matmul'],
    ['constant', 'constant_1'],
    ['element_wise', 'tail'],
  ]);
});

test('one weight used twice is stored once', () => {
  const x = oneInput(2, 4);
  const shared = weight([4, 4], 'fc.weight');
  x.linear({ weight: shared }).linear({ weight: shared });
  expect(x.network.weights).toHaveLength(1);
});

test('what does not fit is refused, with what was expected and given, and records nothing', () => {
  const x = oneInput(2, 4);
  expectRefusal(
    () => x.linear({ weight: weight([5, 3]) }),
    'ERR_SHAPE',
    /\[5, 3\] takes 3 features, the input \[2, 4\] has 4/,
  );
  expectRefusal(
    () => x.linear({ weight: weight([5]) }),
    'ERR_RANK',
    /weight: expected rank 2 \[out, in\], given \[5\]/,
  );
  expectRefusal(
    () => x.linear({ weight: weight([5, 4]), bias: weight([4]) }),
    'ERR_SHAPE',
    /bias: expected \[5\], given \[4\]/,
  );
  expectRefusal(() => x.linear({ weight: new Float32Array(20) as never }), 'ERR_INPUT', /weight: expected a weight/);
  expectRefusal(() => x.linear({ weight: undefined as never }), 'ERR_INPUT', /given undefined/);
  expectRefusal(() => x.linear(undefined as never), 'ERR_INPUT');
  expectRefusal(() => x.linear({ weight: weight([5, 4]), bias: 'fc1.bias' as never }), 'ERR_INPUT', /bias: expected/);
  expectRefusal(() => oneInput().linear({ weight: weight([5, 4]) }), 'ERR_RANK', /rank 1 or more/);
  const half = network('half', { x: float16(2, 4) });
  expectRefusal(
    () => half.linear({ weight: weight([5, 4]) }),
    'ERR_DTYPE',
    /weight: expected the input's dtype float16, given float32; convert a weight with \.as\('float16'\)/,
  );
  const halfWeight = { dtype: 'float16', shape: [5, 4], data: new Uint16Array(20) };
  expectRefusal(
    () => half.linear({ weight: halfWeight, bias: weight([5]) }),
    'ERR_DTYPE',
    /bias: expected the input's dtype/,
  );
  expectRefusal(() => network('ints', { x: int32(2, 4) }).linear({ weight: weight([5, 4]) }), 'ERR_DTYPE', /int32/);
  expect(x.network.graph.nodes).toEqual([]);
});
