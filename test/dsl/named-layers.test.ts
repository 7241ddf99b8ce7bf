import { expect, test } from 'vitest';
import { factsOfLayers, namedLayers } from '../../src/dsl/named-layers.js';
import { float16, type Network, network, TensorRTError } from '../../src/index.js';

const weight = (...shape: number[]) => ({
  dtype: 'float16' as const,
  shape,
  data: new Uint16Array(shape.reduce((a, b) => a * b, 1)),
});

/** The part of MaxViT of which TensorRT 10.6 makes one node: a depthwise convolution, its norm and GELU. */
function block(): Network {
  const net = network('maxvit', { x: float16(1, 4, 8, 8) });
  net.scope('stages.0.mbconv', () => {
    const x = net.tensor().conv2d({ weight: weight(4, 1, 3, 3), groups: 4, name: 'conv2' });
    x.scale({ shift: weight(4), scale: weight(4), mode: 'channel', name: 'norm2' })
      .gelu({ name: 'act' })
      .output('y');
  });
  const { h } = net.loop({ count: 2, state: { h: net.inputs[0]! } }, ({ h }) => ({
    state: { h: net.scope('step', () => h.add(1)) },
  })).state;
  h.relu({ name: 'two words' }).relu().output('z');
  return net;
}

// Lines of TensorRT 10.6 and of TensorRT-RTX 1.7.1, in which only the names are those of this network.
test.each<[string, string, string[]]>([
  [
    'one node fused from several layers',
    'IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for node stages.0.mbconv.conv2 + stages.0.mbconv.norm2 + PWN(stages.0.mbconv.act). In computeCosts at /_src/optimizer/common/tactic/optimizer.cpp:4128)',
    ['stages.0.mbconv.conv2', 'stages.0.mbconv.norm2', 'stages.0.mbconv.act'],
  ],
  [
    'a node of another compiler, by its ends',
    'Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode[stages.0.mbconv.conv2/bias...two words]}. In computeCosts at optimizer.cpp:4048)',
    ['stages.0.mbconv.conv2', 'two words'],
  ],
  [
    'a layer by its class',
    'IBuilder::buildSerializedNetwork: Error Code 4: API Usage Error (IActivationLayer two words: two words: no shape In op at /_src/shapeContext.cpp:2699)',
    ['two words'],
  ],
  [
    'a layer without kernels',
    'Error Code 2: Internal Error (Assertion !layerImpls.empty() failed. two words has no runners that implement it In getSupportedFormats at tacticSupply.cpp:48)',
    ['two words'],
  ],
  [
    'a layer in a loop',
    'Error Code 1: Myelin ([ir_op_builder.cpp:249: myelinOpSetInput] Called with unknown input tensor or sequence name "loop.step.element_wise". In createMyelinOp at codeGenerator.h:1478)',
    ['loop.step.element_wise'],
  ],
  [
    'what another compiler made, without a word for it',
    'Error Code 1: Myelin (no kernel image for {ForeignNode[stages.0.mbconv.conv2...stages.0.mbconv.act]} In f at file.cpp:1)',
    ['stages.0.mbconv.conv2', 'stages.0.mbconv.act'],
  ],
  [
    'several layers in several ways, in the order of the line',
    'Error Code 4: Internal Error (tensor "two words" of node activation. In f at file.cpp:1)',
    ['two words', 'activation'],
  ],
  [
    'names within other names',
    'Error Code 4: Internal Error (Could not find any implementation for node pre.activation + activations. In f at file.cpp:1)',
    [],
  ],
  ['prose', 'Error Code 9: Internal Error (the relu and the loop of this network failed In relu at file.cpp:1)', []],
])('TensorRT names %s', (_, line, names) => {
  expect(namedLayers([line], block().graph.nodes).map(({ name }) => name)).toEqual(names);
});

test('an error lists the layers, with the methods and the lines that recorded them', () => {
  const net = block();
  const line = 'Could not find any implementation for node stages.0.mbconv.conv2 + stages.0.mbconv.norm2.';
  const error = new TensorRTError('ERR_BUILD_FAILED', 'said', factsOfLayers(namedLayers([line], net.graph.nodes)));
  expect(error.layers?.map(({ layer, method }) => [layer, method])).toEqual([
    ['stages.0.mbconv.conv2', 'conv2d'],
    ['stages.0.mbconv.norm2', 'scale'],
  ]);
  const place = `recorded at ${import.meta.filename}:\\d+`;
  expect(error.message).toMatch(
    new RegExp(`^said\n    conv2d 'stages.0.mbconv.conv2', ${place}\n    scale 'stages.0.mbconv.norm2', ${place}$`),
  );
});

test('of many layers the first and the last are listed', () => {
  const layers = Array.from({ length: 20 }, (_, i) => ({ layer: `l${i}`, kind: 'activation' }));
  const { message } = new TensorRTError('ERR_BUILD_FAILED', 'said', { layers });
  const lines = message.split('\n').map((line) => line.trim());
  expect(lines).toHaveLength(10);
  expect(lines.slice(-3)).toEqual(["activation 'l6'", 'and 12 layers more, to', "activation 'l19'"]);
});

test('a layer that a method made of others recorded leads to that method', () => {
  const net = network('gelu', { x: float16(1, 4, 8, 8) });
  net.logSoftmax();
  expect(new Set(net.graph.nodes.map(({ method }) => method))).toEqual(new Set(['logSoftmax']));
});
