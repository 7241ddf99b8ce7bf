// The names and shapes that users build on, through the package's own name: what is here must not change.
import assert from 'node:assert/strict';
import * as api from 'node-tensorrt';
import {
  bfloat16,
  bool,
  concat,
  findTensorRT,
  float8e4m3,
  float16,
  float32,
  int4,
  int8,
  int32,
  int64,
  loadWeights,
  Network,
  network,
  uint8,
} from 'node-tensorrt';
import { expect, test } from 'vitest';

const refuse = async (call: () => unknown, code: RegExp) => {
  const error = await (async () => call())().then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(api.TensorRTError);
  expect(error.code).toMatch(code);
};
test.each(Object.entries({ float32, float16, bfloat16, int32, int64, int8, uint8, bool, float8e4m3, int4 }))(
  'spec %s',
  (dtype, spec) => {
    const x = network('n').input('x', spec('batch', 3));
    expect(x).toMatchObject({ dtype, shape: ['batch', 3], name: 'x' });
  },
);
test('one input', () =>
  assert.equal(
    network('n', { x: float32(2) })
      .relu()
      .output('y').name,
    'y',
  ));
test('none', () => refuse(() => network('n').relu(), /SINGLE_INPUT/));
test('several', () => refuse(() => network('n', { a: float32(1), b: float32(1) }).relu(), /SINGLE_INPUT/));
test('late input carries', () => {
  const n = network('n');
  n.input('x', float32(2));
  n.relu();
});
test('pool types', () => {
  const n = network('n', { x: float32(1, 3, 8, 8) });
  for (const type of ['max', 'average', 'maxAverageBlend'] as const)
    assert.deepEqual([...n.pool({ type, kernel: 2, stride: 2, padding: 0 }).shape], [1, 3, 4, 4]);
  n.pool({ type: 'max', kernel: [2, 3], stride: [1, 2], padding: [0, 1] });
});
test('conv2d', () => {
  const n = network('n', { x: float32(1, 4, 8, 8) });
  const weight = { shape: [6, 2, 3, 3], data: new Float32Array(108) };
  assert.deepEqual(
    [...n.conv2d({ weight, bias: new Float32Array(6), stride: [2, 1], padding: 1, dilation: [1, 2], groups: 2 }).shape],
    [1, 6, 4, 6],
  );
  n.conv2d({ weight, groups: 2 });
  n.conv2d({ weight, bias: undefined, groups: 2 });
});
test('linear', () => {
  const n = network('n', { x: float32(2, 4) });
  assert.deepEqual([...n.linear({ weight: { shape: [5, 4], data: new Float32Array(20) } }).shape], [2, 5]);
});
test('softmax/reshape/transpose/flatten', () => {
  const n = network('n', { x: float32('b', 3, 4) });
  n.softmax();
  n.softmax({ axis: 1 });
  assert.deepEqual([...n.reshape(['b', 12]).shape], ['b', 12]);
  assert.deepEqual([...n.reshape([-1, 12]).shape], ['b', 12]);
  assert.deepEqual([...n.reshape([0, 12]).shape], ['b', 12]);
  assert.deepEqual([...n.transpose([2, 0, 1]).shape], [4, 'b', 3]);
  assert.deepEqual([...n.transpose([-1, 0, 1]).shape], [4, 'b', 3]);
  assert.deepEqual([...n.flatten().shape], ['b', 12]);
});
test('elementwise', () => {
  const n = network('n');
  const a = n.input('a', float32(2, 3)),
    b = n.input('b', float32(3));
  for (const m of ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum'] as const) {
    for (const v of [b, 2, new Float32Array(3), new Float64Array(3), new Int32Array(3), [1, 2, 3]])
      assert.deepEqual([...a[m](v).shape], [2, 3]);
  }
  const i = n.input('i', int32(3));
  assert.equal(i.add(1).dtype, 'int32');
  assert.equal(i.add(new Int32Array(3)).dtype, 'int32');
  const h = n.input('h', float16(3));
  assert.equal(h.mul(0.5).dtype, 'float16');
  assert.equal(h.mul(new Float32Array(3)).dtype, 'float16');
  const l = n.input('l', int64(3));
  assert.equal(l.add(1).dtype, 'int64');
  assert.equal(l.add(1n).dtype, 'int64');
});
test('unaries', () => {
  const n = network('n', { x: float32(2) });
  for (const m of [
    'relu',
    'sigmoid',
    'tanh',
    'gelu',
    'exp',
    'sqrt',
    'abs',
    'neg',
    'log',
    'sin',
    'cos',
    'floor',
    'ceil',
    'round',
    'erf',
    'sign',
  ] as const)
    assert.equal(n[m]().dtype, 'float32');
  assert.equal(n.cast('float16').dtype, 'float16');
});
test('matmul', () => {
  const n = network('n');
  const a = n.input('a', float32('b', 2, 3)),
    b = n.input('b', float32('b', 4, 3));
  assert.deepEqual([...a.matmul(b, { transposeB: true }).shape], ['b', 2, 4]);
});
test('concat', () => {
  const n = network('n');
  const a = n.input('a', float32(2, 3)),
    b = n.input('b', float32(2, 4));
  assert.deepEqual([...concat([a, b], { axis: 1 }).shape], [2, 7]);
  assert.deepEqual([...concat([a, b], { axis: -1 }).shape], [2, 7]);
});
test('output unnamed', () => {
  const n = network('n', { x: float32(2) });
  const r = n.relu().output();
  assert.equal(typeof r.name, 'string');
  assert.equal(n.outputs[0]!.name, r.name);
});
test('dup output', () => {
  const n = network('n', { x: float32(1) });
  n.relu().output('y');
  return refuse(() => n.tanh().output('y'), /DUPLICATE/);
});
test('dup in/out', () => {
  const n = network('n', { x: float32(1) });
  return refuse(() => n.tanh().output('x'), /DUPLICATE/);
});
test('dup in', () => {
  const n = network('n', { x: float32(1) });
  return refuse(() => n.input('x', float32(1)), /DUPLICATE/);
});
test('dtypes through', async () => {
  const n = network('n');
  n.input('h', float16('b')).mul(2).output('H');
  n.input('bf', bfloat16('b')).mul(2).output('BF');
  n.input('l', int64('b')).add(1).output('L');
  n.input('i', int32('b')).add(1).output('I');
  n.input('bo', bool('b')).logicalNot().output('BO');
  using m = await n.compile({ backend: 'cpu' });
  const r = await m.run({
    h: new Uint16Array([0x3c00, 0x4000]),
    bf: new Uint16Array([0x3f80, 0x4000]),
    l: new BigInt64Array([2n ** 40n, -1n]),
    i: new Int32Array([1, 2]),
    bo: new Uint8Array([0, 1]),
  });
  assert(
    r.H!.data instanceof Uint16Array &&
      r.L!.data instanceof BigInt64Array &&
      r.BO!.data instanceof Uint8Array &&
      r.I!.data instanceof Int32Array,
  );
  assert.deepEqual([...r.H!.toFloat32()], [2, 4]);
  assert.deepEqual([...r.BF!.toFloat32()], [2, 4]);
  assert.equal(r.L!.data[0], 2n ** 40n + 1n);
  assert.deepEqual([...r.BO!.data], [1, 0]);
});
test('reductions', () => {
  const n = network('n', { x: float32('b', 3, 4) });
  for (const m of ['mean', 'sum', 'max', 'min', 'prod'] as const) {
    expect(n[m]({ axes: [1], keepDims: true }).shape).toEqual(['b', 1, 4]);
    expect(n[m]({ axes: [-1] }).shape).toEqual(['b', 3]);
    expect(n[m]({ axis: 1 }).shape).toEqual(['b', 4]);
    expect(n[m]().shape).toEqual([]);
  }
});
const file = new URL('../../examples/mnist/lenet.safetensors', import.meta.url).pathname;
test('weights, JSON, engine and model of the front page', async () => {
  const w = await loadWeights(file);
  expect(w.get('conv1.weight')).toMatchObject({ name: 'conv1.weight', dtype: 'float32', shape: [20, 1, 5, 5] });
  expect([w.has('fc1.bias'), w.has('nope'), w.names().length]).toEqual([true, false, 8]);
  expect(w.scope('conv1').get('bias').shape).toEqual([20]);
  expect(w.unused()).toContain('fc2.bias');
  const net = network('lenet', { data: float32('batch', 1, 28, 28) });
  net
    .conv2d(w.layer('conv1'))
    .pool({ type: 'max', kernel: 2, stride: 2 })
    .conv2d(w.layer('conv2'))
    .pool({ type: 'max', kernel: 2, stride: 2 })
    .flatten()
    .linear(w.layer('fc1'))
    .relu()
    .linear(w.layer('fc2'))
    .softmax()
    .output('prob');
  const plain = JSON.parse(JSON.stringify(net.toJSON()));
  expect(
    JSON.parse(
      JSON.stringify(Network.fromJSON(plain, w).toJSON(), (key, value) => (key === 'source' ? undefined : value)),
    ),
  ).toEqual(JSON.parse(JSON.stringify(plain, (key, value) => (key === 'source' ? undefined : value))));
  const engine = await net.build({ profiles: [{ batch: [1, 8, 64] }] });
  expect(engine.inputs).toEqual([{ name: 'data', dtype: 'float32', shape: ['batch', 1, 28, 28] }]);
  expect(engine.outputs).toEqual([{ name: 'prob', dtype: 'float32', shape: ['batch', 10] }]);
  expect(engine.bytes.length).toBe(engine.size);
  engine.dispose();
  engine.dispose();
  for (const use of [
    () => engine.bytes,
    () => engine.save('x'),
    () => engine.run({ data: [0] }),
    () => engine.createContext(),
  ])
    await refuse(use, /DISPOSED/);
  using model = await net.compile({ backend: 'cpu' });
  expect(model.backend).toBe('cpu');
  const data = new Float32Array(3 * 784).map((_, i) => (i % 7) / 7);
  const { prob } = await model.run({ data });
  expect(prob).toMatchObject({ dtype: 'float32', shape: [3, 10] });
  for (let row = 0; row < 3; row++)
    expect(
      prob!
        .toFloat32()
        .subarray(row * 10, row * 10 + 10)
        .reduce((a, b) => a + b),
    ).toBeCloseTo(1, 5);
  const shaped = await model.run({ data: { dtype: 'float32', shape: [3, 1, 28, 28], data } });
  expect(shaped.prob!.data).toEqual(prob!.data);
  model.dispose();
  await refuse(() => model.run({ data }), /DISPOSED/);
});
test('findTensorRT says what each library can do', async () => {
  for (const one of await findTensorRT())
    expect(one).toMatchObject({
      path: expect.any(String),
      flavor: expect.stringMatching(/^(trt10|trt11|rtx1)$/),
      usableFor: { build: expect.any(Boolean), run: expect.any(Boolean), plugins: expect.any(Boolean) },
    });
});
