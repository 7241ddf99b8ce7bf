import { expect, test } from 'vitest';
import { bool, float32, network, type Tensor } from '../../src/index.js';
import { expectRefusal, expectSameJSON, testLayer } from './harness.js';
import { cases } from './if_conditional.cases.js';

testLayer('if_conditional', cases);

function conditional() {
  const net = network('if', { cond: bool(), x: float32('n', 3) });
  const [cond, x] = net.inputs as [Tensor, Tensor];
  return { net, cond, x };
}

test('a branch that returns something else is refused', () => {
  const { net, cond, x } = conditional();
  const other = () => x;
  expectRefusal(() => net.if(x, other, other), 'ERR_DTYPE', /condition: expected bool, given float32/);
  expectRefusal(() => net.if(x.gt(0), other, other), 'ERR_RANK', /condition: expected rank 0, given \[n, 3\]/);
  expectRefusal(() => net.if(cond, other, () => x.sum({ axis: 0 })), 'ERR_SHAPE', /float32\[n, 3\] and float32\[3\]/);
  expectRefusal(() => net.if(cond, other, () => x.cast('float16')), 'ERR_SHAPE', /one dtype and rank/);
  expectRefusal(() => net.if(cond, other, () => [x, x]), 'ERR_OUTPUT', /given 1 and 2/);
  expectRefusal(
    () => net.if(cond, other, () => 3 as never),
    'ERR_OUTPUT',
    /else: expected a tensor or a list of tensors, given 3/,
  );
  expectRefusal(() => net.if(cond, other, x as never), 'ERR_PARAMETER', /expected two functions/);
});

test('a tensor of a branch cannot be used outside', () => {
  const { net, cond, x } = conditional();
  let inner: Tensor | undefined;
  const branch = () => {
    inner = x.relu();
    return inner;
  };
  net.if(cond, branch, branch);
  expectRefusal(() => inner!.relu(), 'ERR_NESTED_TENSOR');
});

test('layers of branches are named after the conditional, and outputs follow the branches', () => {
  const { net, cond, x } = conditional();
  const outputs: [Tensor, Tensor] = net.if(
    cond,
    () => [x.relu(), x.sum({ axis: 0, keepDims: true })],
    () => [x.tanh(), x],
    { name: 'choice' },
  );
  const node = net.graph.nodes[0]!;
  expect(node.name).toBe('choice');
  expect(Object.values(node.bodies!).map(({ nodes }) => nodes.map((n) => n.name))).toEqual([
    ['choice.then.activation', 'choice.then.reduce'],
    ['choice.else.activation'],
  ]);
  expect(outputs[0].shape).toEqual(['n', 3]);
  expect(outputs[1].shape[0]).toMatch(/^if\?/);
});

test('it goes through JSON and back', () => {
  const { net, cond, x } = conditional();
  net
    .if(
      cond,
      () => x.relu(),
      () => x,
    )
    .output('y');
  expectSameJSON(net);
});

test('an error within a branch names its layer', async () => {
  const { net, cond, x } = conditional();
  net
    .if(
      cond,
      () => x.relu(),
      () => x.matmul([[1], [2], [3]]).concat(x, { axis: 1, name: 'inner' }),
    )
    .output('y');
  const [wrong] = net.graph.nodes[0]!.bodies!.else!.nodes.filter((node) => node.name === 'if.else.inner');
  wrong!.outputs[0]!.shape = [1, 2];
  await expect(net.check()).rejects.toMatchObject({
    code: 'ERR_INFERENCE',
    layer: 'if.else.inner',
    source: { file: import.meta.filename },
  });
});
