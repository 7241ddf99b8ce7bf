import { expect, test } from 'vitest';
import { snapshot } from '../../../src/dsl/snapshot.js';
import { float32, foldBatchNorm, type Network, network, parseWeights, type Weights } from '../../../src/index.js';
import { complete, digestOf } from '../../../src/tensorrt/refit/complete.js';
import { fromJSON, toJSON } from '../../../src/tensorrt/refit/json.js';
import { type RefitOptions, refitPlanOf } from '../../../src/tensorrt/refit/plan.js';

const shapes = {
  'conv.weight': [4, 2, 3, 3],
  'bn.weight': [4],
  'bn.bias': [4],
  'bn.running_mean': [4],
  'bn.running_var': [4],
  'fc.weight': [3, 4],
  'fc.bias': [3],
};

/** Safetensors by hand. */
function store(): Promise<Weights> {
  let at = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const from = at;
    at += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [from, at] }];
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  const values = Float32Array.from({ length: at / 4 }, (_, i) => 1 + Math.sin(i) / 2);
  return parseWeights(Buffer.concat([head, text, Buffer.from(values.buffer)]), 'model.safetensors');
}

function record(w: Weights): Network {
  const net = network('n', { x: float32(1, 2, 8, 8) });
  const folded = foldBatchNorm(w.layer('conv'), { ...w.layer('bn') });
  net
    .conv2d(folded)
    .mean({ axes: [2, 3] })
    .linear(w.layer('fc'))
    .mul(2)
    .add({ name: 'mine', shape: [3], data: Float32Array.of(1, 2, 3) })
    .output('y');
  net.constant(w.get('fc.weight').reshape([4, 3])).output('same');
  net.constant(w.get('fc.weight').transpose()).output('turned');
  net.constant(w.get('fc.bias').as('float16')).output('half');
  return net;
}

const planOf = (net: Network, options: RefitOptions) => refitPlanOf(snapshot(net), options)!;
const named = (net: Network, options: RefitOptions) => planOf(net, options).plan.weights.map(({ name }) => name);

test('every weight has a name of its own: as in the file only if nothing was done to it', async () => {
  const net = record(await store());
  const fromFile = [
    'conv.weight:foldBatchNorm',
    'conv.weight:foldBatchNorm.bias',
    'fc.weight',
    'fc.bias',
    'fc.weight:transpose',
    'fc.bias:float16',
  ];
  const all = named(net, { refit: true });
  expect(all.filter((name) => fromFile.includes(name)).sort()).toEqual([...fromFile].sort());
  expect(new Set(all).size).toBe(all.length);
  expect(all).toContain('mine');
  expect(named(net, { refitIndividual: true }).sort()).toEqual([...fromFile].sort());
  expect(named(net, { refitIndividual: ['bn.bias', 'mine'] }).sort()).toEqual([...fromFile.slice(0, 2), 'mine'].sort());
  expect(refitPlanOf(snapshot(net), {})).toBeUndefined();
  // The same elements are one weight to TensorRT, under one name.
  const { weights } = planOf(net, { refit: true });
  expect(weights.filter(({ name }) => name === 'fc.weight')).toHaveLength(2);
});

test('weights of two files are told apart', async () => {
  const [a, b] = [await store(), await store()];
  const net = network('n', { x: float32(3) });
  net.tensor('x').add(a.get('fc.bias')).add(b.get('fc.bias')).output('y');
  expect(named(net, { refit: true })).toEqual(['fc.bias', 'fc.bias#2']);
});

test('a copy with other elements has no recipe', async () => {
  const w = await store();
  const net = network('n', { x: float32(3) });
  const { name, dtype, shape, file, data, origin } = w.get('fc.bias');
  net
    .tensor('x')
    .add({ name, dtype, shape, file, origin, data: Float32Array.of(1, 2, 3) })
    .output('y');
  net.tensor('x').add({ name, dtype, shape, file, origin, data }).output('z');
  const [changed, same] = planOf(net, { refit: true }).plan.weights;
  expect([changed!.recipe, same!.recipe]).toEqual([undefined, { source: 'fc.bias', file, shape }]);
});

test('as JSON it is the same', async () => {
  const { plan, weights } = planOf(record(await store()), { refit: true, stripPlan: true });
  const whole = await complete(plan, weights);
  expect(whole.stripped).toBe(true);
  for (const { recipe, sha256, elements } of whole.weights) expect(!recipe).toBe(sha256 === undefined && !!elements);
  const fc = whole.weights.find(({ name }) => name === 'fc.bias')!;
  expect(fc.sha256).toBe(await digestOf((await store()).get('fc.bias').bytes));
  expect(fromJSON(JSON.parse(JSON.stringify(toJSON(whole))))).toEqual(whole);
});

test.each([
  [null],
  [{}],
  [{ version: 2, mode: 'all', stripped: false, weights: [] }],
  [{ version: 1, mode: 'some', stripped: false, weights: [] }],
  [{ version: 1, mode: 'all', stripped: false, weights: [{ name: 'a', dtype: 'float32', shape: [-1] }] }],
  [{ version: 1, mode: 'all', stripped: false, weights: [{ name: 'a', dtype: 'float32', shape: [1], recipe: 3 }] }],
  [
    {
      version: 1,
      mode: 'all',
      stripped: false,
      weights: [
        { name: 'a', dtype: 'float32', shape: [1], recipe: { step: 'toString', of: {}, with: {}, part: 'weight' } },
      ],
    },
  ],
])('what is no plan is refused: %j', (json) => {
  expect(() => fromJSON(json)).toThrow(expect.objectContaining({ code: 'ERR_REFIT' }));
});

test('steps nested without end are refused', () => {
  let recipe: unknown = { source: 'a', file: 'f' };
  for (let i = 0; i < 10_000; i++)
    recipe = { step: 'reshape', of: { weight: recipe }, with: { shape: [1] }, part: 'weight' };
  const json = {
    version: 1,
    mode: 'all',
    stripped: false,
    weights: [{ name: 'a', dtype: 'float32', shape: [1], recipe }],
  };
  expect(() => fromJSON(json)).toThrow(expect.objectContaining({ code: 'ERR_REFIT' }));
});

test('TensorRT is told the names', async () => {
  const net = record(await store());
  const { options } = await net.check({ refitIndividual: true });
  // Bytes in memory are copied for each of the two that share them here.
  const told = options.refitIndividual!.filter((name) => name !== 'fc.weight#2');
  expect(told).toEqual(named(net, { refitIndividual: true }));
  expect((await net.check({ refitIndividual: ['conv.weight'] })).options.refitIndividual).toEqual([
    'conv.weight:foldBatchNorm',
    'conv.weight:foldBatchNorm.bias',
  ]);
  await expect(net.check({ refitIndividual: ['bn.biass'] })).rejects.toThrow(/did you mean 'bn.bias'/);
});
