import { expect, test } from 'vitest';
import { describeEngine } from '../../../src/tensorrt/describe/describe.js';
import { diffEngines } from '../../../src/tensorrt/describe/diff.js';
import { fusionOf } from '../../../src/tensorrt/describe/names.js';
import { refusal } from '../../refusal.js';

/** A convolution in the form of TensorRT 10, after the sample of NVIDIA's page "Engine Inspector". */
const convolution = {
  Name: 'conv + bn + relu',
  LayerType: 'CaskConvolution',
  Inputs: [
    {
      Name: 'x',
      Location: 'Device',
      Dimensions: [16, 512, 28, 28],
      'Format/Datatype': 'Thirty-two wide channel vectorized row major Int8 format',
    },
  ],
  Outputs: [
    { Name: 'y', Location: 'Device', Dimensions: [16, 256, 28, 28], 'Format/Datatype': 'Row major linear FP16 format' },
  ],
  ParameterType: 'Convolution',
  Kernel: [1, 1],
  Groups: 1,
  Weights: { Type: 'Int8', Count: 131072 },
  Bias: { Type: 'Float', Count: 256 },
  HasReLU: 1,
  TacticName: 'sm80_xmma_fprop_implicit_gemm_interleaved_i8i8_i8i32_f32',
  TacticValue: '0x11bde0e1d9f2f35d',
  StreamId: 0,
  Metadata: '[ONNX Layer: conv]\u001e[ONNX Layer: relu]',
};
const ten = { Layers: [convolution], Bindings: ['x', 'y', 'x [profile 1]', 'y [profile 1]'] };
/** The same engine in the form of 11, after NVIDIA's page on migrating. */
const tensor11 = ({ 'Format/Datatype': format, ...rest }: (typeof convolution.Inputs)[0]) => ({
  ...rest,
  Format: format.replace(/ format$/, ' format (kLINEAR)'),
  Datatype: format.includes('Int8') ? 'Int8' : 'Half',
});
const eleven = {
  Layers: [{ ...convolution, Inputs: convolution.Inputs.map(tensor11), Outputs: convolution.Outputs.map(tensor11) }],
  'I/O Tensors': [
    {
      Name: 'x',
      IOMode: 'Input',
      DataType: 'Int8',
      Dimensions: [-1, 512, 28, 28],
      Location: 'Device',
      IsShapeInferenceIO: false,
      ProfileInfo: [
        {
          MinShape: [1, 512, 28, 28],
          OptShape: [16, 512, 28, 28],
          MaxShape: [32, 512, 28, 28],
          Format: 'Row major linear INT8 format (kLINEAR)',
        },
      ],
    },
    {
      Name: 'y',
      IOMode: 'Output',
      DataType: 'Half',
      Dimensions: [-1, 256, 28, 28],
      Location: 'Device',
      IsShapeInferenceIO: false,
    },
  ],
  'Engine Metadata': { 'Multi-Device': 'Disabled' },
};

test('the JSON of TensorRT 10', () => {
  const { verbosity, io, layers } = describeEngine(ten);
  expect(verbosity).toBe('detailed');
  expect(io).toEqual([{ name: 'x' }, { name: 'y' }]);
  expect(layers[0]).toMatchObject({
    name: 'conv + bn + relu',
    profile: 0,
    layers: ['conv', 'relu'],
    type: 'CaskConvolution',
    kernel: convolution.TacticName,
    tactic: '0x11bde0e1d9f2f35d',
    precision: 'int8',
    stream: 0,
    inputs: [{ name: 'x', dtype: 'int8', shape: [16, 512, 28, 28], location: 'Device' }],
    outputs: [{ name: 'y', dtype: 'float16' }],
    weights: { Weights: { dtype: 'int8', count: 131072 }, Bias: { dtype: 'float32', count: 256 } },
    parameters: { ParameterType: 'Convolution', Kernel: [1, 1], Groups: 1, HasReLU: 1 },
  });
});

test('the JSON of TensorRT 11, as text', () => {
  const { io, layers } = describeEngine(JSON.stringify(eleven));
  expect(io[0]).toEqual({
    name: 'x',
    dtype: 'int8',
    shape: [-1, 512, 28, 28],
    location: 'Device',
    mode: 'input',
    isShapeTensor: false,
    profiles: [
      {
        min: [1, 512, 28, 28],
        opt: [16, 512, 28, 28],
        max: [32, 512, 28, 28],
        format: 'Row major linear INT8 format (kLINEAR)',
      },
    ],
  });
  expect(io[1]).toMatchObject({ name: 'y', mode: 'output', dtype: 'float16' });
  expect(layers[0]).toMatchObject({ precision: 'int8', inputs: [{ dtype: 'int8' }], outputs: [{ dtype: 'float16' }] });
});

test('engines with names alone, and without', () => {
  const { verbosity, layers } = describeEngine({ Layers: ['a + b', 'a + b [profile 1]'], Bindings: ['x'] });
  expect(verbosity).toBe('names');
  expect(layers.map(({ name, profile, layers }) => ({ name, profile, layers }))).toEqual([
    { name: 'a + b', profile: 0, layers: ['a', 'b'] },
    { name: 'a + b', profile: 1, layers: ['a', 'b'] },
  ]);
  expect(describeEngine({ Layers: [], Bindings: [] }).verbosity).toBe('none');
});

test.each([
  ['a', { layers: ['a'], isRange: false }],
  ['a || b', { layers: ['a', 'b'], isRange: false }],
  ['PWN(PWN(a), b + c)', { layers: ['a', 'b', 'c'], isRange: false }],
  ['conv.weight + PWN(f(x, y), b)', { layers: ['conv.weight', 'f(x, y)', 'b'], isRange: false }],
  ['{ForeignNode[first...last]}', { layers: ['first', 'last'], isRange: true }],
  ['Reformatting CopyNode for Input Tensor 0 to a + b', { layers: [], isRange: false, reformats: 'a + b' }],
  ['__myl_FcMul_myl0_3', { layers: [], isRange: false }],
])('what %s was made of', (name, expected) => expect(fusionOf(name)).toEqual(expected));

test('two engines: other kernel, fused otherwise, only in one', () => {
  const layer = (name: string, more: object = {}) => ({
    Name: name,
    LayerType: 'gemm',
    TacticName: `k ${name}`,
    Inputs: [],
    Outputs: [],
    ...more,
  });
  const a = describeEngine({ Layers: [layer('a'), layer('b + c'), layer('d'), layer('e')], Bindings: ['x', 'y'] });
  const b = describeEngine({
    Layers: [layer('a'), layer('b'), layer('c'), layer('d', { TacticName: 'other' }), layer('f')],
    Bindings: ['x', 'z'],
  });
  const times = ['a', 'b + c', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, ms: 1 }));
  const found = diffEngines({ description: a, size: 10, times }, { description: b, size: 12, times });
  expect(found.same).toBe(false);
  expect(
    found.layers.map(({ changes, a, b, ms }) => [changes, a.map(({ name }) => name), b.map(({ name }) => name), ms]),
  ).toEqual([
    [['fused'], ['b + c'], ['b', 'c'], { a: 1, b: 2 }],
    [['kernel'], ['d'], ['d'], { a: 1, b: 1 }],
    [['only'], ['e'], [], { a: 1, b: 0 }],
    [['only'], [], ['f'], { a: 0, b: 1 }],
  ]);
  expect(found.unchanged).toEqual([{ name: 'a', ms: { a: 1, b: 1 } }]);
  expect(found).toMatchObject({ counts: { a: 4, b: 5 }, size: { a: 10, b: 12 }, totalMs: { a: 4, b: 5 } });
  expect(found.io.map(({ name }) => name)).toEqual(['y', 'z']);
  expect(diffEngines({ description: a }, { description: a })).toMatchObject({ same: true, layers: [], io: [] });
});

test('the same engine in both forms differs in what 10 does not say', () => {
  const found = diffEngines({ description: describeEngine(ten) }, { description: describeEngine(eleven) });
  expect(found.layers.map(({ changes }) => changes)).toEqual([['format']]);
});

test('refuses what is no description', () => {
  for (const given of [
    null,
    7,
    '{',
    '[]',
    {},
    { Layers: 1 },
    { Layers: [3] },
    { Layers: [], Bindings: 'x' },
    { Layers: [], Bindings: [{}] },
  ]) {
    expect(refusal(() => describeEngine(given)).code).toBe('ERR_ENGINE_INFORMATION');
  }
});
