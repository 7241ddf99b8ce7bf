import { describe, expect, test } from 'vitest';
import { float32, int32, type Network, network, type Tensor } from '../../src/index.js';
import type { InterpolateOptions, ResizeOptions } from '../../src/layers/kinds/resize.js';
import type { DimValue } from '../../src/layers/shared/dim-value.js';
import { readFixture, type Stored, type StoredCase } from './fixture.js';
import { expectSameInference } from './harness.js';

/** One resize of [1, 1, ...from], as resize_sweep.py lists them. */
interface Resize {
  from: number[];
  to?: number[];
  factors?: number[];
  /** Its elements' weighted sum. */
  sum: number;
}

const fixture = readFixture('resize_sweep');

function rows({ data, shape }: Stored): number[][] {
  const [count, width] = shape as [number, number];
  const all = Array.from(data as Int32Array);
  return Array.from({ length: count }, (_, i) => all.slice(i * width, (i + 1) * width));
}

function resizesOf({ inputs, outputs }: StoredCase): Resize[] {
  const table = (name: string) => inputs[name] && rows(inputs[name]);
  const [from, to, numerators, denominators] = ['from', 'to', 'numerator', 'denominator'].map(table);
  const sums = Array.from(outputs[0]!.data as Float32Array, Number);
  return sums.map((sum, i) => ({
    from: from![i]!,
    to: to?.[i],
    factors: numerators?.[i]?.map((n, axis) => n / denominators![i]![axis]!),
    sum,
  }));
}

/** What resize_sweep.py resizes. */
function elements(shape: readonly number[], exact: boolean): Float32Array {
  const count = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: count }, (_, i) => (exact ? i : ((i * 7919) % 65521) / 65521 - 0.5));
}

const summed = (data: Float32Array, exact: boolean): number =>
  data.reduce((sum, v, i) => sum + v * (exact ? ((i * 26543) % 65521) + 1 : ((i * 26543) % 65521) / 65521 - 0.5), 0);

type RecordResize = (x: Tensor, one: Resize, sizes?: readonly (number | DimValue)[]) => Tensor;

/** How a group records a resize; `sizes` stands for dynamic ones. */
function recorder(name: string): { record: RecordResize; exact: boolean } {
  const own =
    /^own_(?:size|scale)_(nearest|linear|cubic)_(?:(half_up|half_down|floor|ceil|all|inside)_)?(align_corners|asymmetric|half_pixel)_(\w+)$/.exec(
      name,
    );
  if (own) {
    const [, mode, detail, coordinateTransformation, selector] = own;
    const options = {
      mode,
      coordinateTransformation,
      selector,
      ...(mode === 'nearest' && { nearestRounding: detail }),
      ...(mode === 'cubic' && { excludeOutside: detail === 'inside' }),
    } as ResizeOptions;
    return {
      exact: mode === 'nearest',
      record: (x, { to, factors }, sizes = to) =>
        x.resize({ ...options, ...(sizes ? { sizes: [1, 1, ...sizes] } : { scales: [1, 1, ...factors!] }) }),
    };
  }
  const [, mode, corners] = /^(?:size|factor)_([a-z-]+)\d(_corners)?$/.exec(name)!;
  const options = { mode, ...(corners && { alignCorners: true }) } as InterpolateOptions;
  return {
    exact: mode!.startsWith('nearest'),
    record: (x, { to, factors }, sizes = to) =>
      x.interpolate({ ...options, ...(sizes ? { size: sizes } : { scaleFactor: factors }) }),
  };
}

/** Whether a result is the reference's. */
function isRight(data: Float32Array, one: Resize, exact: boolean): boolean {
  const allowed = exact ? 0 : 1e-4 * Math.sqrt(1 + data.length / 100);
  return Math.abs(summed(data, exact) - one.sum) <= allowed;
}

const groups = [...fixture].map(([name, stored]) => ({ name, all: resizesOf(stored), ...recorder(name) }));

test('the sweep compares thousands of resizes', () => {
  expect(groups.reduce((sum, { all }) => sum + all.length, 0)).toBeGreaterThan(5000);
});

const staticNetwork = (all: readonly Resize[], record: RecordResize): Network => {
  const net = network('sweep');
  for (const [i, one] of all.entries()) record(net.input(`x${i}`, float32(1, 1, ...one.from)), one).output(`y${i}`);
  return net;
};

describe('static sizes', () => {
  test.each(groups)('$name', async ({ all, record, exact }) => {
    using model = await staticNetwork(all, record).compile({ backend: 'cpu' });
    const results = await model.run(Object.fromEntries(all.map(({ from }, i) => [`x${i}`, elements(from, exact)])));
    expect(all.filter((one, i) => !isRight(results[`y${i}`]!.data as Float32Array, one, exact))).toEqual([]);
  });
});

describe('TensorRT has these sizes too', () => {
  test.each(groups.filter(({ name }) => name.startsWith('factor_')))('$name', async ({ all, record }) => {
    await expectSameInference(staticNetwork(all, record));
  });
});

describe('dynamic sizes', () => {
  test.each(groups)('$name', async ({ all, record, exact }) => {
    // One network for all resizes by size, and one for each list of factors.
    const byRecording = new Map<string, Resize[]>();
    for (const one of all) byRecording.set(`${one.factors}`, [...(byRecording.get(`${one.factors}`) ?? []), one]);
    const wrong: Resize[] = [];
    for (const some of byRecording.values()) {
      const [first] = some as [Resize];
      const net = network('sweep');
      const x = net.input('x', float32(1, 1, ...['a', 'b', 'c'].slice(0, first.from.length)));
      const like = first.to && net.input('like', int32(...['d', 'e', 'f'].slice(0, first.to.length)));
      const sizes = like && first.to?.map((_, axis) => like.dim(axis));
      record(x, first, sizes).output('y');
      using model = await net.compile({ backend: 'cpu' });
      for (const one of some) {
        const { from, to } = one;
        const { y } = await model.run({
          x: { shape: [1, 1, ...from], data: elements(from, exact) },
          ...(to && { like: { shape: to, data: new Int32Array(to.reduce((a, b) => a * b, 1)) } }),
        });
        if (!isRight(y!.data as Float32Array, one, exact)) wrong.push(one);
      }
    }
    expect(wrong).toEqual([]);
  });
});
