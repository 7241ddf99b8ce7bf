import { expect, test } from 'vitest';
import { float32, network } from '../../src/index.js';
import { activation } from '../../src/layers/kinds/activation.js';
import { identity } from '../../src/layers/kinds/identity.js';
import { expectRefusal } from '../layers/harness.js';

// Parameters that come again are not parsed again: what is recorded must not show it.
const input = () => network('n', { x: float32(1, 2, 8, 8) }).tensor();
type Chain = ReturnType<typeof input>;
const paramsOf = ({ network: net }: Chain) => net.graph.nodes.map(({ params }) => params);
const relu = (x: Chain, params: unknown) =>
  x.network.record(activation, { inputs: [x], params: params as { type: 'relu'; alpha: number; beta: number } });

test('equal parameters are one frozen object, in other networks too', () => {
  const [a, b] = [input(), input()];
  a.maxPool({ kernel: 2, padding: 1 }).maxPool({ kernel: [2, 2], stride: 2, padding: [1, 1] });
  b.maxPool({ kernel: 2, padding: 1 });
  const [first, second, third] = [...paramsOf(a), ...paramsOf(b)];
  expect(second).toBe(first);
  expect(third).toBe(first);
  expect(Object.isFrozen(first) && Object.isFrozen(first!.kernel)).toBe(true);
});

test('parameters that differ a little are told apart', () => {
  const x = input();
  const slopes = [0, -0, 1, 0.1, 0, -0, 1e-45, 0.1];
  for (const negativeSlope of slopes) x.leakyRelu({ negativeSlope });
  const alphas = paramsOf(x).map(({ alpha }) => alpha);
  expect(alphas.every((alpha, i) => Object.is(alpha, Math.fround(slopes[i]!)))).toBe(true);
  x.maxPool({ kernel: [2, 3] });
  x.maxPool({ kernel: [3, 2] });
  expect(
    paramsOf(x)
      .slice(-2)
      .map(({ kernel }) => kernel),
  ).toEqual([
    [2, 3],
    [3, 2],
  ]);
});

test('of more than are remembered none is mistaken', () => {
  const x = input();
  const slopes = Array.from({ length: 60 }, (_, i) => (i % 20) / 4);
  for (const negativeSlope of slopes) x.leakyRelu({ negativeSlope });
  expect(paramsOf(x).map(({ alpha }) => alpha)).toEqual(slopes);
});

test('what was refused is refused again, and after what it resembles', () => {
  const x = input();
  const good = { type: 'relu', alpha: 0, beta: 0 };
  relu(x, good);
  const bad = [{ ...good, alpha: Number.NaN }, { ...good, gamma: 0 }, { type: 'relu', alpha: 0 }, Object.values(good)];
  for (const params of [...bad, ...bad]) expectRefusal(() => relu(x, params), 'ERR_PARAMETER');
  const undefinedKey = { type: 'relu', alpha: 0, other: undefined };
  expectRefusal(() => relu(x, undefinedKey), 'ERR_PARAMETER');
  x.network.record(identity, { inputs: [x], params: {} });
  for (const params of [[], '', 0, null, undefined]) {
    expectRefusal(() => x.network.record(identity, { inputs: [x], params: params as never }), 'ERR_PARAMETER');
  }
});

test('a getter that changes its mind leaves no trace', () => {
  const x = input();
  let reads = 0;
  for (let i = 0; i < 3; i++) relu(x, { type: 'leaky_relu', alpha: 40, get beta() { return 50 + reads++; } }); // biome-ignore format: one line
  const betas = paramsOf(x).map(({ beta }) => beta as number);
  expect(betas.every((beta) => beta >= 50 && beta < 50 + reads)).toBe(true);
  for (let beta = 50; beta < 50 + reads; beta++) relu(x, { type: 'leaky_relu', alpha: 40, beta });
  expect(
    paramsOf(x)
      .slice(3)
      .map(({ beta }) => beta),
  ).toEqual(Array.from({ length: reads }, (_, i) => 50 + i));
});

test('a list that the caller changes later stays as it was, and so do layers whose JSON is changed', () => {
  const x = input();
  const kernel = [2, 2];
  for (let i = 0; i < 2; i++) x.maxPool({ kernel });
  kernel[0] = 3;
  x.maxPool({ kernel });
  expect(paramsOf(x).map((params) => params.kernel)).toEqual([
    [2, 2],
    [2, 2],
    [3, 2],
  ]);
  const { nodes } = x.network.toJSON();
  (nodes[0]!.params.kernel as number[])[0] = 5;
  expect(nodes[1]!.params.kernel).toEqual([2, 2]);
  expect(x.network.toJSON().nodes[0]!.params.kernel).toEqual([2, 2]);
});
