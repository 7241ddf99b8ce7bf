import { expect, test } from 'vitest';
import { float16, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './scale.cases.js';

testLayer('scale', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(2, 3, 4);
  const four = new Float32Array(4);
  expectRefusal(
    () => x.scale({ scale: four }),
    'ERR_SHAPE',
    /scale: expected 3 elements for mode channel.*given \[4\]/,
  );
  expectRefusal(() => x.scale({ shift: four, mode: 'uniform' }), 'ERR_SHAPE', /expected 1 elements/);
  expectRefusal(() => x.scale({ shift: four, mode: 'elementwise' }), 'ERR_SHAPE', /expected 12 elements/);
  expectRefusal(() => x.scale({ shift: [1, 2, 3], channelAxis: 3 }), 'ERR_AXIS', /channelAxis.*given 3/);
  expectRefusal(() => x.scale({ mode: 'row' as never }), 'ERR_PARAMETER', /mode/);
  expectRefusal(() => x.scale({ scale: '2' as never }), 'ERR_INPUT', /scale: expected a number/);
  expectRefusal(() => oneInput(2, 'channels').scale({ shift: [1, 2, 3] }), 'ERR_SHAPE', /known sizes/);
  expectRefusal(() => oneInput().scale({ shift: 1 }), 'ERR_RANK', /rank 0/);
  expectRefusal(() => network('ints', { x: int32(2) }).scale({ shift: 1 }), 'ERR_DTYPE', /given int32/);
  expectRefusal(
    () =>
      network('half', { x: float16(2, 3) }).scale({
        shift: { shape: [3], dtype: 'float32', data: new Float32Array(3) },
      }),
    'ERR_DTYPE',
    /expected float16, given a weight of float32/,
  );
});

test('the mode follows from the shapes of the coefficients', () => {
  const x = oneInput(2, 3, 4);
  x.scale({ scale: 2 });
  x.scale({ scale: 2, shift: [1, 2, 3] });
  x.scale({ scale: { shape: [3, 4], data: new Float32Array(12) }, shift: 1 });
  expect(x.network.graph.nodes.map((node) => node.params.mode)).toEqual(['uniform', 'channel', 'elementwise']);
});
