import { expect, test } from 'vitest';
import { int32, network } from '../../src/index.js';
import { cases } from './dynamic_quantize.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('dynamic_quantize', cases);

test('blocks that do not fit are refused', () => {
  const x = oneInput('n', 40);
  const doubleScale = 1;
  expectRefusal(
    () => x.dynamicQuantize({ doubleScale }),
    'ERR_SHAPE',
    /blockShape: 16 along axis 1 needs a known multiple/,
  );
  expectRefusal(() => x.dynamicQuantize({ doubleScale, axis: 0, blockSize: 8 }), 'ERR_SHAPE', /8 along axis 0/);
  expectRefusal(() => x.dynamicQuantize({ doubleScale, axis: 2 }), 'ERR_AXIS', /axis: expected one from -2 to 1/);
  expectRefusal(() => x.dynamicQuantize({ doubleScale, blockShape: [8] }), 'ERR_PARAMETER', /expected 2 sizes/);
  expectRefusal(() => x.dynamicQuantize({ blockSize: 8 }), 'ERR_INPUT', /doubleScale: scales of float8e4m3 need/);
  expectRefusal(
    () => x.dynamicQuantize({ doubleScale: x, blockSize: 8 }),
    'ERR_SHAPE',
    /doubleScale: expected float32/,
  );
  expectRefusal(() => x.dynamicQuantize({ doubleScale, to: 'int4' as never }), 'ERR_PARAMETER', /to/);
  expectRefusal(() => network('i', { x: int32(4, 16) }).dynamicQuantize({ doubleScale }), 'ERR_DTYPE', /int32/);
});

test('it gives the quantized tensor and one scale per block', () => {
  const [quantized, scales] = oneInput('n', 64).dynamicQuantize({ doubleScale: 1 });
  expect([quantized, scales].map(String)).toEqual([
    'Tensor(dynamic_quantize:0: float4e2m1[n, 64])',
    'Tensor(dynamic_quantize:1: float8e4m3[n, 4])',
  ]);
  const [blocks, whole] = oneInput(4, 64).dynamicQuantize({
    to: 'float8e4m3',
    scaleType: 'float32',
    blockShape: [2, -1],
  });
  expect([blocks.shape, whole.shape]).toEqual([
    [4, 64],
    [2, 1],
  ]);
});
