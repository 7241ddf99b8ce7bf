import { expect, test } from 'vitest';
import { float16, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';
import { cases } from './parametric_relu.cases.js';

testLayer('parametric_relu', cases);

test('what does not fit is refused, with what was expected and given', () => {
  const x = oneInput(2, 3, 4);
  expectRefusal(() => x.prelu(undefined as never), 'ERR_INPUT', /given none/);
  expectRefusal(() => x.prelu({}), 'ERR_INPUT', /one of weight and slope, given none/);
  expectRefusal(() => x.prelu({ slope: [1, 2, 3] }), 'ERR_SHAPE', /broadcasts to \[2, 3, 4\], given \[1, 1, 3\]/);
  expectRefusal(() => x.prelu({ weight: { shape: [4], data: new Float32Array(4) } }), 'ERR_SHAPE', /given \[1, 4, 1\]/);
  expectRefusal(
    () => x.prelu({ slope: { shape: [5, 2, 3, 4], data: new Float32Array(120) } }),
    'ERR_SHAPE',
    /broadcasts/,
  );
  expectRefusal(() => x.prelu({ slope: 'a' as never }), 'ERR_INPUT', /expected a number/);
  expectRefusal(() => network('i', { x: int32(2) }).prelu({ slope: 1 }), 'ERR_DTYPE', /int32/);
  const net = network('half', { x: float16(2) });
  const slope = net.input('slope', { dtype: 'float32', shape: [2] });
  expectRefusal(() => net.inputs[0]!.prelu({ slope }), 'ERR_DTYPE', /slope: expected float16, given float32/);
});

test('a slope without elements goes with an input without elements', async () => {
  const x = oneInput(2, 0, 3);
  x.prelu({ weight: { shape: [0], data: new Float32Array(0) } }).output('y');
  using engine = await x.network.build();
  expect(engine.outputs[0]!.shape).toEqual([2, 0, 3]);
});

test('a vector of weights belongs to the channels, a vector of slopes to the last axis', () => {
  const x = oneInput(2, 3, 3);
  const shape = [3];
  x.prelu({ weight: { shape, data: new Float32Array(3) } });
  x.prelu({ slope: { shape, data: new Float32Array(3) } });
  expect(x.network.graph.nodes.map(({ params }) => params.slopeShape)).toEqual([
    [1, 3, 1],
    [1, 1, 3],
  ]);
});
