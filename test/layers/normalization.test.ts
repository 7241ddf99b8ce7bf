import { expect, test } from 'vitest';
import { float16, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './normalization.cases.js';

testLayer('normalization', cases);

const ones = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1) });

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(2, 6, 4, 3);
  expectRefusal(() => x.groupNorm(undefined as never), 'ERR_PARAMETER', /groups/);
  expectRefusal(
    () => x.layerNorm({ normalizedShape: '3' as never, weight: 1 as never }),
    'ERR_WEIGHT',
    /: weight: expected a weight/,
  );
  expectRefusal(() => x.layerNorm({ normalizedShape: 4 }), 'ERR_SHAPE', /the last dims of \[2, 6, 4, 3\], given \[4\]/);
  expectRefusal(() => x.layerNorm({ weight: ones(4) }), 'ERR_SHAPE', /weight: expected \[3\], given \[4\]/);
  expectRefusal(() => x.layerNorm({ weight: ones(3), bias: ones(2) }), 'ERR_SHAPE', /bias/);
  expectRefusal(() => x.layerNorm({ axes: [4] }), 'ERR_AXIS', /given 4/);
  expectRefusal(() => x.layerNorm({ axes: [1, -3] }), 'ERR_AXIS', /each axis once/);
  expectRefusal(() => x.layerNorm({ axes: [] }), 'ERR_PARAMETER', /axes/);
  expectRefusal(() => x.layerNorm({ eps: Number.NaN }), 'ERR_PARAMETER', /eps/);
  expectRefusal(() => x.groupNorm({ groups: 4 }), 'ERR_SHAPE', /divisor of the 6 channels.* given 4/);
  expectRefusal(() => x.groupNorm({ groups: 0 }), 'ERR_PARAMETER', /groups/);
  expectRefusal(() => x.groupNorm({} as never), 'ERR_PARAMETER', /groups/);
  expectRefusal(() => x.instanceNorm({ weight: ones(5) }), 'ERR_SHAPE', /weight: expected \[6\], given \[5\]/);
  expectRefusal(() => oneInput(2, 6).instanceNorm(), 'ERR_RANK', /rank 3 or more/);
  const stored = { shape: [6], data: new Float32Array(6), name: 'norm.running_mean' };
  expectRefusal(() => x.instanceNorm({ running_mean: stored } as never), 'ERR_PARAMETER', /batchNorm/);
  expectRefusal(() => oneInput(2, 6).groupNorm({ groups: 2 }), 'ERR_RANK', /rank 3 or more/);
  expectRefusal(() => oneInput(2, 'c', 4, 4).groupNorm({ groups: 2 }), 'ERR_SHAPE', /known size along axis 1/);
  expectRefusal(() => network('i', { x: int32(2, 3) }).layerNorm(), 'ERR_DTYPE', /int32/);
  expectRefusal(
    () => network('h', { x: float16(2, 3) }).layerNorm({ weight: ones(3) }),
    'ERR_DTYPE',
    /weight: expected the input's dtype float16, given float32; convert a weight with .as\('float16'\)/,
  );
});

test('one group is normalized over channels and all axes after them', () => {
  const x = oneInput(2, 6, 4, 3);
  x.groupNorm({ groups: 1 });
  x.groupNorm({ groups: 2 });
  expect(x.network.graph.nodes.map(({ params }) => params.axes)).toEqual([
    [1, 2, 3],
    [2, 3],
  ]);
});
