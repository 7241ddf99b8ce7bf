import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import {
  batchNormScale,
  difference,
  foldBatchNorm,
  loadWeights,
  lstmFromTensorFlow,
  lstmToTensorFlow,
  parseWeights,
  reorderGates,
  saveSafetensors,
  splitQkv,
  Weight,
  weight,
} from '../../src/weights/index.js';
import { failure, fixture, fixtureBytes, safetensors } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-refusals-'));
const f32 = (...shape: number[]): Weight =>
  weight(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape, 'float32', 'fc.weight');
const nothing = undefined as never;
const empty = null as never;

// What is refused, with which code, and what the message must tell.
const cases: [string, () => unknown, string, RegExp][] = [
  [
    'foldBatchNorm of nothing',
    () => foldBatchNorm(nothing, {}),
    'ERR_INPUT',
    /foldBatchNorm: expected \{ weight, bias\? \} as a layer, given undefined/,
  ],
  [
    'foldBatchNorm by nothing',
    () => foldBatchNorm({ weight: f32(2, 2) }, nothing),
    'ERR_INPUT',
    /weights of a batch norm, given undefined/,
  ],
  [
    'foldBatchNorm by a layer',
    () => foldBatchNorm({ weight: f32(2, 2) }, { weight: f32(2) }),
    'ERR_WEIGHTS_NAME',
    /running_mean and running_var, given fc\.weight/,
  ],
  [
    'foldBatchNorm on a far axis',
    () => foldBatchNorm({ weight: f32(2) }, { running_mean: f32(2), running_var: f32(2) }, { axis: 3 }),
    'ERR_WEIGHTS_SHAPE',
    /fc\.weight of shape \[2\] has no axis 3/,
  ],
  ['batchNormScale of null', () => batchNormScale(empty), 'ERR_INPUT', /given null/],
  [
    'batch norm of arrays',
    () => batchNormScale({ running_mean: [1] as never, running_var: [1] as never }),
    'ERR_INPUT',
    /expected a weight, given \[ 1 \]/,
  ],
  [
    'splitQkv of nothing',
    () => splitQkv({} as never),
    'ERR_INPUT',
    /splitQkv: expected \{ weight, bias\? \} as a fused projection, or an attention's in_proj_weight, given \{\}/,
  ],
  [
    'splitQkv of 4 outputs',
    () => splitQkv({ weight: f32(2, 4) }, { axis: -1 }),
    'ERR_WEIGHTS_SHAPE',
    /fc\.weight of shape \[2, 4\] has 4 outputs on axis 1, which do not divide into three equal parts/,
  ],
  [
    'splitQkv by other sizes',
    () => splitQkv({ weight: f32(6, 2) }, { sizes: [2, 2, 1] }),
    'ERR_WEIGHTS_SHAPE',
    /do not divide into sizes \[2, 2, 1\]/,
  ],
  [
    'splitQkv by heads that do not fit',
    () => splitQkv({ weight: f32(6, 2) }, { interleavedHeads: 4 }),
    'ERR_WEIGHTS_SHAPE',
    /three equal parts of 4 heads/,
  ],
  [
    'splitQkv with a short bias',
    () => splitQkv({ weight: f32(6, 2), bias: f32(5) }),
    'ERR_WEIGHTS_SHAPE',
    /expected shape \[6\], given \[5\]/,
  ],
  [
    'lstmToTensorFlow of nothing',
    () => lstmToTensorFlow(nothing),
    'ERR_WEIGHTS_NAME',
    /expected weight_ih_l0 and weight_hh_l0, given undefined/,
  ],
  [
    'lstmToTensorFlow of a missing layer',
    () => lstmToTensorFlow({ weight_ih_l0: f32(4, 1), weight_hh_l0: f32(4, 1) }, { layer: 1, reverse: true }),
    'ERR_WEIGHTS_NAME',
    /expected weight_ih_l1_reverse and weight_hh_l1_reverse, given weight_ih_l0, weight_hh_l0/,
  ],
  [
    'lstmFromTensorFlow of null',
    () => lstmFromTensorFlow(empty),
    'ERR_INPUT',
    /lstmFromTensorFlow: kernel: expected a weight, given undefined/,
  ],
  ['reorderGates of null', () => reorderGates(empty, 'if', 'fi'), 'ERR_INPUT', /expected a weight, given null/],
  ['reorderGates by null', () => reorderGates(f32(2), empty, 'fi'), 'ERR_WEIGHTS_NAME', /given null and 'fi'/],
  ['Weight.concat of null', () => Weight.concat(empty), 'ERR_INPUT', /expected a list of weights, given null/],
  [
    'reshape by null',
    () => f32(2).reshape(empty),
    'ERR_WEIGHTS_SHAPE',
    /fc\.weight: reshape: expected a list of numbers, given null/,
  ],
  [
    'transpose by null',
    () => f32(2).transpose(empty),
    'ERR_WEIGHTS_SHAPE',
    /transpose: expected a list of numbers, given null/,
  ],
  ['split by null', () => f32(2).split(empty), 'ERR_WEIGHTS_SHAPE', /split: expected a list of numbers, given null/],
  ['split by zero', () => f32(2).split(0), 'ERR_WEIGHTS_SHAPE', /expected a size of at least 1, given 0/],
  [
    'split on a far axis',
    () => f32(2).split([2], 1),
    'ERR_WEIGHTS_SHAPE',
    /fc\.weight of shape \[2\] cannot be split along axis 1: it has 1 axes/,
  ],
  ['weight of null', () => weight(empty), 'ERR_INPUT', /expected a typed array and a shape, given null/],
  ['difference of null', () => difference(f32(1), empty), 'ERR_INPUT', /expected two weights, given .* and null/],
  [
    'difference of shapes',
    () => difference(f32(3), f32(2)),
    'ERR_WEIGHTS_SHAPE',
    /given fc\.weight of \[3\] and fc\.weight of \[2\]/,
  ],
  ['difference of as many elements', () => difference(f32(2, 3), f32(3, 2)), 'ERR_WEIGHTS_SHAPE', /one shape/],
  [
    'as an unfit dtype',
    () => weight(new Float32Array([1.5]), [1], 'float32', 'x').as('int8'),
    'ERR_WEIGHTS_CONVERT',
    /x: element 0 does not fit int8/,
  ],
];

test.each(cases)('%s', async (_, run, code, message) => {
  const error = await failure(run);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.source?.file).toBe(import.meta.filename);
  expect(error.message).toContain(`recorded at ${import.meta.filename}`);
});

test('errors of a store say where it was asked', async () => {
  using w = await loadWeights(fixture('checkpoint.pt'));
  const scope = w.scope('state_dict');
  for (const ask of [
    () => w.get('state_dict.conv.wieght'),
    () => w.get('state_dict.conv.weight', { shape: [1] }),
    () => w.get('state_dict.conv.weight', { shape: 5 as never }),
    () => w.get('state_dict.conv.weight', { shapes: [1] } as never),
    () => w.get('state_dict.conv.weight', { dtype: 'fp16' as never }),
    () => w.as('half' as never),
    () => w.layer('conv'),
    () => w.scope('nowhere'),
    () => w.scope(5 as never),
    () => w.rename(null as never),
    () => w.rename(() => 5 as never),
    () => w.rename(() => 'same'),
    () => scope.strict({}),
    () => scope.strict(5 as never),
    () => scope.strict({ 'conv.weight': 5 as never }),
  ]) {
    const { code, source } = await failure(ask);
    expect(code).toMatch(/^ERR_WEIGHTS_|^ERR_INPUT$/);
    expect(source?.file, String(ask)).toBe(import.meta.filename);
  }
  expect((await failure(() => w.get('state_dict.conv.weight', { shape: [1] }))).message).toContain(
    `state_dict.conv.weight of ${fixture('checkpoint.pt')}: expected shape [1], the file has [3, 2, 3, 3]`,
  );
});

test('strict names tensors in full, and overlooks the counts of batch norms unless told not to', async () => {
  using w = await loadWeights(fixture('checkpoint.pt'));
  const bn = w.scope('state_dict').scope('bn');
  const shapes = { weight: [3], bias: [3], running_mean: [3], running_var: [3] };
  bn.strict(shapes);
  const error = await failure(() => bn.strict({ ...shapes, bias: [4], gamma: [3] }, { ignore: [] }));
  expect(error.message.split('\n').slice(1, 4)).toEqual([
    '  missing state_dict.bn.gamma',
    '  misshapen state_dict.bn.bias: expected [4], the file has [3]',
    '  unused state_dict.bn.num_batches_tracked',
  ]);
  for (const name of Object.keys(shapes)) bn.get(name);
  bn.strict();
  expect(bn.unused()).toEqual(['num_batches_tracked']);
  expect((await failure(() => bn.strict({}, { ignore: ['weight', 'bias'] }))).message).not.toContain('bn.weight');
});

test('options that there are not are refused, with the nearest', async () => {
  using w = await loadWeights(fixture('checkpoint.pt'));
  const scope = w.scope('state_dict');
  const asked: [() => unknown, RegExp][] = [
    [
      () => scope.strict(undefined, { ignored: ['bn'] } as never),
      /^strict: there is no option 'ignored'; there is ignore; did you mean 'ignore'\?/,
    ],
    [() => scope.strict({}, null as never), /^strict: expected options, given null/],
    [() => scope.strict({}, { ignore: 'bn' as never }), /^strict: ignore: expected a list of names, given 'bn'/],
    [() => scope.as('float16', { overflw: 'infinity' } as never), /^as: there is no option 'overflw'/],
    [
      () => scope.get('conv.weight').as('float16', { overflw: 'infinity' } as never),
      /^as: there is no option 'overflw'/,
    ],
  ];
  for (const [ask, message] of asked) {
    const error = await failure(ask);
    expect(error.message).toMatch(message);
    expect([error.code, error.source?.file]).toEqual(['ERR_PARAMETER', import.meta.filename]);
  }
  const first = await failure(() => scope.strict({ ignore: ['bn'] } as never));
  expect([first.code, first.message]).toEqual([
    'ERR_INPUT',
    expect.stringContaining("Expected the shape of 'ignore', given [ 'bn' ]; options are the second argument"),
  ]);
});

test('strict ignores whole parts of names, at their end or beginning', async () => {
  using w = await loadWeights(fixture('checkpoint.pt'));
  const state = w.scope('state_dict');
  const ignoring = async (...ignore: string[]) => (await failure(() => state.strict({}, { ignore }))).message;
  expect(await ignoring('bn')).toContain('unused state_dict.conv.weight');
  expect(await ignoring('bn')).not.toContain('state_dict.bn.');
  expect(await ignoring('conv.weight', 'running_mean')).not.toMatch(/conv\.weight|running_mean/);
  expect(await ignoring('b', 'n', 'eight', 'n.bias')).toContain('unused state_dict.bn.weight');
  expect(await ignoring('b', 'n', 'eight', 'n.bias')).toContain('unused state_dict.bn.bias');
});

test('a folder: what to load in it', async () => {
  const ask = async (dir: string): Promise<string> => {
    const error = await failure(() => loadWeights(dir));
    expect(error.code).toBe('ERR_WEIGHTS_FILE');
    return error.message;
  };
  const sharded = join(folder, 'sharded');
  mkdirSync(sharded);
  expect(await ask(sharded)).toMatch(/is a folder; expected a weight file$/);
  writeFileSync(join(sharded, 'model.safetensors'), '');
  expect(await ask(sharded)).toContain(`did you mean ${join(sharded, 'model.safetensors')}?`);
  writeFileSync(join(sharded, 'pytorch_model.bin'), '');
  expect(await ask(sharded)).toMatch(/it holds model\.safetensors, pytorch_model\.bin$/);
  writeFileSync(join(sharded, 'model.safetensors.index.json'), '');
  expect(await ask(sharded)).toContain(`did you mean ${join(sharded, 'model.safetensors.index.json')}?`);
});

test('metadata that the official reader refuses is not written', async () => {
  const path = join(folder, 'metadata.safetensors');
  for (const metadata of [{ k: 5 }, { k: null }, { k: {} }, { k: '\ud800' }, { '\udc00': 'v' }, [], null, 5]) {
    const error = await failure(() => saveSafetensors(path, { a: f32(1) }, metadata as never));
    expect([error.code, metadata]).toEqual(['ERR_INPUT', metadata]);
  }
  for (const tensors of [null, undefined, 5, { a: 5 }, { a: null }, new Map([[5, f32(1)]])]) {
    expect((await failure(() => saveSafetensors(path, tensors as never))).code).toBe('ERR_INPUT');
  }
  expect((await failure(() => saveSafetensors(empty, { a: f32(1) }))).code).toBe('ERR_WEIGHTS_FILE');
  expect(readdirSync(folder).filter((name) => name.startsWith('metadata'))).toEqual([]);
});

test('64-bit integers are compared exactly', () => {
  const i64 = (...values: bigint[]) => weight(BigInt64Array.from(values));
  const u64 = (...values: bigint[]) => weight(BigUint64Array.from(values));
  expect(difference(i64(2n ** 53n + 1n, 5n), i64(2n ** 53n, 5n))).toEqual({ count: 1, maxAbs: 1 });
  expect(difference(u64(2n ** 64n - 1n), u64(2n ** 64n - 3n))).toEqual({ count: 1, maxAbs: 2 });
  expect(difference(i64(-1n), u64(2n ** 64n - 1n))).toEqual({ count: 1, maxAbs: 2 ** 64 });
  expect(difference(i64(2n ** 53n + 1n), weight(new Float64Array([2 ** 53])))).toEqual({ count: 1, maxAbs: 1 });
  expect(difference(weight(new Float32Array([3, NaN, 0.5])), i64(3n, 0n, 1n))).toEqual({ count: 2, maxAbs: Infinity });
  expect(difference(i64(3n), weight(new Int32Array([3])))).toEqual({ count: 0, maxAbs: 0 });
});

test("split by a size, as PyTorch's", () => {
  const pieces = weight(new Float32Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [2, 5]).split(2, -1);
  expect(pieces.map(({ shape, data }) => [shape, [...data]])).toEqual([
    [
      [2, 2],
      [0, 1, 5, 6],
    ],
    [
      [2, 2],
      [2, 3, 7, 8],
    ],
    [
      [2, 1],
      [4, 9],
    ],
  ]);
  expect(
    f32(3)
      .split(8)
      .map((p) => p.shape),
  ).toEqual([[3]]);
  expect(
    f32(0, 3)
      .split(4)
      .map((p) => p.shape),
  ).toEqual([[0, 3]]);
});

test("an LSTM's layer as it lies in the file", async () => {
  const names = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'];
  const of = (suffix: string, at: number) =>
    Object.fromEntries(
      names
        .map((name, i) => [name + suffix, f32(8, i < 2 ? 2 : 1).reshape(i < 2 ? [8, 2] : [8])])
        .map(([name, w]) => [
          name,
          weight(
            (w as Weight).toFloat32().map((_, i) => i + at),
            (w as Weight).shape,
          ),
        ]),
    ) as Record<string, Weight>;
  const [first, second, back] = [of('_l0', 0), of('_l1', 100), of('_l1_reverse', 200)];
  const plain = of('', 100) as never;
  const kernel = (cell: { kernel: Weight; bias: Weight }) => [[...cell.kernel.data], [...cell.bias.data]];
  const all = { ...first, ...second, ...back };
  expect(kernel(lstmToTensorFlow(all, { layer: 1 }))).toEqual(kernel(lstmToTensorFlow(plain)));
  expect(kernel(lstmToTensorFlow(all))).toEqual(kernel(lstmToTensorFlow(of('', 0) as never)));
  expect(kernel(lstmToTensorFlow(all, { layer: 1, reverse: true }))).toEqual(
    kernel(lstmToTensorFlow(of('', 200) as never)),
  );
  const header = { 'lstm.weight_ih_l0': [8, 2], 'lstm.weight_hh_l0': [8, 2] };
  let at = 0;
  const entries = Object.entries(header).map(([name, shape]) => {
    at += 64;
    return [name, { dtype: 'F32', shape, data_offsets: [at - 64, at] }];
  });
  using w = await parseWeights(safetensors(Object.fromEntries(entries), 128));
  expect(lstmToTensorFlow(w.layer('lstm')).kernel.shape).toEqual([4, 8]);
});

test('the type of a layer promises no more than a layer holds', async () => {
  using w = await parseWeights(fixtureBytes('bf16.safetensors'));
  const layer = w.layer('layer');
  expectTypeOf(layer.weight).toEqualTypeOf<Weight>();
  expectTypeOf(layer.anything).toEqualTypeOf<Weight | undefined>();
  // @ts-expect-error a layer need not have it
  const other: { foo: Weight } = layer;
  expect(other.foo).toBeUndefined();
});
