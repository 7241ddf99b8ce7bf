import { expect, test } from 'vitest';
import { layerKinds } from '../../src/dsl/define-layer.js';
import * as api from '../../src/index.js';
import { bool, float32, int8, int32, type Network, network, Tensor, TensorRTError } from '../../src/index.js';
import type { Call, Options } from '../../src/layers/calls/call.js';
import { functionCalls, methodCalls } from '../../src/layers/calls/signatures.generated.js';
import { refusal } from '../refusal.js';

// Every option and argument of every method is given values that nobody could mean. What is refused names the option as the
// caller wrote it, and no name of TensorRT's that the caller cannot know.

type Loose = Record<string, (...args: unknown[]) => unknown>;

const of = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1) });

interface Start {
  net: Network;
  /** [2, 4, 8, 8] */
  x: Tensor;
  /** Others of the shapes that methods need. */
  vector: Tensor;
  matrix: Tensor;
  flag: Tensor;
  indices: Tensor;
  bytes: Tensor;
}

function start(): Start {
  const net = network('names', {
    x: float32(2, 4, 8, 8),
    vector: float32(8),
    matrix: float32(4, 8),
    flag: bool(2, 4, 8, 8),
    indices: int32(3),
    bytes: int8(2, 4, 8, 8),
    go: bool(),
  });
  const [x, vector, matrix, flag, indices, bytes] = net.inputs as Tensor[];
  return { net, x: x!, vector: vector!, matrix: matrix!, flag: flag!, indices: indices!, bytes: bytes! };
}

const along1 = { kernel: 2 };
const conv = (...kernel: number[]) => ({ weight: of(4, 4, ...kernel), bias: of(4) });
const recurrent = (gates: number, more = {}) => ({
  weight_ih_l0: of(gates * 3, 8),
  weight_hh_l0: of(gates * 3, 3),
  bias_ih_l0: of(gates * 3),
  bias_hh_l0: of(gates * 3),
  ...more,
});
const cube = (net: Network) => net.input('cube', float32(2, 4, 8));
const volume = (net: Network) => net.input('volume', float32(2, 4, 8, 8, 8));
const heads = (net: Network, name: string) => net.input(name, float32(2, 4, 6, 8));

/** What a method is called on, where it is not `x`, and with what it goes through. Methods that are not here need nothing. */
const good: Record<string, (s: Start) => readonly unknown[] | { on: unknown; args: readonly unknown[] }> = {
  activation: () => [{ type: 'relu' }],
  adaptiveAvgPool2d: () => [{ outputSize: 2 }],
  adaptiveMaxPool1d: ({ net }) => ({ on: cube(net), args: [{ outputSize: 2 }] }),
  adaptiveMaxPool2d: () => [{ outputSize: 2 }],
  adaptiveMaxPool3d: ({ net }) => ({ on: volume(net), args: [{ outputSize: 2 }] }),
  all: ({ flag }) => ({ on: flag, args: [{ axis: 1 }] }),
  any: ({ flag }) => ({ on: flag, args: [{ axis: 1 }] }),
  arange: ({ net }) => ({ on: net, args: [4] }),
  assert: ({ net }) => ({ on: net.input('fact', bool()), args: ['holds'] }),
  atan2: ({ x }) => [x],
  attention: ({ net }) => ({ on: heads(net, 'q'), args: [heads(net, 'k'), heads(net, 'v')] }),
  avgPool: () => [along1],
  avgPool1d: ({ net }) => ({ on: cube(net), args: [along1] }),
  avgPool2d: () => [along1],
  avgPool3d: ({ net }) => ({ on: volume(net), args: [along1] }),
  batchNorm: () => [{ running_mean: of(4), running_var: of(4), weight: of(4), bias: of(4) }],
  bmm: ({ net }) => ({ on: cube(net), args: [net.input('b', float32(2, 8, 4))] }),
  cast: () => ['float16'],
  chunk: () => [2, { axis: 1 }],
  clamp: () => [{ min: 0, max: 1 }],
  concat: ({ x }) => [x],
  constant: ({ net }) => ({ on: net, args: [[1, 2]] }),
  conv1d: ({ net }) => ({ on: cube(net), args: [conv(1)] }),
  conv2d: () => [conv(1, 1)],
  conv3d: ({ net }) => ({ on: volume(net), args: [conv(1, 1, 1)] }),
  convTranspose1d: ({ net }) => ({ on: cube(net), args: [conv(1)] }),
  convTranspose2d: () => [conv(1, 1)],
  convTranspose3d: ({ net }) => ({ on: volume(net), args: [conv(1, 1, 1)] }),
  cosineSimilarity: ({ x }) => [x],
  dequantize: ({ bytes }) => ({ on: bytes, args: [{ scale: 1 }] }),
  dim: () => [0],
  dims: ({ net }) => ({ on: net, args: [[1]] }),
  distCollective: () => [{ operation: 'all_reduce', reduce: 'sum' }],
  dynamicQuantize: ({ net }) => ({
    on: net.input('wide', float32(4, 16)),
    args: [{ axis: -1, blockSize: 16, doubleScale: 1 }],
  }),
  einsum: ({ x }) => ['abcd,abcd->ab', x],
  'einsum()': ({ x }) => ['abcd,abcd->ab', [x, x]],
  elementWise: ({ x }) => [x, { operation: 'sum' }],
  embedding: ({ indices }) => ({ on: indices, args: [{ weight: of(5, 2) }] }),
  expand: () => [[2, 4, 8, 8]],
  expandAs: ({ x }) => [x],
  fill: ({ net }) => ({ on: net, args: [[2]] }),
  flip: () => [[1]],
  fmod: ({ x }) => [x],
  fold: ({ net }) => ({ on: net.input('columns', float32(2, 16, 9)), args: [{ outputSize: [4, 4], kernel: 2 }] }),
  full: ({ net }) => ({ on: net, args: [[2], 1] }),
  fullLike: () => [1],
  gather: ({ indices }) => [indices],
  gridSample: ({ net }) => [net.input('grid', float32(2, 3, 3, 2))],
  groupNorm: () => [{ groups: 2, weight: of(4), bias: of(4) }],
  gru: ({ net }) => ({ on: net.input('s', float32(5, 2, 8)), args: [recurrent(3)] }),
  if: ({ net, x }) => ({ on: net, args: [net.inputs.at(-1), () => x.relu(), () => x.neg()] }),
  'imageInput()': ({ net }) => [net, 'image', { height: 4, width: 4, mean: [0, 0, 0], std: 1, batch: 2 }],
  indexSelect: ({ indices }) => [0, indices],
  instanceNorm: () => [{ weight: of(4), bias: of(4) }],
  interpolate: () => [{ size: 4 }],
  kvCacheUpdate: ({ net }) => ({
    on: net.input('cache', float32(2, 4, 6, 8)),
    args: [net.input('update', float32(2, 4, 1, 8)), net.input('positions', int32(2))],
  }),
  layerNorm: () => [{ weight: of(8), bias: of(8) }],
  lerp: ({ x }) => [x, 0.5],
  linear: () => [{ weight: of(3, 8), bias: of(3) }],
  linspace: ({ net }) => ({ on: net, args: [0, 1, 3] }),
  localResponseNorm: () => [{ size: 3 }],
  loop: ({ net, vector }) => ({
    on: net,
    args: [{ count: 2, state: { a: vector } }, ({ a }: { a: Tensor }) => ({ state: { a: a.relu() } })],
  }),
  lstm: ({ net }) => ({ on: net.input('s', float32(5, 2, 8)), args: [recurrent(4)] }),
  maskedFill: ({ flag }) => [flag, 0],
  matmul: ({ x }) => [x],
  maxPool: () => [along1],
  maxPool1d: ({ net }) => ({ on: cube(net), args: [along1] }),
  maxPool2d: () => [along1],
  maxPool3d: ({ net }) => ({ on: volume(net), args: [along1] }),
  meshgrid: ({ vector }) => ({ on: vector, args: [vector] }),
  mm: ({ matrix, net }) => ({ on: matrix, args: [net.input('b', float32(8, 3))] }),
  moe: ({ net }) => ({
    on: net.input('tokens', float32(1, 4, 8)),
    args: [
      {
        experts: net.input('experts', int32(1, 4, 2)),
        scores: net.input('scores', float32(1, 4, 2)),
        gate: of(3, 8, 8),
        up: of(3, 8, 8),
        down: of(3, 8, 8),
      },
    ],
  }),
  movedim: () => [0, 1],
  narrow: () => [1, 0, 2],
  nms: ({ net }) => ({
    on: net.input('boxes', float32(1, 6, 4)),
    args: [net.input('scores', float32(1, 6, 2)), { maxOutputBoxesPerClass: 2 }],
  }),
  oneHot: ({ indices }) => ({ on: indices, args: [4] }),
  ones: ({ net }) => ({ on: net, args: [[2]] }),
  pad: () => [{ padding: 1 }],
  permute: () => [[1, 0, 2, 3]],
  pixelShuffle: () => [2],
  pixelUnshuffle: () => [2],
  pool: () => [{ type: 'max', kernel: 2 }],
  prelu: () => [{ weight: of(4) }],
  quantize: () => [{ scale: 1 }],
  raggedSoftmax: ({ net }) => ({ on: cube(net), args: [net.input('lengths', int32(2, 4, 1))] }),
  randomNormal: ({ net }) => ({ on: net, args: [[2]] }),
  randomUniform: ({ net }) => ({ on: net, args: [[2]] }),
  reduce: () => [{ operation: 'sum', axes: [1] }],
  repeat: () => [[1, 1, 1, 1]],
  repeatInterleave: () => [2, { axis: 1 }],
  reshape: () => [[2, -1]],
  resize: () => [{ sizes: [2, 4, 4, 4] }],
  reverseSequence: ({ net }) => ({
    on: net.input('rows', float32(3, 8)),
    args: [net.inputs[4], { batchAxis: 0, sequenceAxis: 1 }],
  }),
  rmsNorm: () => [{ weight: of(8) }],
  rnn: ({ net }) => ({ on: net.input('s', float32(5, 2, 8)), args: [recurrent(1)] }),
  roll: () => [1, { axes: 1 }],
  rotaryEmbedding: ({ net }) => ({ on: heads(net, 'q'), args: [{ cos: of(2, 6, 4), sin: of(2, 6, 4) }] }),
  scale: () => [{ scale: 2, shift: 1 }],
  scatter: ({ net, x }) => [net.input('at', int32(2, 4, 8, 8)), x],
  select: () => [1, 0],
  shapeTensor: ({ net }) => ({ on: net.inputs[0], args: [] }),
  shuffle: () => [{ reshape: [2, -1] }],
  slice: () => [{ start: [0, 0, 0, 0], size: [1, 1, 1, 1] }],
  split: () => [2, { axis: 1 }],
  squeeze: ({ net }) => ({ on: net.input('one', float32(1, 3)), args: [[0]] }),
  stack: ({ x }) => [x],
  'concat()': ({ x }) => [[x, x]],
  'stack()': ({ x }) => [[x, x]],
  tile: () => [[1, 1, 1, 1]],
  to: () => ['float16'],
  topk: () => [2],
  trueDivide: ({ x }) => [x],
  transpose: () => [[1, 0, 2, 3]],
  unary: () => [{ operation: 'abs' }],
  unfold: () => [{ kernel: 2 }],
  unflatten: () => [1, [2, 2]],
  unsqueeze: () => [[0]],
  view: () => [[2, -1]],
  where: ({ flag, x }) => ({ on: x, args: [flag, x] }),
  'where()': ({ flag, x }) => [flag, x, x],
  zeros: ({ net }) => ({ on: net, args: [[2]] }),
  logicalNot: ({ flag }) => ({ on: flag, args: [] }),
  nonZero: ({ flag }) => ({ on: flag, args: [] }),
  isfinite: () => [],
};
for (const name of [
  'add',
  'div',
  'eq',
  'floorDiv',
  'ge',
  'gt',
  'le',
  'lt',
  'maximum',
  'minimum',
  'mod',
  'mul',
  'ne',
  'pow',
  'remainder',
  'sub',
])
  good[name] = () => [1];
for (const name of ['logicalAnd', 'logicalOr', 'logicalXor']) good[name] = ({ flag }) => ({ on: flag, args: [flag] });

const doubled = api.definePlugin({
  name: 'OptionNames',
  version: '1',
  inputs: ['x'],
  attributes: { factor: api.attr.float32(2) },
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: '__global__ void doubled(const float* x, float* y, float factor) {}',
  launch: ({ x, y, factor }) => [{ kernel: 'doubled', grid: 1, block: 1, args: [x, y, factor] }],
});
good.plugin = () => [doubled, { factor: 3 }, { name: 'double' }];

const hopeless: [string, unknown][] = [
  ['a word', 'nonsense'],
  ['-1.5', -1.5],
  ['-1', -1],
  ['an odd object', { odd: true }],
  ['an empty list', []],
  ['a list of too many', [3, 1, 4, 1, 5, 9, 2, 6, 5]],
  ['null', null],
];

/** Calls a method on a new network; `change` makes other arguments of those that go through. */
function call(name: string, change = (args: readonly unknown[]): readonly unknown[] => args): unknown {
  const s = start();
  const made = good[name]?.(s) ?? [];
  const { on, args } = Array.isArray(made) ? { on: s.x, args: made } : (made as { on: unknown; args: unknown[] });
  const isFunction = name.endsWith('()');
  const [self, method] = isFunction ? [api, name.slice(0, -2)] : [on, name];
  return (self as Loose)[method]!(...change(args));
}

/** What else says the same goes. */
const without = (key: string, known: readonly string[]) => {
  const twin = twins[key] ?? Object.entries(twins).find(([, one]) => one === key)?.[0];
  return twin === undefined || !known.includes(twin) ? {} : { [twin]: undefined };
};

const real = (key: string) => key.replace('*', 'ih_l0');

/** The caller's own names: options and values. */
const ownNames = (call: Call): string[] =>
  call.flatMap(({ value, options }) => [...(value === undefined ? [] : [value]), ...(options?.keys.map(real) ?? [])]);

const words = (call: Call): string[] => call.flatMap(({ value, options }) => [value ?? [], keysOf(options)].flat(2));

const keysOf = (options: Options | undefined): string[] => [
  ...(options?.keys ?? []),
  ...Object.values(options?.nested ?? {}).flatMap(keysOf),
];

/** Every place for a value: an option or an argument. */
const places = (call: Call): { name: string; put: (args: readonly unknown[], value: unknown) => unknown[] }[] =>
  call.flatMap(({ value, options }, at) => [
    ...(value === undefined || options
      ? []
      : [
          {
            name: value,
            put: (args: readonly unknown[], given: unknown) =>
              Array.from({ length: Math.max(args.length, at + 1) }, (_, i) => (i === at ? given : args[i])),
          },
        ]),
    ...(options?.keys.map((key) => ({
      name: real(key),
      put: (args: readonly unknown[], given: unknown) =>
        Array.from({ length: Math.max(args.length, at + 1) }, (_, i) =>
          i === at
            ? { ...(args[i] as object | undefined), ...without(key, options.keys), [real(key)]: given }
            : args[i],
        ),
    })) ?? []),
  ]);

/** Names of TensorRT's parameters that are words of no sentence. */
const parameterNames = new Set(
  [...layerKinds.values()]
    .flatMap(({ params }) => Object.keys((params as unknown as { shape?: object }).shape ?? {}))
    .filter((name) => /[A-Z]/.test(name)),
);

/** Options that say the same: who gives one does not give the other. */
const twins: Readonly<Record<string, string>> = {
  mean: 'running_mean',
  variance: 'running_var',
  axis: 'axes',
  blockSize: 'blockShape',
  numGroups: 'groups',
  slope: 'weight',
};

/** Where another option than the one that was spoiled is named, by the method and the two options. */
const reasons: Readonly<Record<string, string>> = {
  'quantize scale axis': 'a scale with several numbers belongs to an axis, which was not given',
  'dequantize scale axis': 'as quantize',
  'einsum others equation': 'the equation and its tensors do not fit: either may be meant',
  'fill shape beta': 'a shape without sizes has no steps: either may be meant',
  'gru kernel recurrentKernel': 'one is missing beside the other',
  'gru recurrentKernel kernel': 'one is missing beside the other',
  'gru bias kernel': 'a bias of that name belongs to a kernel',
  'lstm recurrentKernel kernel': 'as gru',
  'lstm bias kernel': 'as gru',
  'rnn recurrentKernel kernel': 'as gru',
  'rnn bias kernel': 'as gru',
  'roll axes shifts': 'there is one shift for each axis: either may be meant',
  'movedim source destination': 'there is one place for each axis: either may be meant',
  'rotaryEmbedding positions cos': 'without positions per batch the tables have another shape: either may be meant',
  'slice axes start': 'there is one start for each axis: either may be meant',
  'transpose perm other': 'two axes are given one by one: the other is missing',
  'unflatten axis sizes': 'sizes make up the axis: either may be meant',
};
const found = new Set<string>();
const tried = new Set<string>();

/** What is wrong with how an error names things; undefined where nothing is. */
function fault(error: unknown, call: Call, method: string, name: string): string | undefined {
  if (!(error instanceof TensorRTError)) return `threw ${String(error)}`;
  const own = ownNames(call);
  const first = error.message.split('\n')[0]!;
  const { option, options = [] } = error;
  const named = option === undefined ? options : [option.split('.')[0]!];
  if (error.method !== method) return `method ${error.method}: ${first}`;
  const foreign = named.find((one) => !own.includes(one));
  if (foreign !== undefined) return `${foreign}: ${first}`;
  if (named.length > 0 && !named.includes(name)) {
    const exception = `${method} ${name} ${option}`;
    found.add(exception);
    if (!Object.hasOwn(reasons, exception)) return `option ${option}: ${first}`;
  }
  const subject = /^\S+(?: '[^']*')?: (\w+(?: and \w+)*): /.exec(first)?.[1]?.split(' and ') ?? [];
  const odd = subject.find((one) => one !== 'input' && !own.includes(one));
  if (odd !== undefined) return `subject ${odd}: ${first}`;
  const parameter = first.split(/\W+/).find((word) => parameterNames.has(word) && !words(call).includes(word));
  return parameter && `${parameter} in: ${first}`;
}

const all = [
  ...Object.entries(methodCalls).map(([name, call]) => [name, name, call] as const),
  ...Object.entries(functionCalls).map(([name, call]) => [`${name}()`, name, call] as const),
];

test.each(all)('%s', (name, method, known) => {
  call(name);
  tried.add(method);
  const faults: string[] = [];
  for (const { name: option, put } of places(known)) {
    for (const [what, value] of hopeless) {
      try {
        call(name, (args) => put(args, value));
      } catch (error) {
        const wrong = fault(error, known, method, option);
        if (wrong) faults.push(`${option} ${what}: ${wrong}`);
      }
    }
  }
  expect(faults).toEqual([]);
});

test('every exception is one', () => {
  const ours = Object.keys(reasons).filter((one) => tried.has(one.split(' ')[0]!));
  expect(ours.sort()).toEqual([...found].sort());
});

test.each<[string, () => unknown, string]>([
  ['conv2d', () => start().x.conv2d({ weight: 'conv1' as never }), 'weight'],
  ['conv2d', () => start().x.conv2d({ ...conv(3, 3), padding: -1 }), 'padding'],
  ['conv2d', () => start().x.conv2d({ ...conv(3, 3), prePadding: -1, padding: 1 }), 'prePadding'],
  ['conv2d', () => start().x.conv2d({ ...conv(3, 3), padding: -1, prePadding: 0 }), 'padding'],
  ['gridSample', () => call('gridSample', ([grid]) => [grid, { mode: 'linear' }]), 'mode'],
  ['groupNorm', () => start().x.groupNorm({ groups: 2, weight: of(3) }), 'weight'],
  ['interpolate', () => start().x.interpolate({ size: -1 }), 'size'],
  ['clamp', () => start().x.clamp({ min: 'low' as never }), 'min'],
  ['silu', () => start().x.silu({ name: 3 as never }), 'name'],
  ['softmax', () => start().x.softmax({ axis: 9 }), 'axis'],
  ['mean', () => start().x.mean({ axis: 1.5 }), 'axis'],
])('%s: %s', (method, run, option) => {
  const error = refusal(run);
  expect([error.method, error.option]).toEqual([method, option]);
  expect(error.message).toMatch(new RegExp(`^${method}(?: '\\w+')?: ${option}: expected .*, given `));
});

test('options that do not fit together are all named', () => {
  const { net } = start();
  const error = refusal(() => net.arange(4, { start: 0.5 }));
  expect([error.option, error.options]).toEqual([undefined, ['start', 'step']]);
  expect(error.message).toMatch(/^arange 'fill': start and step: expected whole numbers for int32, given 0.5 and 1/);
});

/** The network of what a method returned, without places in code. */
function recorded(value: unknown): string | undefined {
  const results = value instanceof Object && !(value instanceof Tensor) ? Object.values(value).flat() : [value];
  const tensor = results.find((one) => one instanceof Tensor);
  const text = tensor && JSON.stringify(tensor.network.toJSON(), (key, part) => (key === 'source' ? undefined : part));
  // Sizes that depend on elements are numbered throughout the process.
  return text?.replace(/\?\d+/g, '?');
}

test.each(all)('%s: an option that is undefined is one that was left out', (name, _, known) => {
  const options = known.map((parameter) => parameter.options);
  const undefinedToo = (args: readonly unknown[]): unknown[] => {
    // `transpose(1, 0)` and `transpose([1, 0])` have their options at different places.
    const at = options.findIndex((one, i) => one && (i >= args.length || isPlain(args[i])));
    if (at < 0) return [...args];
    const keys = Object.fromEntries(options[at]!.keys.map((key) => [real(key), undefined]));
    const longer = Array.from({ length: Math.max(args.length, at + 1) }, (_, i) => args[i]);
    return longer.map((arg, i) => (i === at ? { ...keys, ...(arg as object | undefined) } : arg));
  };
  expect(recorded(call(name, undefinedToo))).toBe(recorded(call(name)));
});

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
