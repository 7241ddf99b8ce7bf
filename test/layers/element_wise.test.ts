import { expect, test } from 'vitest';
import { bool, float16, float32, int8, int32, int64, network } from '../../src/index.js';
import { cases } from './element_wise.cases.js';
import { expectRefusal, oneInput, testLayer } from './harness.js';

testLayer('element_wise', cases);

test('operands that do not fit are refused', () => {
  const net = network('mixed', { x: float32(2, 3), h: float16(2, 3), i: int32(2, 3), b: bool(2, 3), y: float32(2, 4) });
  const [x, h, i, b, y] = net.inputs;
  expectRefusal(() => x!.add(h!), 'ERR_DTYPE', /one dtype, given float32 and float16; convert one with \.cast/);
  expectRefusal(() => x!.elementWise(i!, { operation: 'sum' }), 'ERR_DTYPE', /given float32 and int32/);
  expectRefusal(() => x!.add(y!), 'ERR_SHAPE', /\[2, 3\] and \[2, 4\] do not broadcast: axis 1 has 3 and 4/);
  expectRefusal(() => x!.logicalAnd(x!), 'ERR_DTYPE', /expected bool, given float32/);
  expectRefusal(() => b!.add(b!), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => b!.gt(b!), 'ERR_DTYPE', /given bool/);
  expectRefusal(() => i!.add(0.5), 'ERR_VALUE', /add: b: expected a whole number.*given 0.5/);
  expectRefusal(() => h!.add(1e6), 'ERR_VALUE', /within float16/);
  expectRefusal(() => x!.add('1' as never), 'ERR_INPUT', /add: b: expected a number.*given '1'/);
  expectRefusal(() => x!.add(undefined as never), 'ERR_INPUT', /given undefined/);
  expectRefusal(() => x!.elementWise(x!, { operation: 'xnor' as never }), 'ERR_PARAMETER', /operation/);
  expectRefusal(
    () => x!.add({ dtype: 'int32', shape: [3], data: new Int32Array(3) }),
    'ERR_DTYPE',
    /expected the tensor's dtype float32, given int32; convert a weight with \.as\('float32'\)/,
  );
  expectRefusal(() => x!.add(new Float32Array(4)), 'ERR_SHAPE', /axis 1 has 3 and 4/);
  expectRefusal(() => x!.add(oneInput(2, 3)), 'ERR_FOREIGN_TENSOR');
});

test('int8 has no power', () => {
  const x = network('narrow', { x: int8(2) }).tensor();
  expectRefusal(() => x.pow(x), 'ERR_DTYPE', /given int8/);
});

test('arithmetic on known integers is followed', () => {
  const net = network('contents', { x: int64(2) });
  const c = (value: number | number[]) => net.constant(value, { dtype: 'int64' });
  expect(c([7, -7]).add(1).contents).toEqual([8, -6]);
  expect(c([7, -7]).sub(c([1, 2])).contents).toEqual([6, -9]);
  expect(c([7, -7]).mul(3).contents).toEqual([21, -21]);
  expect(c([7, -7]).div(2).contents).toEqual([3, -3]);
  expect(c([7, -7]).floorDiv(2).contents).toEqual([3, -4]);
  expect(c([7, -7]).maximum(0).contents).toEqual([7, 0]);
  expect(c([7, -7]).minimum(0).contents).toEqual([0, -7]);
  expect(c(2).add(c(3)).contents).toEqual([5]);
  expect(c(2).add(c([3, 4])).contents).toEqual([5, 6]);
  expect(c([7, -7]).div(0).contents).toBeUndefined();
  expect(c([2 ** 40]).mul(2 ** 40).contents).toBeUndefined();
  const most = net.constant([2 ** 31 - 1], { dtype: 'int32' });
  expect(most.add(0).contents).toEqual([2 ** 31 - 1]);
  expect(most.add(1).contents).toBeUndefined();
  expect(most.sum({ keepDims: true }).mul(2).contents).toBeUndefined();
  expect(net.tensor().add(1).contents).toBeUndefined();
  expect(c([7]).gt(1).contents).toBeUndefined();
});

test('sizes that no tensor here has, or that the dtype cannot hold, are refused', () => {
  const x = oneInput('n', 3);
  const other = oneInput('m', 3);
  expectRefusal(() => x.mul(other.dim(0)), 'ERR_SHAPE', /size: no dynamic dim is named 'm' here; known are n/);
  const bytes = network('bytes', { x: int8(200, 2) }).tensor();
  expectRefusal(() => bytes.add(bytes.dim(0)), 'ERR_VALUE', /200/);
});

test('known sizes become constants, dynamic ones are computed once', () => {
  const x = oneInput('n', 3);
  x.div(x.dim(1)).div(x.dim(0)).div(x.dim(0));
  const kinds = x.network.graph.nodes.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'shape')).toHaveLength(1);
  expect(kinds.filter((kind) => kind === 'element_wise')).toHaveLength(3);
});
