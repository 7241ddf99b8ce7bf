import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { float32, loadWeights, Network, network, TensorRTError } from 'node-tensorrt';

const here = fileURLToPath(import.meta.url);
const small = () =>
  network('small', { x: float32('batch', 8) })
    .relu()
    .add([1, 2, 3, 4, 5, 6, 7, 8])
    .output('y').network;
const major = Number(process.versions.node.split('.')[0]);

test('records, and stores as JSON', () => {
  const net = small();
  assert.deepEqual(
    net.outputs.map(({ name, tensor }) => [name, ...tensor.shape.map(String)]),
    [['y', 'batch', '8']],
  );
  const json = JSON.parse(JSON.stringify(net.toJSON()));
  // Where it was recorded differs.
  const recorded = ({ nodes, ...rest }) => ({ ...rest, nodes: nodes.map(({ source: _, ...node }) => node) });
  assert.deepEqual(recorded(Network.fromJSON(json).toJSON()), recorded(json));
});

test('an error names the line that called', () => {
  const record = () => network('n', { x: float32('batch', 8) }).softmax({ axis: 2 }); // here
  assert.throws(record, (error) => {
    assert(error instanceof TensorRTError);
    assert.equal(error.code, 'ERR_AXIS');
    const line =
      readFileSync(here, 'utf8')
        .split('\n')
        .findIndex((text) => text.endsWith('// here')) + 1;
    assert.deepEqual([error.source.file, error.source.line], [here, line]);
    return true;
  });
});

test('TensorRT-RTX makes and builds it', async () => {
  const report = await small().check();
  assert.deepEqual(
    report.layers.map(({ kind }) => kind).filter((kind) => kind === 'activation'),
    ['activation'],
  );
  const engine = await small().build();
  assert(engine.size > 1000);
  engine.dispose();
});

test('builds in a process of its own, byte for byte the same', async () => {
  const [plan, isolated] = [await small().build(), await small().build({ isolate: true })];
  assert(Buffer.from(plan.bytes).equals(isolated.bytes));
});

test('weights come from safetensors', async () => {
  const w = await loadWeights(fileURLToPath(new URL('../lenet.safetensors', import.meta.url)));
  const net = network('lenet', { x: float32('batch', 1, 28, 28) });
  net.conv2d(w.layer('conv1')).output('y');
  assert.deepEqual(net.outputs[0].tensor.shape.map(String), ['batch', '20', '24', '24']);
  assert.equal(w.layer('conv1').weight.as('float16').data.length, 500);
  w.dispose();
  assert.throws(() => w.layer('conv1'), { code: 'ERR_DISPOSED' });
});

test('the CPU backend runs it', async () => {
  const model = await small().compile({ backend: 'cpu' });
  const { y } = await model.run({ x: { shape: [1, 8], data: Float32Array.of(-1, 1, -1, 1, -1, 1, -1, 1) } });
  assert.deepEqual([...y.data], [1, 3, 3, 5, 5, 7, 7, 9]);
  model.dispose();
});

test('Float16Array as feed, weight and constant', {
  skip: major < 24 && 'Node has Float16Array from 24 on',
}, async () => {
  const half = (...values) => new Float16Array(values);
  const net = network('half', { x: { dtype: 'float16', shape: ['n', 2] } });
  const y = net.linear({ weight: { shape: [2, 2], data: half(1, 2, 3, 4) }, bias: half(0.5, 0.25) });
  y.add(net.constant(half(1, -1))).output('y');
  const model = await net.compile({ backend: 'cpu' });
  for (const feed of [half(1, 2), { shape: [1, 2], data: half(1, 2) }, { dtype: 'float16', data: half(1, 2) }])
    assert.deepEqual([...(await model.run({ x: feed })).y.toFloat32()], [6.5, 10.25]);
  model.dispose();
});

test('Symbol.dispose disposes', async () => {
  const model = await small().compile({ backend: 'cpu' });
  model[Symbol.dispose]();
  await assert.rejects(model.run({ x: new Float32Array(8) }), { code: 'ERR_DISPOSED' });
});
