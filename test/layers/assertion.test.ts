import { expect, test } from 'vitest';
import { bool, float32, network, type Tensor } from '../../src/index.js';
import { cases } from './assertion.cases.js';
import { expectRefusal, testLayer } from './harness.js';

testLayer('assertion', cases);

/** Asserts that x has at least two rows. */
function guarded() {
  const net = network('guarded', { x: float32('n', 3) });
  const x = net.tensor();
  x.shapeTensor().select(0, 0).gt(1).assert('expected at least two rows', { name: 'rows' });
  x.relu().output('y');
  return net;
}

test('it builds, and stands in the graph without outputs', async () => {
  const net = guarded();
  const node = net.graph.nodes.find(({ kind }) => kind === 'assertion')!;
  expect(node).toMatchObject({ name: 'rows', outputs: [], params: { message: 'expected at least two rows' } });
  await net.check();
  using engine = await net.build({ profiles: [{ n: [2, 2, 8] }] });
  expect(engine.bytes.byteLength).toBeGreaterThan(1000);
});

test('the CPU backend fails where it is false, with the message and the place', async () => {
  using model = await guarded().compile({ backend: 'cpu' });
  const { y } = await model.run({ x: [1, -2, 3, 4, 5, 6] });
  expect(y!.shape).toEqual([2, 3]);
  await expect(model.run({ x: [1, 2, 3] })).rejects.toMatchObject({
    code: 'ERR_ASSERTION',
    layer: 'rows',
    kind: 'assertion',
    message: expect.stringContaining("assertion 'rows' failed: expected at least two rows"),
    source: { file: import.meta.filename },
  });
});

test('what is false for all shapes does not build', async () => {
  const net = network('never', { x: float32(1, 3) });
  net.shapeTensor().select(0, 0).gt(1).assert('one row is not enough');
  net.relu().output('y');
  await expect(net.build()).rejects.toThrow(/one row is not enough/);
});

test('all elements count', async () => {
  const net = network('all', { x: float32('n', 'n') });
  const x = net.tensor();
  x.shapeTensor().gt(1).assert('expected both sizes above 1');
  x.relu().output('y');
  await net.check();
  using model = await net.compile({ backend: 'cpu' });
  await expect(model.run({ x: { dtype: 'float32', shape: [1, 1], data: new Float32Array(1) } })).rejects.toThrow(
    /both sizes above 1/,
  );
});

test('what is no condition is refused', () => {
  const net = network('bad', { x: float32(2), flags: bool(2, 2) });
  const [x, flags] = net.inputs as [Tensor, Tensor];
  expectRefusal(() => x.assert('is true'), 'ERR_DTYPE', /condition: expected bool/);
  expectRefusal(() => flags.assert('is true'), 'ERR_RANK', /condition: expected rank 0 to 1/);
  expectRefusal(() => x.gt(0).assert(''), 'ERR_PARAMETER', /message/);
});
