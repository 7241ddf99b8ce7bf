import { expect, test } from 'vitest';
import { float32, int32, int64, network, uint8 } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './shuffle.cases.js';

testLayer('shuffle', cases);

test('sizes follow, also where they have names', () => {
  const x = oneInput('batch', 'n', 12);
  expect(x.reshape([-1]).shape).toEqual(['12*batch*n']);
  expect(x.reshape([0, -1, 4]).shape).toEqual(['batch', '3*n', 4]);
  expect(x.reshape([-1, 5]).shape).toEqual(['floor((12*batch*n) / 5)', 5]);
  expect(x.flatten().shape).toEqual(['batch', '12*n']);
  expect(x.reshape(['n * batch', 12]).shape).toEqual(['batch*n', 12]);
  expect(x.reshape(['batch', 'n', 3, 4]).shape).toEqual(['batch', 'n', 3, 4]);
});

test('the layer is as plain as TensorRT takes it', () => {
  const params = (shape: (number | string)[], dims: (number | string)[]) => {
    const x = oneInput(...shape);
    x.reshape(dims);
    const nodes = x.network.graph.nodes;
    return nodes.length === 1 ? nodes[0]!.params : nodes.map((node) => node.kind);
  };
  expect(params(['b', 'n', 12], ['b', 'n', 3, 4])).toMatchObject({ reshape: [0, 0, 3, 4], zeroIsPlaceholder: true });
  expect(params(['b', 'n', 12], ['b*n', 12])).toMatchObject({ reshape: [-1, 12], zeroIsPlaceholder: false });
  expect(params([2, 3], [3, 2])).toMatchObject({ reshape: [3, 2], zeroIsPlaceholder: false });
});

test('known integers are followed through ranks 0 and 1', () => {
  const net = network('contents');
  const one = net.constant(7, { dtype: 'int64' });
  expect(one.reshape([1]).contents).toEqual([7]);
  expect(one.reshape([1]).reshape([]).contents).toEqual([7]);
  expect(one.reshape([1, 1]).contents).toBeUndefined();
});

test('a shape known at run time only', async () => {
  const net = network('run time', { x: float32(6), dims: int64(2) });
  const [x, dims] = net.inputs;
  const y = x!.reshape(dims!).output('y');
  expect(y.rank).toBe(2);
  await net.check();
});

test('what does not fit is refused', () => {
  const x = oneInput(2, 3, 4);
  expectRefusal(() => x.reshape([5, 5]), 'ERR_SHAPE', /has 24 elements, the result would have 25/);
  expectRefusal(() => x.reshape([5, -1]), 'ERR_SHAPE', /has 24 elements, no multiple of 5/);
  const y = oneInput('b', 96, 8, 8);
  expect(y.reshape([0, -1, 3]).shape).toEqual(['b', 2048, 3]);
  expectRefusal(() => y.reshape([0, 95, -1]), 'ERR_SHAPE', /has 6144\*b elements, no multiple of 95\*b/);
  const [b, twice] = [y.dim(0), y.reshape([y.dim(0).mul(2), -1])];
  expect(twice.shape).toEqual(['2*b', 3072]);
  expectRefusal(() => twice.reshape([b, 95, -1]), 'ERR_SHAPE', /has 6144\*b elements, no multiple of 95\*b/);
  expectRefusal(() => twice.reshape([b, 95, 64]), 'ERR_SHAPE', /the result would have 6080\*b/);
  expect(twice.reshape([b, 96, -1]).shape).toEqual(['b', 96, 64]);
  expectRefusal(() => oneInput(0, 3).reshape([5]), 'ERR_SHAPE', /has 0 elements, the result would have 5/);
  expectRefusal(() => x.reshape([-1, -1]), 'ERR_SHAPE', /at most one -1/);
  expectRefusal(() => x.reshape([-2]), 'ERR_SHAPE', /from -1.*given -2/);
  expectRefusal(() => x.reshape([1.5]), 'ERR_SHAPE', /given 1.5/);
  expectRefusal(
    () => x.reshape([2, 3, 4, 0]),
    'ERR_SHAPE',
    /dims: 0 in \[2, 3, 4, 0\] copies a dim that the input \[2, 3, 4\] does not have/,
  );
  expectRefusal(() => x.reshape(['batch', 12]), 'ERR_SHAPE', /no dynamic dim is named 'batch'/);
  expectRefusal(() => x.reshape(['2 2']), 'ERR_SHAPE', /given 2 2/);
  expectRefusal(() => x.reshape(undefined as never), 'ERR_SHAPE', /expected a list of dims, given null/);
  expectRefusal(() => x.shuffle({ firstTranspose: [0, 1, 7], reshape: [4, -1] }), 'ERR_AXIS', /given \[0, 1, 7\]/);
  expectRefusal(() => x.reshape('24' as never), 'ERR_SHAPE', /expected a list of dims, given 24/);
  expectRefusal(
    () => x.reshape([0, -1], { zeroIsPlaceholder: false }),
    'ERR_SHAPE',
    /-1 cannot be inferred beside a dim of 0/,
  );
  expectRefusal(() => x.reshape(Array(9).fill(1)), 'ERR_PARAMETER', /reshape/);
  expectRefusal(() => x.transpose([0, 1]), 'ERR_AXIS', /each of the 3 axes of \[2, 3, 4\] once, given \[0, 1\]/);
  expectRefusal(() => x.transpose([0, 1, 1]), 'ERR_AXIS', /given \[0, 1, 1\]/);
  expectRefusal(() => x.transpose([0, 1, 3]), 'ERR_AXIS', /given \[0, 1, 3\]/);
  expectRefusal(
    () => x.permute(undefined as never),
    'ERR_AXIS',
    /perm: expected each of the 3 axes .* given undefined/,
  );
  expectRefusal(() => x.transpose([0, 1, -4]), 'ERR_AXIS', /perm: .* given \[0, 1, -4\]/);
  expectRefusal(() => x.transpose(0, 3), 'ERR_AXIS', /other: expected a whole number from -3 to 2 .* given 3/);
  expectRefusal(() => x.transpose(1), 'ERR_AXIS', /given undefined/);
  expectRefusal(() => x.transpose([0, 1, 2], 1), 'ERR_AXIS', /expected a permutation, or two axes/);
  expectRefusal(
    () => x.unflatten(2, [3, -1]),
    'ERR_SHAPE',
    /sizes that make up 4, at most one of them -1, given \[3, -1\]/,
  );
  expectRefusal(() => x.unflatten(2, [-1, -1]), 'ERR_SHAPE', /at most one of them -1/);
  expectRefusal(() => x.unflatten(2, [2, 3]), 'ERR_SHAPE', /given \[2, 3\]/);
  expectRefusal(() => x.unflatten(2, []), 'ERR_SHAPE', /given \[\]/);
  expectRefusal(() => x.unflatten(3, [2, 2]), 'ERR_AXIS', /given 3/);
  expectRefusal(() => x.shuffle({ reshape: [6, 4], secondTranspose: [0, 1, 2] }), 'ERR_AXIS', /secondTranspose/);
  expectRefusal(() => x.flatten({ startDim: 3 }), 'ERR_AXIS', /startDim.*given 3/);
  expectRefusal(() => x.flatten({ startDim: 2, endDim: 1 }), 'ERR_AXIS', /endDim: expected an axis from 2, given 1/);
  expectRefusal(() => oneInput(4).flatten(), 'ERR_AXIS', /startDim.*rank 1/);
  expectRefusal(() => oneInput('b', 4).reshape(['b', 5]), 'ERR_SHAPE', /elements/);
});

test('tensors that are no shapes are refused', () => {
  const net = network('bad', { x: float32(6), f: float32(2), m: int32(2, 1), n: int32('n'), u: uint8(2) });
  const [x, f, m, n, u] = net.inputs;
  expectRefusal(() => x!.reshape(f!), 'ERR_DTYPE', /expected a tensor of int32 or int64, given float32/);
  expectRefusal(() => x!.reshape(m!), 'ERR_RANK', /rank 1, given \[2, 1\]/);
  expectRefusal(() => x!.reshape(n!), 'ERR_SHAPE', /known length.*\[n\]/);
  expectRefusal(() => x!.reshape(net.constant([4, 2], { dtype: 'int64' })), 'ERR_SHAPE', /6 elements.*8/);
  expectRefusal(() => u!.reshape([2, 1]), 'ERR_DTYPE', /given uint8/);
});
