import { expect, test } from 'vitest';
import { float16, int32, network } from '../../src/index.js';
import { cases } from './deconvolution.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('deconvolution', cases);

const weight = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(1, 4, 8, 8);
  const kernel = weight(4, 6, 3, 3);
  expectRefusal(
    () => x.convTranspose2d(undefined as never),
    'ERR_INPUT',
    /: weight: expected a weight or a tensor, given none/,
  );
  expectRefusal(() => x.convTranspose2d({ weight: weight(3, 6, 3, 3) }), 'ERR_SHAPE', /takes 3 input channels.* has 4/);
  expectRefusal(
    () => x.convTranspose2d({ weight: weight(4, 6, 3) }),
    'ERR_RANK',
    /weight: expected rank 4, given rank 3/,
  );
  expectRefusal(() => x.convTranspose2d({ weight: kernel, groups: 3 }), 'ERR_SHAPE', /divisor of the 4/);
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, bias: weight(5) }),
    'ERR_SHAPE',
    /expected \[6\], given \[5\]/,
  );
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, padding: 6 }),
    'ERR_SHAPE',
    /: padding: 6 and 6 cut off more than the 10 elements along spatial axis 0/,
  );
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, outputPadding: 1 }),
    'ERR_PARAMETER',
    /: outputPadding: expected whole numbers less than the stride or the dilation, given \[1, 1\]/,
  );
  const stride = { weight: kernel, stride: 2 };
  expectRefusal(() => x.convTranspose2d({ ...stride, outputPadding: 2 }), 'ERR_PARAMETER', /given \[2, 2\]/);
  expectRefusal(() => x.convTranspose2d({ ...stride, outputPadding: [1] }), 'ERR_PARAMETER', /given \[1\]/);
  expectRefusal(() => x.convTranspose2d({ ...stride, outputPadding: 0.5 }), 'ERR_PARAMETER', /given \[0.5, 0.5\]/);
  expectRefusal(
    () => x.convTranspose2d({ ...stride, outputPadding: 1, paddingMode: 'same_upper' }),
    'ERR_PARAMETER',
    /outputPadding: expected 0 with paddingMode same_upper, given \[1, 1\]/,
  );
  expectRefusal(
    () => x.convTranspose2d({ ...stride, outputPadding: 1, padding: -1 }),
    'ERR_PARAMETER',
    /: padding: expected a whole number of 0 or more, given -1/,
  );
  expectRefusal(
    () => oneInput(1, 4, 2, 0).convTranspose2d({ ...stride, outputPadding: 1 }),
    'ERR_SHAPE',
    /axis 1 of \[1, 4, 2, 0\] is empty/,
  );
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, padding: 1, outputPadding: -1 }),
    'ERR_PARAMETER',
    /outputPadding/,
  );
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, padding: -1 }),
    'ERR_PARAMETER',
    /: padding: expected a whole number of 0 or more, given /,
  );
  expectRefusal(
    () => x.convTranspose2d({ weight: kernel, prePadding: -1 }),
    'ERR_PARAMETER',
    /: prePadding: expected a whole number of 0 or more, given /,
  );
  expectRefusal(() => oneInput(1, 4, 2, 0).convTranspose2d({ weight: kernel }), 'ERR_SHAPE', /axis 1 of .* is empty/);
  expectRefusal(() => x.convTranspose2d({ weight: kernel, stride: 0 }), 'ERR_PARAMETER', /stride/);
  const plain = { weight: weight(6, 2, 3, 3), bias: weight(6) };
  expectRefusal(() => x.convTranspose2d(plain), 'ERR_SHAPE', /\[6, 2, 3, 3\] takes 6 input channels/);
  expectRefusal(() => x.convTranspose3d({ weight: kernel }), 'ERR_RANK', /rank 5, given rank 4/);
  expectRefusal(
    () => x.convTranspose2d({ weight: undefined as never }),
    'ERR_INPUT',
    /: weight: expected a weight or a tensor, given none/,
  );
  expectRefusal(() => oneInput(1, 'c', 8, 8).convTranspose2d({ weight: kernel }), 'ERR_SHAPE', /has c/);
  expectRefusal(
    () => network('half', { x: float16(1, 4, 8, 8) }).convTranspose2d({ weight: kernel }),
    'ERR_DTYPE',
    /weight: expected the input's dtype float16, given float32/,
  );
  expectRefusal(
    () => network('ints', { x: int32(1, 4, 8, 8) }).convTranspose2d({ weight: kernel }),
    'ERR_DTYPE',
    /int32/,
  );
});

// Both at once in bfloat16 fail inside TensorRT-RTX 1.7.1 ("ssa_validation").
test.each([
  ['float32', true],
  ['float16', true],
  ['bfloat16', false],
] as const)('a kernel may be a tensor of %s, and with it a bias: %s', async (dtype, withBias) => {
  const net = network('dynamic kernel');
  const x = net.input('x', { dtype, shape: [1, 2, 5, 5] });
  const kernel = net.input('kernel', { dtype, shape: [2, 3, 3, 3] });
  const bias = withBias ? net.input('bias', { dtype, shape: [3] }) : undefined;
  x.convTranspose2d({ weight: kernel, bias }).output('y');
  expect(net.outputs[0]!.tensor.shape).toEqual([1, 3, 7, 7]);
  using engine = await net.build();
  expect(engine.inputs.map(({ name }) => name)).toEqual(withBias ? ['x', 'kernel', 'bias'] : ['x', 'kernel']);
});

test('sizes stay symbolic', () => {
  const x = oneInput('n', 4, 'h', 'w');
  const y = x.convTranspose2d({
    weight: weight(4, 6, 3, 2),
    stride: 2,
    padding: 1,
    paddingMode: 'explicit_round_down',
  });
  expect(y.shape).toEqual(['n', 6, '2*h - 1', '2*w - 2']);
});
