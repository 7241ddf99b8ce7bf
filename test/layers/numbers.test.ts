import { describe, expect, test } from 'vitest';
import { int32, network, type Tensor } from '../../src/index.js';
import { readFixture } from './fixture.js';
import { expectClose } from './harness.js';

/** Odd numbers on the CPU backend. A GPU rounds tiny numbers to 0, and its powers and sines otherwise. */
const fixture = readFixture('numbers');

type Method = (other?: unknown) => Tensor;

function apply(name: string, { x, a, b }: Record<string, Tensor>): Tensor {
  const [method, axis] = name.split('_') as [string, string];
  const on = (x ?? a) as unknown as Record<string, Method>;
  if (['sum', 'prod', 'amax', 'amin', 'cumsum'].includes(method)) {
    const reduced = method.replace('am', 'm');
    return on[reduced]!({
      ...(/\d/.test(axis) && { axis: Number(axis) }),
      ...(axis === 'keep' && { axis: 1, keepDims: true }),
    });
  }
  return on[method]!(b);
}

describe.each([false, true])('with dynamic sizes: %s', (dynamic) => {
  test.each([...fixture.keys()])('%s', async (name) => {
    const { inputs, outputs } = fixture.get(name)!;
    const net = network(name);
    const given = Object.fromEntries(
      Object.entries(inputs).map(([input, { dtype, shape }]) => [
        input,
        net.input(input, { dtype, shape: dynamic ? shape.map((_, i) => `${input}${i}`) : shape }),
      ]),
    );
    const result = apply(name, given);
    result.output('out');
    using model = await net.compile({ backend: 'cpu' });
    const { out } = await model.run(inputs);
    expectClose(out!, outputs[0]!);
  });
});

test('an integer divided by 0 is an error, as in PyTorch', async () => {
  for (const method of ['div', 'floorDiv', 'remainder', 'fmod'] as const) {
    const net = network(method, { a: int32(2), b: int32(2) });
    net.inputs[0]![method](net.inputs[1]!).output('out');
    using model = await net.compile({ backend: 'cpu' });
    const run = model.run({ a: Int32Array.of(1, 2), b: Int32Array.of(1, 0) });
    await expect(run, method).rejects.toThrow(/division by zero/);
  }
});
