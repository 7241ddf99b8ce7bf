import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { signaturesFile, signaturesText } from '../../scripts/signatures.js';
import { TensorSource } from '../../src/dsl/tensor.js';
import * as api from '../../src/index.js';
import { bool, float32, int32, Network, network, type Tensor, type WeightLike } from '../../src/index.js';
import { functionCalls, methodCalls } from '../../src/layers/calls/signatures.generated.js';
import { layerTable } from '../../src/layers/table.js';
import { moduleFunctions } from '../../src/modules/table.js';
import { runtimeMethods } from '../../src/network-methods.js';
import { refusal } from '../refusal.js';

type Loose = Record<string, (...args: unknown[]) => unknown>;
const loose = (value: object) => value as unknown as Loose;

const net = network('options', { x: float32('batch', 4, 8, 8) });
const x = net.tensor();
const functions = loose(api);

const message = (call: () => unknown): string => {
  const error = refusal(call);
  expect(error.code).toBe('ERR_PARAMETER');
  expect(error.source?.file).toContain('options.test');
  return error.message.split('\n')[0]!;
};

const weightOf = (shape: number[], name?: string): WeightLike => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  ...(name !== undefined && { name }),
});

describe('generated signatures', () => {
  test('are what `npm run signatures` writes', () => {
    expect(readFileSync(signaturesFile, 'utf8')).toBe(signaturesText());
  }, 60_000);

  test('are of all methods and functions, and of nothing else', () => {
    const runtime = Object.keys(runtimeMethods);
    const methods = [...Object.keys(TensorSource.prototype), ...Object.keys(Network.prototype)];
    expect(Object.keys(methodCalls).sort()).toEqual(methods.filter((name) => !runtime.includes(name)).sort());
    const ofLayers = layerTable.flatMap((row) => Object.keys(row.functions ?? {}));
    expect(Object.keys(functionCalls).sort()).toEqual([...ofLayers, ...Object.keys(moduleFunctions)].sort());
  });
});

/** Arguments up to the options, and where they go. */
const calls = [
  ...Object.entries(methodCalls).map(([name, call]) => ({ name, call, method: loose(net)[name]!.bind(net) })),
  ...Object.entries(functionCalls).map(([name, call]) => ({ name: `${name}()`, call, method: functions[name]! })),
].map(({ name, call, method }) => ({ name, call, method, at: call.findIndex(({ options }) => options) }));

describe.each(calls.filter(({ at }) => at >= 0))('$name', ({ name, call, method, at }) => {
  const before = Array(at).fill(undefined);
  const called = name.replace('()', '');

  test('refuses an unknown option', () => {
    for (const value of [1, undefined]) {
      expect(message(() => method(...before, { nonsense: value }))).toMatch(
        new RegExp(`^${called}: unknown option 'nonsense'; (expected .*[\\w*]|did you mean '\\w+'\\?)$`),
      );
    }
  });

  test('refuses what is no options', () => {
    const values = [
      1,
      'text',
      true,
      null,
      [1],
      new Float32Array(2),
      x,
      weightOf([2]),
      new Map(),
      () => {},
      Symbol('x'),
    ];
    for (const value of call[at]!.value ? [] : values) {
      expect(message(() => method(...before, value))).toMatch(
        new RegExp(`^${called}: expected options such as \\{ .* \\}, given `),
      );
    }
  });

  test('refuses arguments without a parameter', () => {
    if (call.some(({ rest }) => rest)) return;
    const many = Array(call.length + 1).fill(undefined);
    expect(message(() => method(...many))).toMatch(
      new RegExp(`^${called}: expected at most ${call.length} arguments?, ${called}\\(.*\\), given ${many.length}$`),
    );
  });
});

describe('methods without options', () => {
  test.each(calls.filter(({ at, call }) => at < 0 && !call.some(({ rest }) => rest)))('$name', ({ call, method }) => {
    expect(message(() => method(...Array(call.length + 1).fill(0)))).toContain('expected at most');
  });
});

describe('what other frameworks say is refused, with the name here:', () => {
  const weight = weightOf([4, 4, 1, 1]);
  test.each<[string, unknown[], string | RegExp]>([
    ['conv2d', [{ weight, strides: 2 }], "unknown option 'strides'; did you mean 'stride'?"],
    ['conv2d', [{ weight, pads: 1 }], "unknown option 'pads'; did you mean 'padding'?"],
    ['conv2d', [{ weight, group: 1 }], "unknown option 'group'; did you mean 'groups'?"],
    [
      'convTranspose2d',
      [{ weight, output_padding: 1 }],
      "unknown option 'output_padding'; did you mean 'outputPadding'?",
    ],
    ['softmax', [{ dim: 1 }], "unknown option 'dim'; did you mean 'axis'?"],
    ['softmax', [1], 'expected options such as { axis }, given 1'],
    ['sum', [1], 'expected options such as { axes, axis, keepDims }, given 1'],
    ['mean', [[2, 3]], 'expected options such as { axes, axis, keepDims }, given [ 2, 3 ]'],
    ['mean', [{ keepdim: true }], "unknown option 'keepdim'; did you mean 'keepDims'?"],
    ['mean', [{ keepdims: true }], "unknown option 'keepdims'; did you mean 'keepDims'?"],
    ['concat', [x, { dim: 1 }], "unknown option 'dim'; did you mean 'axis'?"],
    ['elu', [0.5], 'expected options such as { alpha }, given 0.5'],
    ['leakyRelu', [{ alpha: 0.5 }], "unknown option 'alpha'; did you mean 'negativeSlope'?"],
    ['clamp', [0, 1], 'expected at most 1 argument, clamp({ min, max }), given 2'],
    ['clamp', [{ min_val: 0 }], "unknown option 'min_val'; did you mean 'min'?"],
    ['gelu', ['tanh'], "expected options such as { approximate }, given 'tanh'"],
    ['pad', [[1, 1, 1, 1]], /^pad: expected options such as { padding, .* }, given \[ 1, 1, 1, 1 \]$/],
    ['flatten', [{ start_dim: 2 }], "unknown option 'start_dim'; did you mean 'startDim'?"],
    ['layerNorm', [{ epsilon: 1e-6 }], "unknown option 'epsilon'; did you mean 'eps'?"],
    ['batchNorm', [{ epsilon: 1e-6 }], "unknown option 'epsilon'; did you mean 'eps'?"],
    ['chunk', [2, 1], 'expected options such as { axis }, given 1'],
    ['permute', [[0, 1, 2, 3], 1], 'expected options such as { name }, given 1'],
    ['reshape', [4, 8, 8], 'expected at most 2 arguments, reshape(dims, { zeroIsPlaceholder }), given 3'],
    ['maxPool2d', [{ kernel_size: 2 }], "unknown option 'kernel_size'; did you mean 'kernel'?"],
    ['maxPool2d', [{ kernel: 2, dilation: 2 }], "unknown option 'dilation'; expected kernel, "],
    ['interpolate', [{ align_corners: true }], "unknown option 'align_corners'; did you mean 'alignCorners'?"],
    ['lstm', [{ batch_first: true }], "unknown option 'batch_first'; did you mean 'batchFirst'?"],
    ['linear', [{ weight: weightOf([2, 8]), b: weightOf([2]) }], "unknown option 'b'; did you mean 'bias'?"],
    ['matmul', [x, { transB: true }], "unknown option 'transB'; did you mean 'transposeB'?"],
    ['conv2d', [{ wieght: weight }], "unknown option 'wieght'; did you mean 'weight'?"],
    ['conv2d', [weight], /^conv2d: expected options such as { weight, .* }, given a weight$/],
    ['relu', [x], 'expected options such as { name }, given Tensor(x: float32[batch, 4, 8, 8])'],
    ['attention', [x, x, { quantize: { dtype: 'int8' } }], "quantize: unknown option 'dtype'; did you mean 'to'?"],
    ['moe', [{ swiglu: { max: 1 } }], "swiglu: unknown option 'max'; expected limit, alpha, beta"],
    [
      'loop',
      [{ iterate: { x: { tensor: x, dim: 1 } } }, () => ({})],
      "iterate.x: unknown option 'dim'; did you mean 'axis'?",
    ],
  ])('%s %#', (method, args, expected) => {
    const given = message(() => loose(net)[method]!(...args));
    if (typeof expected === 'string') expect(given).toContain(`${method}: ${expected}`);
    else expect(given).toMatch(expected);
  });

  test('functions', () => {
    expect(message(() => functions.concat!([x, x], { dim: 1 }))).toContain("did you mean 'axis'?");
    expect(message(() => functions.concat!([x, x], 1))).toContain('expected options such as { axis }, given 1');
    expect(message(() => functions.einsum!('i->i', [x], x))).toContain('expected options such as { name }');
    expect(message(() => functions.where!(x, x, x, { names: 'w' }))).toContain("did you mean 'name'?");
  });

  test('the error says what is known', () => {
    const error = refusal(() => loose(x).softmax!({ dim: 1 }));
    expect(error).toMatchObject({ expected: ['axis', 'name'], actual: 'dim' });
  });
});

describe('tensors of a layer in a file', () => {
  const layer = (prefix: string, shapes: Record<string, number[]>): object =>
    Object.assign(
      Object.create(null),
      Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, weightOf(shape, `${prefix}.${key}`)])),
    );

  test('more of them than the method takes are let through', () => {
    const conv = layer('conv1', { weight: [6, 4, 3, 3], bias: [6], foo: [1] });
    expect(loose(x).conv2d!(conv)).toMatchObject({ shape: ['batch', 6, 6, 6] });
    expect(loose(x).conv2d!({ ...conv, stride: 2 })).toMatchObject({ shape: ['batch', 6, 3, 3] });
    expect(loose(x).linear!(layer('fc', { weight: [2, 8], bias: [2], foo: [1] }))).toMatchObject({
      shape: ['batch', 4, 8, 2],
    });
    const statistics = { running_mean: [4], running_var: [4], num_batches_tracked: [] };
    const norm = layer('bn', { weight: [4], bias: [4], ...statistics, foo: [1] }) as { running_var: WeightLike };
    (norm.running_var.data as Float32Array).fill(1);
    expect(loose(x).batchNorm!(norm)).toMatchObject({ shape: x.shape });
    const cell = { weight_ih_l0: [8, 3], weight_hh_l0: [8, 2], bias_ih_l0: [8], bias_hh_l0: [8], foo: [1] };
    const sequence = network('lstm', { x: float32(5, 1, 3) });
    expect(loose(sequence).lstm!(layer('lstm', cell))).toMatchObject({ output: { shape: [5, 1, 2] } });
  });

  test('not where one is called what another framework calls a known option', () => {
    for (const [key, ours] of Object.entries({ gamma: 'weight', beta: 'bias' })) {
      expect(message(() => loose(x).layerNorm!(layer('ln', { [key]: [8] })))).toContain(
        `unknown option '${key}'; did you mean '${ours}'?`,
      );
    }
  });

  test('not under a name of one’s own', () => {
    const given = { weight: weightOf([2, 8], 'fc.weight'), offset: weightOf([2], 'fc.bias') };
    expect(message(() => loose(x).linear!(given))).toContain("unknown option 'offset'; expected weight, ");
  });
});

describe('objects of any make', () => {
  class Options {
    axis = 1;
  }
  class Getters {
    get axis() {
      return 1;
    }
  }
  test.each<[string, object]>([
    ['without a prototype', Object.assign(Object.create(null), { axis: 1 })],
    ['an instance of a class', new Options()],
    ['getters of a class', new Getters()],
    [
      'a getter of its own',
      {
        get axis() {
          return 1;
        },
      },
    ],
    ['a proxy', new Proxy({ axis: 1 }, {})],
    ['inherited', Object.create({ axis: 1 })],
    ['a symbol beside', { axis: 1, [Symbol('mine')]: 1 }],
    ['frozen', Object.freeze({ axis: 1 })],
  ])('%s', (_, options) => {
    const fresh = network('objects', { x: float32(2, 3) });
    loose(fresh).softmax!(options);
    expect(fresh.graph.nodes[0]!.params).toEqual({ axis: 1 });
  });

  test('unknown names that mean something to JavaScript', () => {
    for (const key of ['constructor', 'toString', 'length', '*', '', 'a'.repeat(100_000)]) {
      expect(message(() => loose(x).softmax!({ [key]: 1 })).length).toBeLessThan(300);
    }
    expect(message(() => loose(x).softmax!(JSON.parse('{"__proto__": 1}')))).toContain("unknown option '__proto__'");
  });
});

test('callbacks are checked as well, composites call as they like', () => {
  const fresh = network('nested', { x: float32(2, 3), go: bool() });
  const [inner, go] = fresh.inputs as [Tensor, Tensor];
  expect(
    message(() =>
      fresh.if(
        go,
        () => loose(inner).softmax!({ dim: 1 }) as Tensor,
        () => inner,
      ),
    ),
  ).toContain("'axis'");
  expect(
    network('composite', { x: int32(4) })
      .tensor()
      .cast('float32')
      .silu({ name: 'act' }).shape,
  ).toEqual([4]);
});
