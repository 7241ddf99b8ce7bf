import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { layerKinds } from '../../src/dsl/define-layer.js';
import { float16, float32, int32, type Network, network, type Tensor, TensorRTError } from '../../src/index.js';
import { pluginForms } from '../../src/layers/kinds/plugin.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { crashingTensorRT } from '../tensorrt/compile/crashing-library.js';
import { chain, rejection } from '../tensorrt/networks.js';
import { expectReadBack } from './harness.js';

const folder = new URL('../../native/lowering/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const sources = (wanted: (name: string) => boolean) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cc|h|def)$/.test(name) && wanted(name))
    .map(read)
    .join('\n');

const lowering = sources((name) => !name.startsWith('read_back'));
const readBack = sources((name) => name.startsWith('read_back')) + read('../plugin_binding/read_existing.cc');
const table = read('read_back.def');
const rows = [...table.matchAll(/^(READ|READ_AT|NO_GETTER)\((\w+), (\w+),/gm)].map(([, , kind, parameter]) => ({
  kind: kind!,
  parameter: parameter!,
}));

/** Getters by their setter, where they are not its twin. */
const getters: Record<string, string[]> = {
  'MoELayer.setGatedWeights': ['Layer.getInput', 'MoELayer.getActivationType'],
  'MoELayer.setGatedBiases': ['Layer.getInput'],
  'MoELayer.setQuantizationStatic': ['Layer.getInput', 'MoELayer.getQuantizationToType'],
  'MoELayer.setQuantizationDynamicDblQ': [
    ...['getQuantizationToType', 'getQuantizationBlockShape', 'getDynQOutputScaleType'].map(
      (name) => `MoELayer.${name}`,
    ),
  ],
  'MoELayer.setSwigluParams': ['Limit', 'Alpha', 'Beta'].map((name) => `MoELayer.getSwigluParam${name}`),
  'IfConditional.setCondition': ['ConditionalBoundaryLayer.getConditional'],
};

/** What TensorRT has no getter for; and the name of a layer told once more, which plans show (`option_verbosity_detailed`). */
const untold = ['Network.setWeightsName', 'Layer.setMetadata'];

test('every setter that the lowering calls is read back by its getter', () => {
  const setters = new Set([...lowering.matchAll(/m::(\w+)::(set\w+)/g)].map(([, type, name]) => `${type}.${name}`));
  expect(setters.size).toBeGreaterThan(60);
  const isRead = (getter: string) => {
    const [type, name] = getter.split('.');
    return readBack.includes(`m::${type}::${name}`) || new RegExp(`, ${type}, ${name},`).test(table);
  };
  const missing = [...setters].filter((setter) => {
    const names = getters[setter] ?? [setter.replace('.set', '.get')];
    return !untold.includes(setter) && !names.every(isRead);
  });
  expect(missing).toEqual([]);
});

/** What a function that reads says, with those that it calls. */
function bodyOf(by: string): string {
  const body = new RegExp(`^void ${by}\\(LayerReader& r\\) \\{(?:(.*)\\}$|\\n([^]*?)^\\}$)`, 'm').exec(readBack)![0];
  return body + [...body.matchAll(/^ +(read_\w+)\(r\);/gm)].map(([, called]) => bodyOf(called!)).join('');
}

describe('every parameter has a row, a function that reads it, or a reason', () => {
  test.each([...layerKinds.values()])('$kind', ({ kind, params }) => {
    const [, by] = new RegExp(`^KIND(?:_AND|_BY)\\(${kind}, (?:\\w+, )?(read_\\w+)\\)$`, 'm').exec(table) ?? [];
    const body = by ? bodyOf(by) : '';
    const named = [
      ...rows.filter((row) => row.kind === kind).map(({ parameter }) => parameter),
      ...[...body.matchAll(/r\.check\("(\w+)"/g)].map(([, name]) => name!),
      ...[...body.matchAll(/unread\.emplace_back\("(\w+)"/g)].map(([, name]) => name!),
      ...[...body.matchAll(/unread : \{(.*?)\}/g)].flatMap(([, names]) => names!.match(/\w+/g)!),
    ];
    const forms = kind === 'plugin' ? Object.values(pluginForms) : [params as unknown as z.ZodObject];
    const parameters = forms.flatMap(({ shape }) => Object.keys(shape));
    expect([...new Set(named)].sort()).toEqual(parameters.sort());
  });
});

/** Parameters that no numeric case has, as TensorRT-RTX cannot build them or only a GPU can run them. */
const others: Record<string, (net: Network) => Tensor> = {
  'blocks of quantize': (net) => {
    const scale = net.input('s', float32(4, 4));
    return net
      .input('x', float32(4, 64))
      .quantize({ to: 'int4', scale, blockShape: [1, 16] })
      .dequantize({ scale });
  },
  'blocks of dequantize': (net) => {
    const weight = net.constant(Array(128).fill(2), { dtype: 'float8e4m3', shape: [64, 2] });
    return weight.dequantize({
      scale: [
        [1, 2],
        [3, 4],
      ],
      blockShape: [32, 1],
    });
  },
  'moe, quantized by a scale': (net) => mixture(net, { to: 'float8e4m3', scale: 0.5 }),
  'attention on two devices': (net) => {
    const [q, k] = [net.input('q', float16(1, 2, 4, 8)), net.input('k', float16(1, 2, 4, 8))];
    return q.attention(k, k, { scale: 1, ranks: 2, metadata: 'text', decomposable: false });
  },
  'attention, packed': (net) => {
    const q = net.input('q', float16(7, 2, 8));
    const k = net.input('k', float16(2, 2, 4, 8));
    return q.attention(k, k, { scale: 1, queryForm: 'packed_nhd', queryLengths: net.input('n', int32(3)) });
  },
  'kv_cache_update, packed': (net) => {
    const cache = net.input('cache', float16(2, 2, 8, 4));
    const update = net.input('update', float16(5, 2, 4));
    return cache.kvCacheUpdate(update, net.input('at', int32(2)), {
      updateForm: 'packed_nhd',
      updateLengths: net.input('n', int32(3)),
    });
  },
};

function mixture(net: Network, quantize: object): Tensor {
  const x = net.input('x', float32(2, 3, 16));
  const weight = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const [gate, up, down] = [weight(4, 16, 16), weight(4, 16, 16), weight(4, 16, 16)];
  const [gateBias, upBias, downBias] = [weight(4, 16), weight(4, 16), weight(4, 16)];
  const experts = net.input('experts', int32(2, 3, 2));
  const scores = net.input('scores', float32(2, 3, 2));
  const swiglu = { limit: 7, alpha: 1.702, beta: 1 };
  const options = { experts, scores, gate, up, down, gateBias, upBias, downBias, swiglu };
  return x.moe({ ...options, activation: 'none', quantize: quantize as never });
}

test.each(Object.entries(others))('%s', async (_, build) => {
  const net = network('other');
  build(net).output('y');
  expectReadBack(net, await net.check());
});

test('what TensorRT-RTX logs that it does not support is an error, though the setter returns nothing', async () => {
  const net = network('blocks');
  mixture(net, { to: 'float8e4m3', scale: 0.5, blockShape: [1, 1, 1, 16], scaleType: 'float8e8m0' }).output('y');
  const error = await rejection(net.check());
  expect(error.code).toBe('ERR_LAYER');
  expect(error.message).toMatch(/^moe 'moe': TensorRT refused its quantization\n.*not supported yet/s);
});

test('a layer made of others has no parameters, but names of its parts', async () => {
  const net = network('parts', { x: float32(1, 2, 5, 5) });
  const options = { kernel: 2, padding: 1, paddingMode: 'explicit_round_up' as const, name: 'rounded up' };
  net.pool({ type: 'average', ...options }).output('y');
  const { readBack } = await net.check();
  expect(readBack).toEqual([
    { layer: 'rounded up', kind: 'pooling', parameters: {}, unread: [], parts: expect.arrayContaining(['rounded up']) },
  ]);
});

test('what TensorRT holds is reported by the names of the graph', async () => {
  const net = network('reported', { x: float32('n', 8) });
  net.leakyRelu({ negativeSlope: 0.25, name: 'leaky' }).output('y');
  const { readBack } = await net.check();
  expect(readBack).toEqual([
    {
      layer: 'leaky',
      kind: 'activation',
      parameters: { type: 'leaky_relu', alpha: 0.25, beta: expect.any(Number) },
      unread: [],
      parts: [],
    },
  ]);
});

test('a library that holds something else is an error with the layer and its place', async () => {
  const library = crashingTensorRT(join(temporaryFolder(), 'libtensorrt_rtx.so.1'));
  const error = await rejection(chain(1).check({ library }));
  expect(error).toBeInstanceOf(TensorRTError);
  expect(error).toMatchObject({ code: 'ERR_READ_BACK', layer: 'activation', kind: 'activation' });
  expect(error.message).toMatch(/^activation 'activation': layer: asked for one ACTIVATION, TensorRT holds 0 among 0/);
  expect(error.source?.file).toMatch(/networks\.ts$/);
});
