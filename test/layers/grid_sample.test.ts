import { test } from 'vitest';
import { float16, float32, network } from '../../src/index.js';
import { cases } from './grid_sample.cases.js';
import { expectRefusal, testLayer } from './harness.js';

testLayer('grid_sample', cases);

test('what does not fit is refused', () => {
  const net = network('grid');
  const x = net.input('x', float32(2, 3, 5, 6));
  const grid = net.input('grid', float32(2, 4, 4, 2));
  expectRefusal(() => x.gridSample(net.input('half', float16(2, 4, 4, 2))), 'ERR_DTYPE', /grid: expected .*float32/);
  expectRefusal(() => x.gridSample(net.input('flat', float32(2, 4, 2))), 'ERR_RANK', /grid: expected rank 4/);
  expectRefusal(
    () => x.gridSample(net.input('three', float32(2, 4, 4, 3))),
    'ERR_SHAPE',
    /\[batch, height, width, 2\]/,
  );
  expectRefusal(() => x.gridSample(net.input('one', float32(1, 4, 4, 2))), 'ERR_SHAPE', /differ in their batch/);
  expectRefusal(
    () => x.gridSample(grid, { mode: 'trilinear' as never }),
    'ERR_PARAMETER',
    /mode: expected nearest, bilinear, bicubic, given 'trilinear'/,
  );
  expectRefusal(
    () => x.gridSample(grid, { paddingMode: 'wrap' as never }),
    'ERR_PARAMETER',
    /paddingMode: expected zeros, border, reflection, given /,
  );
});
