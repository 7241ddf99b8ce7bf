import { expect, test } from 'vitest';
import { type AnySize, definePlugin, int64, network, type SizeHelpers } from '../../src/index.js';
import { describeGpu, reportFigure } from './support.js';

// Rules of sizes, evaluated three ways: in TypeScript over numbers, by TensorRT's IExprBuilder (the outputs' shapes), and natively
// when the kernel is launched (its arguments, and its grid).

type Tree = number | 'a' | 'b' | 'c' | { op: keyof typeof apply; left: Tree; right: Tree };

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);
const floorDiv = (a: bigint, b: bigint): bigint => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
const apply = {
  add: (a: bigint, b: bigint) => wrap(a + b),
  sub: (a: bigint, b: bigint) => wrap(a - b),
  mul: (a: bigint, b: bigint) => wrap(a * b),
  min: (a: bigint, b: bigint) => (a < b ? a : b),
  max: (a: bigint, b: bigint) => (a > b ? a : b),
  equal: (a: bigint, b: bigint) => (a === b ? 1n : 0n),
  less: (a: bigint, b: bigint) => (a < b ? 1n : 0n),
  floorDiv,
  ceilDiv: (a: bigint, b: bigint) => -floorDiv(-a, b),
};

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** `wide`: with numbers whose products wrap. */
function tree(random: (below: number) => number, depth: number, wide: boolean): Tree {
  if (depth === 0 || random(6) === 0) {
    const leaves: Tree[] = ['a', 'b', 'c', random(50) - 25];
    if (wide) leaves.push({ op: 'mul', left: 'c', right: random(2 ** 31) - 2 ** 30 });
    return leaves[random(leaves.length)]!;
  }
  const ops = Object.keys(apply) as (keyof typeof apply)[];
  const op = ops[random(ops.length)]!;
  // A divisor of a constant other than 0, so that every rule has a value.
  const divisor = [-7, -3, -2, -1, 1, 2, 3, 5, 64][random(9)]!;
  const right = op === 'floorDiv' || op === 'ceilDiv' ? divisor : tree(random, depth - 1, wide);
  const made: Tree = { op, left: tree(random, depth - 1, wide), right };
  // What is made of numbers alone is a number in a rule, so it stays below 2^53.
  return isKnown(made) && BigInt.asIntN(50, onNumbers(made, none)) !== onNumbers(made, none) ? 'a' : made;
}

const none = { a: 0, b: 0, c: 0 };
const isKnown = (one: Tree): boolean =>
  typeof one === 'object' ? isKnown(one.left) && isKnown(one.right) : typeof one === 'number';

function onNumbers(one: Tree, sizes: Record<'a' | 'b' | 'c', number>): bigint {
  if (typeof one === 'number') return BigInt(one);
  if (typeof one === 'string') return BigInt(sizes[one]);
  return apply[one.op](onNumbers(one.left, sizes), onNumbers(one.right, sizes));
}

function inRule(one: Tree, helpers: SizeHelpers, sizes: Record<'a' | 'b' | 'c', AnySize>): AnySize {
  if (typeof one === 'number') return one;
  if (typeof one === 'string') return sizes[one];
  return helpers[one.op](inRule(one.left, helpers, sizes), inRule(one.right, helpers, sizes));
}

const rules = 200;
const perLayer = 20;
const name = (i: number) => `y${i}`;

describeGpu(
  'rules of sizes',
  () => {
    test(`${rules} random rules: TypeScript, native integers and IExprBuilder agree`, async () => {
      const random = randomFrom(12);
      // Of shapes, the network counts below 2^53. Launches count in int64, which wraps.
      const shapes = Array.from({ length: rules }, () => tree(random, 3, false));
      const values = Array.from({ length: rules }, () => tree(random, 5, true));
      const net = network('rules', { x: int64('a', 'b', 'c') });
      for (let first = 0; first < rules; first += perLayer) {
        const own = Array.from({ length: perLayer }, (_, i) => i);
        const plugin = definePlugin({
          name: `Rules${first}`,
          version: '1',
          inputs: ['x'],
          types: [
            { x: 'int64', ...Object.fromEntries(own.map((i) => [name(i), 'int64'])) } as Record<'x' | 'y0', 'int64'>,
          ],
          // A shape of 1 to 97 elements that every bit of the value has a part in.
          outputs: ({ x, ...helpers }) =>
            Object.fromEntries(
              own.map((i) => {
                const [a, b, c] = x.shape;
                const value = inRule(shapes[first + i]!, helpers, { a, b, c });
                const rest = helpers.sub(value, helpers.mul(helpers.floorDiv(value, 97), 97));
                return [name(i), [helpers.add(rest, 1)]];
              }),
            ) as Record<'y0', AnySize[]>,
          cuda: `extern "C" __global__ void store(long long* y, long long value, long long size) {
            for (long long i = threadIdx.x; i < size; i += blockDim.x) y[i] = value;
          }`,
          launch: ({ x, ...rest }) =>
            own.map((i) => {
              const [a, b, c] = x.shape;
              const y = rest[name(i) as 'y0'];
              return {
                kernel: 'store',
                grid: 1,
                block: 32,
                args: [y, rest.int64(inRule(values[first + i]!, rest, { a, b, c })), rest.int64(y.size)],
              };
            }),
        });
        const made = net.plugin(plugin, { x: net.tensor('x') }) as Record<string, ReturnType<typeof net.tensor>>;
        for (const i of own) made[name(i)]!.output(`rule${first + i}`);
      }
      using engine = await net.build({ profiles: [{ a: [1, 3, 9], b: [1, 2, 7], c: [1, 4, 11] }] });
      let compared = 0;
      for (const sizes of [
        { a: 1, b: 1, c: 1 },
        { a: 9, b: 7, c: 11 },
        { a: 2, b: 5, c: 3 },
      ]) {
        const { a, b, c } = sizes;
        const results = await engine.run({
          x: { dtype: 'int64', shape: [a, b, c], data: new BigInt64Array(a * b * c) },
        });
        for (const [i, one] of shapes.entries()) {
          const [wanted, value] = [onNumbers(one, sizes), onNumbers(values[i]!, sizes)];
          const size = Number(wanted - floorDiv(wanted, 97n) * 97n) + 1;
          const { shape, data } = results[`rule${i}`]!;
          expect([i, sizes, shape, data[0], data.at(-1)]).toEqual([i, sizes, [size], value, value]);
          compared++;
        }
      }
      reportFigure('rules compared', compared);
    });
  },
  { suite: 'plugins', files: ['test/gpu/plugin-expressions.test.ts'] },
);
