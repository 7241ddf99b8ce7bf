import { test } from 'vitest';
import type { Tensor } from '../../src/index.js';
import { expectRefusal, oneInput } from './harness.js';

const weight = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
const kernel = weight(6, 4, 3);

test.each<[string, (x: Tensor) => Tensor, string, RegExp]>([
  [
    'a window',
    (x) => x.conv1d({ weight: weight(6, 4, 9) }),
    'ERR_SHAPE',
    /spans 9 along spatial axis 0, more than the padded input of 8$/,
  ],
  ['a pool', (x) => x.maxPool1d({ kernel: 9 }), 'ERR_SHAPE', /spans 9 along spatial axis 0/],
  [
    'padding of a pool',
    (x) => x.maxPool1d({ kernel: 2, padding: 2 }),
    'ERR_PARAMETER',
    /padding: expected less than the window 2 along each axis, given 2$/,
  ],
  [
    'an average of nothing',
    (x) => x.avgPool1d({ kernel: 2, stride: 8, paddingMode: 'explicit_round_up', name: 'y' }),
    'ERR_SHAPE',
    /at index 1 of spatial axis 0/,
  ],
  [
    'channels',
    (x) => x.conv1d({ weight: weight(6, 5, 3) }),
    'ERR_SHAPE',
    /the weight \[6, 5, 3\] with groups 1 takes 5 input channels, the input \[1, 4, 8\] has 4$/,
  ],
  [
    'channels of a transposed convolution',
    (x) => x.convTranspose1d({ weight: weight(5, 6, 3) }),
    'ERR_SHAPE',
    /the weight \[5, 6, 3\] takes 5 input channels, the input \[1, 4, 8\] has 4$/,
  ],
  [
    'the rank of a kernel',
    (x) => x.conv1d({ weight: weight(6, 4, 3, 3) }),
    'ERR_RANK',
    /weight: expected rank 3, given rank 4 \[6, 4, 3, 3\]$/,
  ],
  [
    'the rank of a kernel that is a tensor',
    (x) => x.convTranspose1d({ weight: x.unsqueeze(0) }),
    'ERR_RANK',
    /weight: expected rank 3, given rank 4/,
  ],
  [
    'padding by name',
    (x) => x.conv1d({ weight: kernel, padding: 'same', stride: 2 }),
    'ERR_PARAMETER',
    /given 2; with/,
  ],
  [
    'output padding',
    (x) => x.convTranspose1d({ weight: weight(4, 6, 3), outputPadding: 2 }),
    'ERR_PARAMETER',
    /outputPadding: expected whole numbers less than the stride or the dilation, given 2$/,
  ],
  [
    'padding of a transposed convolution',
    (x) => x.convTranspose1d({ weight: weight(4, 6, 3), padding: 6 }),
    'ERR_SHAPE',
    /padding: 6 and 6 cut off more than the 10 elements along spatial axis 0$/,
  ],
  [
    'an empty axis',
    (x) => x.narrow(2, 0, 0).convTranspose1d({ weight: weight(4, 6, 3) }),
    'ERR_SHAPE',
    /spatial axis 0 of \[1, 4, 0\] is empty/,
  ],
])('messages about one axis name one axis: %s', (_, call, code, message) => {
  expectRefusal(() => call(oneInput(1, 4, 8)), code, new RegExp(message.source, 'm'));
});
