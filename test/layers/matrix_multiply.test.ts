import { expect, test } from 'vitest';
import { float16, float32, int32, type Network, network, rewrite, type ScopeOptions } from '../../src/index.js';
import { expectRefusal, testLayer } from './harness.js';
import { cases } from './matrix_multiply.cases.js';

testLayer('matrix_multiply', cases);

test('known elements take the rank at once, without a shuffle', () => {
  const net = network('weight', { x: float32(2, 5, 3, 4) });
  net.matmul({ shape: [4, 6], data: new Float32Array(24) });
  expect(net.graph.nodes.map(({ kind, outputs }) => [kind, outputs[0]!.shape])).toEqual([
    ['constant', [1, 1, 4, 6]],
    ['matrix_multiply', [2, 5, 3, 6]],
  ]);
});

test('operands that do not fit are refused', () => {
  const net = network('bad', {
    x: float32(2, 3, 4),
    w: float32(5, 6),
    h: float16(4, 5),
    i: int32(4, 5),
    s: float32(),
    b: float32(3, 4, 5),
  });
  const [x, w, h, i, s, b] = net.inputs;
  expectRefusal(() => x!.matmul(w!), 'ERR_SHAPE', /has 4 columns.*has 5 rows/);
  expectRefusal(() => x!.matmul(w!, { transposeB: true }), 'ERR_SHAPE', /b \[1, 5, 6\] transposed has 6 rows/);
  expectRefusal(() => x!.matmul(b!), 'ERR_SHAPE', /do not broadcast/);
  expectRefusal(() => x!.matmul(h!), 'ERR_DTYPE', /given float32 and float16/);
  expectRefusal(() => i!.matmul(i!), 'ERR_DTYPE', /given int32/);
  expectRefusal(() => x!.matmul(s!), 'ERR_RANK', /b: expected/);
  expectRefusal(() => s!.matmul(x!), 'ERR_RANK', /a: expected/);
  expectRefusal(() => x!.matmul(2), 'ERR_RANK', /b: expected/);
  expectRefusal(
    () => x!.matmul(w!, { transposeB: 'yes' as never }),
    'ERR_PARAMETER',
    /transposeB: expected true or false/,
  );
  expectRefusal(() => x!.matmul(w!, { useFp32Acc: 1 as never }), 'ERR_PARAMETER', /useFp32Acc/);
  expectRefusal(() => x!.matmul(w!, { operationA: 'adjoint' as never }), 'ERR_PARAMETER', /operationA/);
  expectRefusal(() => x!.mm(w!), 'ERR_RANK', /^mm: expected rank 2 on the left, given \[2, 3, 4\]/);
  expectRefusal(() => x!.bmm(w!), 'ERR_RANK', /^bmm: expected rank 3 on the right, given \[5, 6\]/);
  expectRefusal(() => x!.bmm(b!), 'ERR_SHAPE', /expected a batch of 2 on the right, given \[3, 4, 5\]/);
  expectRefusal(() => x!.matmul(undefined as never), 'ERR_INPUT', /given undefined/);
  expectRefusal(() => x!.matmul(new Float32Array(5)), 'ERR_SHAPE', /4 columns.*5 rows/);
});

test('useFp32Acc of a scope or network is the default of products in it', () => {
  const flags = (net: Network) =>
    net.graph.nodes.flatMap(({ kind, params }) => (kind === 'matrix_multiply' ? [params.useFp32Acc] : []));
  const record = (options?: ScopeOptions) => {
    const net = network('accumulation', { x: float16(2, 2) }, options);
    const x = net.tensor();
    const weight = { dtype: 'float16', shape: [2, 2], data: new Uint16Array(4) };
    x.matmul(x);
    net.scope('wide', () => x.linear({ weight }).mm(x, { useFp32Acc: false }), { useFp32Acc: true });
    const narrow = () => net.scope('inner', () => x.unsqueeze(0).bmm(x.unsqueeze(0)));
    net.scope('narrow', narrow, { useFp32Acc: false });
    expect(() => net.scope('fails', () => expect.fail('on purpose'), { useFp32Acc: true })).toThrow('on purpose');
    x.matmul(x, { useFp32Acc: undefined });
    return net;
  };
  expect(flags(record())).toEqual([false, true, false, false, false]);
  const net = record({ useFp32Acc: true });
  expect(flags(net)).toEqual([true, true, false, false, true]);
  net.tensor().matmul(net.tensor()).output('y');
  // A rule records in a network with the same default.
  const again = rewrite(net, { matrix_multiply: ({ inputs: [a, b] }) => a!.matmul(b!) });
  expect(flags(again)).toContain(true);
  expect(flags(again)).not.toContain(false);
});

test('other options of a scope or network are refused', () => {
  const net = network('accumulation');
  const scope = (options: unknown) => () => net.scope('s', () => 1, options as ScopeOptions);
  expectRefusal(scope({ useFp32Acc: 1 }), 'ERR_PARAMETER', /useFp32Acc: expected true or false, given 1/);
  expectRefusal(scope({ fp32: true }), 'ERR_PARAMETER', /unknown option 'fp32'; expected useFp32Acc/);
  expectRefusal(scope(true), 'ERR_PARAMETER', /expected options such as/);
  expectRefusal(scope(null), 'ERR_PARAMETER', /expected options such as/);
  expectRefusal(() => network('n', {}, { float16: 1 } as never), 'ERR_PARAMETER', /unknown option 'float16'/);
});
