import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tritonConfig } from '../../src/triton/config.js';
import { readTritonOptions, type TritonOptions } from '../../src/triton/options.js';
import type { ServedEngine } from '../../src/triton/served.js';
import { refusal } from '../refusal.js';
import { parseConfig } from './text-format.js';

const tensor = (
  name: string,
  dtype: ServedEngine['inputs'][0]['dtype'],
  shape: (number | string)[],
  isShapeTensor = false,
) => ({ name, dtype, shape, isShapeTensor });
const range = (min: number[], opt: number[], max: number[]) => ({ min, opt, max });

const resnet: ServedEngine = {
  library: { flavor: 'trt10', version: '10.6.0' },
  inputs: [tensor('image', 'float16', ['batch', 3, 224, 224])],
  outputs: [tensor('prob', 'float32', ['batch', 1000])],
  profiles: [{ image: range([1, 3, 224, 224], [8, 3, 224, 224], [64, 3, 224, 224]) }],
  hasNames: true,
};
const bert: ServedEngine = {
  ...resnet,
  inputs: [tensor('ids', 'int32', ['batch', 'tokens']), tensor('mask', 'int32', ['batch', 'tokens'])],
  outputs: [tensor('hidden', 'float32', ['batch', 'tokens', 768]), tensor('score', 'float32', ['batch'])],
  profiles: [
    { ids: range([1, 1], [1, 32], [4, 512]), mask: range([1, 1], [1, 32], [4, 512]) },
    { ids: range([1, 1], [16, 64], [32, 128]), mask: range([1, 1], [16, 64], [32, 128]) },
  ],
};
const fixed: ServedEngine = {
  ...resnet,
  inputs: [tensor('x "quoted"\n\u001b', 'bool', [2, 3]), tensor('scale', 'float32', [])],
  outputs: [tensor('ü', 'int64', ['n?1', 3])],
  profiles: [],
};
const shaped: ServedEngine = {
  ...resnet,
  inputs: [tensor('x', 'bfloat16', ['n', 4]), tensor('sizes', 'int64', [2], true)],
  outputs: [tensor('y', 'bfloat16', ['a', 'b'])],
  profiles: [{ x: range([1, 4], [2, 4], [8, 4]), sizes: range([1, 1], [2, 4], [8, 4]) }],
};

const cases: Record<string, [ServedEngine, TritonOptions]> = {
  resnet: [resnet, {}],
  graphs: [resnet, { cudaGraphs: true, instances: 2, gpus: [0, 1], maxQueueDelay: 500 }],
  bert: [bert, { cudaGraphs: [1, 32] }],
  fixed: [fixed, {}],
  shaped: [shaped, {}],
  single: [resnet, { batching: false, warmup: false, cudaGraphs: true }],
};
const configOf = (name: string) => tritonConfig(name, ...cases[name]!);

test('a network with a batch', () => {
  expect(parseConfig(configOf('resnet').text)).toEqual({
    name: 'resnet',
    platform: 'tensorrt_plan',
    max_batch_size: 64,
    input: [{ name: 'image', data_type: 'TYPE_FP16', dims: [3, 224, 224] }],
    output: [{ name: 'prob', data_type: 'TYPE_FP32', dims: [1000] }],
    instance_group: [{ count: 1, kind: 'KIND_GPU' }],
    dynamic_batching: {},
    model_warmup: [
      {
        name: 'profile 0',
        batch_size: 8,
        inputs: [{ key: 'image', value: { data_type: 'TYPE_FP16', dims: [3, 224, 224], random_data: true } }],
      },
    ],
  });
});

test('CUDA graphs, instances and the wait for more requests', () => {
  expect(parseConfig(configOf('graphs').text)).toMatchObject({
    instance_group: [{ count: 2, gpus: [0, 1] }],
    dynamic_batching: { max_queue_delay_microseconds: 500 },
    optimization: {
      cuda: { graphs: true, graph_spec: [{ batch_size: 8, input: [{ key: 'image', value: { dim: [3, 224, 224] } }] }] },
    },
  });
});

test('two profiles and dynamic dims', () => {
  const config = parseConfig(configOf('bert').text);
  expect(config).toMatchObject({
    max_batch_size: 32,
    input: [{ dims: [-1], data_type: 'TYPE_INT32' }, { dims: [-1] }],
    output: [{ dims: [-1, 768] }, { name: 'score', dims: [1], reshape: {} }],
    instance_group: [{ profile: ['0', '1'] }],
    dynamic_batching: { preferred_batch_size: [1, 16] },
  });
  const { optimization, model_warmup } = config as {
    optimization: { cuda: { graph_spec: { batch_size: number }[] } };
    model_warmup: object[];
  };
  expect(optimization.cuda.graph_spec.map(({ batch_size }) => batch_size)).toEqual([1, 32, 1, 32]);
  expect(model_warmup).toMatchObject([
    { batch_size: 1, inputs: [{ value: { dims: [32], zero_data: true } }, { key: 'mask' }] },
    { name: 'profile 1', batch_size: 16 },
  ]);
});

test('without a batch: fixed shapes, scalars, names with quotes', () => {
  expect(parseConfig(configOf('fixed').text)).toMatchObject({
    max_batch_size: 0,
    input: [
      { name: 'x "quoted"\n\u001b', data_type: 'TYPE_BOOL', dims: [2, 3] },
      { name: 'scale', dims: [1], reshape: {} },
    ],
    output: [{ name: 'ü', dims: [-1, 3] }],
    model_warmup: [{ batch_size: 0 }],
  });
  const single = parseConfig(configOf('single').text);
  expect(single).toMatchObject({ max_batch_size: 0, input: [{ dims: [-1, 3, 224, 224] }] });
  expect(single).not.toHaveProperty('dynamic_batching');
  expect(single).not.toHaveProperty('model_warmup');
  expect(single.optimization).toMatchObject({
    cuda: { graph_spec: [{ batch_size: 0, input: [{ value: { dim: [8, 3, 224, 224] } }] }] },
  });
});

test('shape tensors are warmed up with the elements that the profile was tuned for', () => {
  const { text, warmupFiles } = configOf('shaped');
  expect(parseConfig(text)).toMatchObject({
    max_batch_size: 0,
    input: [{ name: 'x' }, { name: 'sizes', dims: [2], is_shape_tensor: true }],
    model_warmup: [{ inputs: [{ value: { dims: [2, 4] } }, { value: { dims: [2], input_data_file: 'profile0_1' } }] }],
  });
  expect(new BigInt64Array(warmupFiles.get('profile0_1')!.buffer)).toEqual(new BigInt64Array([2n, 4n]));
});

test('a first dim of several names is no batch', () => {
  const mixed = { ...resnet, outputs: [tensor('prob', 'float32', ['rows', 1000])] };
  expect(tritonConfig('m', mixed, {}).maxBatchSize).toBe(0);
  // Names made up for an engine from a file say nothing.
  expect(tritonConfig('m', { ...mixed, hasNames: false }, {}).maxBatchSize).toBe(64);
});

test.each([
  [
    'TensorRT-RTX',
    { ...resnet, library: { flavor: 'rtx1', version: '1.7.1' } } as const,
    {},
    /TensorRT-RTX 1\.7\.1, which Triton does not run/,
  ],
  ['stripPlan', { ...resnet, options: { stripPlan: true } }, {}, /does not refit/],
  [
    'a dtype that Triton lacks',
    { ...resnet, inputs: [tensor('w', 'float8e4m3', [4])] },
    {},
    /'w' is float8e4m3: cast it/,
  ],
  [
    'a size of 0',
    { ...resnet, outputs: [tensor('y', 'float32', ['batch', 0])] },
    {},
    /sizes of at least 1, and 'y' is \[batch, 0\]/,
  ],
  ['a scalar shape tensor', { ...resnet, inputs: [tensor('k', 'int32', [], true)] }, {}, /shape tensors of one axis/],
  ['batching of fixed shapes', { ...fixed, outputs: [] }, { batching: true }, /batching: expected a dynamic first dim/],
  ['batching of shape tensors', shaped, { batching: true }, /batching: 'sizes' is a shape tensor/],
  ['graphs beyond the batch', resnet, { cudaGraphs: [65] }, /cudaGraphs: expected batch sizes up to 64, given 65/],
])('refuses %s', (_, engine, options, text) => {
  const error = refusal(() => tritonConfig('m', engine, options));
  expect(error.code).toBe('ERR_TRITON');
  expect(error.message).toMatch(text);
});

test.each([
  [{ name: '../x' }],
  [{ name: '' }],
  [{ name: '.hidden' }],
  [{ version: 0 }],
  [{ gpus: [-1] }],
  [{ cudaGraphs: 1 }],
  [{ nam: 'x' }],
])('refuses the options %j', (options) => {
  expect(refusal(() => readTritonOptions(options as never)).code).toBe('ERR_PARAMETER');
});

/** A Python that has tritonclient: `TRITONCLIENT_PYTHON`, else python3. */
const python = process.env.TRITONCLIENT_PYTHON ?? 'python3';
const script = fileURLToPath(new URL('fixtures/model_config.py', import.meta.url));
const hasClient = (() => {
  try {
    execFileSync(python, ['-c', 'import google.protobuf, tritonclient'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('every configuration parses with the protobuf of tritonclient, as it was meant', ({ skip }) => {
  if (!hasClient) skip(`${python} has no tritonclient; TRITONCLIENT_PYTHON can name a Python that has`);
  const folder = mkdtempSync(join(tmpdir(), 'triton-'));
  try {
    const names = Object.keys(cases);
    for (const name of names) writeFileSync(join(folder, name), configOf(name).text);
    const printed = execFileSync(python, [script, ...names.map((name) => join(folder, name))], { encoding: 'utf8' });
    for (const [i, line] of printed.trimEnd().split('\n').entries()) {
      const parsed = JSON.parse(line);
      const mine = parseConfig(readFileSync(join(folder, names[i]!), 'utf8')) as typeof parsed;
      expect([parsed.max_batch_size ?? 0, parsed.name, parsed.platform]).toEqual([
        mine.max_batch_size,
        mine.name,
        mine.platform,
      ]);
      // JSON's 64-bit integers are strings.
      const dims = (list: { dims: (string | number)[] }[]) => list.map((one) => one.dims.map(Number));
      expect(dims(parsed.input)).toEqual(dims(mine.input));
      expect(parsed.input.map(({ name }: { name: string }) => name)).toEqual(
        mine.input.map(({ name }: { name: string }) => name),
      );
      expect(parsed.model_warmup?.length).toBe(mine.model_warmup?.length);
      expect(parsed.optimization?.cuda?.graph_spec?.length).toBe(mine.optimization?.cuda?.graph_spec?.length);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
