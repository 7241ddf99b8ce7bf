import { describe, expect, test } from 'vitest';
import {
  copy,
  extract,
  float32,
  foldConstants,
  layersOf,
  Network,
  network,
  removeDeadLayers,
  rewrite,
  type Tensor,
} from '../../src/index.js';
import { define } from '../plugin/definitions.js';
import { refusal } from '../refusal.js';
import { testLayer } from './harness.js';
import { cases, cumulativeRows, hardSwish } from './plugin.cases.js';

testLayer('plugin', cases);

const start = () => {
  const net = network('plugins', { x: float32('n', 4) });
  return { net, x: net.tensor() };
};

describe('a layer of a definition', () => {
  test('is named after it', () => {
    const { net, x } = start();
    const y = x.plugin(hardSwish);
    const { total } = net.plugin(cumulativeRows, { x: y }, {}, { name: 'rows' });
    expect([y.name, total.name]).toEqual(['HardSwishCase', 'rows:1']);
    expect(net.graph.nodes[0]).toMatchObject({
      kind: 'plugin',
      params: { definition: { name: 'HardSwishCase', version: '1' }, attributes: { offset: 3 } },
      method: 'plugin',
    });
  });

  test('goes through JSON', () => {
    const { net, x } = start();
    x.plugin(hardSwish, { offset: 2 }).output('y');
    const json = JSON.parse(JSON.stringify(net));
    const again = Network.fromJSON(json);
    expect(again.toJSON().nodes.map(({ source: _, ...node }) => node)).toEqual(
      net.toJSON().nodes.map(({ source: _, ...node }) => node),
    );
    json.nodes[0].params.definition.version = '7';
    expect(refusal(() => Network.fromJSON(json))).toMatchObject({
      code: 'ERR_PLUGIN',
      message: expect.stringContaining(
        "plugin 'HardSwishCase' version 7 is not defined in this process: import the file that defines it first; it is defined in version 1",
      ),
    });
    json.nodes[0].params.definition.version = '1';
    json.nodes[0].params.attributes = { offset: 'NaN' };
    expect(refusal(() => Network.fromJSON(json)).message).toContain(
      "attribute 'offset': expected a number, given 'NaN'",
    );
    json.nodes[0].params = { attributes: {} };
    expect(refusal(() => Network.fromJSON(json)).code).toBe('ERR_PARAMETER');
    json.nodes[0].params = { definition: { name: 'HardSwishCase', version: '1' }, attributes: {} };
    json.nodes[0].inputs = [0, 0];
    expect(refusal(() => Network.fromJSON(json)).message).toContain('takes x, given 2 tensors');
    json.nodes[0].inputs = [null];
    expect(refusal(() => Network.fromJSON(json)).code).toBe('ERR_INPUT');
  });

  test('goes through passes', async () => {
    const { net, x } = start();
    const y = x.plugin(hardSwish, { offset: 2 });
    y.relu().output('z');
    for (const one of [
      copy(net),
      extract(net, { inputs: ['x'], outputs: ['z'] }),
      await foldConstants(net),
      removeDeadLayers(net),
    ]) {
      expect(layersOf(one).map(({ kind, params }) => [kind, params.attributes])).toEqual([
        ['plugin', { offset: 2 }],
        ['activation', undefined],
      ]);
    }
    const other = rewrite(net, {
      plugin: (layer) => layer.keep({ params: { attributes: { offset: 1 } } }),
    });
    expect(layersOf(other)[0]!.params.attributes).toEqual({ offset: 1 });
  });

  test('of constants is not folded', async () => {
    const net = network('folding', { x: float32(2) });
    net.constant([1, 2]).plugin(hardSwish).add(net.tensor()).output('y');
    let asked = 0;
    const folded = await foldConstants(net, {
      evaluate: async () => {
        asked++;
        return {};
      },
    });
    expect(layersOf(folded).map(({ kind }) => kind)).toContain('plugin');
    expect(asked).toBe(0);
  });

  test('that nothing depends on goes, unless it updates an input in place', () => {
    const { net, x } = start();
    const updates = define({ aliases: { y: 'x' } });
    x.plugin(hardSwish);
    x.plugin(updates, {} as never, { name: 'updates' });
    x.relu().output('y');
    expect(layersOf(removeDeadLayers(net)).map(({ name }) => name)).toEqual(['updates', 'activation']);
  });
});

describe('a layer of an existing creator', () => {
  const outputs = [{ dtype: 'float32' as const, shape: ['n', 2] }];

  test('is recorded with what the caller says of it', () => {
    const { net, x } = start();
    const [y, ...others] = x.plugin('Other_TRT', {
      version: '2',
      namespace: 'mine',
      fields: {
        size: new Int32Array([3]),
        factor: new Float32Array([0.5]),
        names: 'abc',
        list: new Int32Array([1, 2]),
        big: new BigInt64Array([2n ** 60n]),
        none: undefined,
      },
      inputs: [x],
      shapeInputs: [x.shapeTensor()],
      outputs,
      name: 'other',
    }) as [Tensor, ...Tensor[]];
    expect(others).toEqual([]);
    expect([y.dtype, y.shape, y.name]).toEqual(['float32', ['n', 2], 'other']);
    expect(net.graph.nodes.at(-1)!.params).toEqual({
      creator: { name: 'Other_TRT', version: '2', namespace: 'mine' },
      fields: [
        { name: 'size', type: 'int32', data: [3] },
        { name: 'factor', type: 'float32', data: [0.5] },
        { name: 'names', type: 'char', data: 'abc' },
        { name: 'list', type: 'int32', data: [1, 2] },
        { name: 'big', type: 'int64', data: [2n ** 60n] },
      ],
      shapeInputs: 1,
      outputs,
    });
    expect(net.graph.nodes.at(-1)!.inputs).toHaveLength(3);
  });

  test('goes through JSON', () => {
    const { net, x } = start();
    net.plugin('Other_TRT', { inputs: [x], fields: { size: new Int32Array([3]) }, outputs })[0]!.output('y');
    const again = Network.fromJSON(JSON.parse(JSON.stringify(net)));
    expect(again.graph.nodes[0]!.params).toEqual(net.graph.nodes[0]!.params);
  });

  test('that is wrong says what', () => {
    const { net, x } = start();
    const message = (options: unknown) => {
      const error = refusal(() => x.plugin('Other_TRT', options as never));
      expect(error.method).toBe('plugin');
      return `${error.code} ${error.message.split('\n')[0]}`;
    };
    expect(message({ verison: '1' })).toMatch(/ERR_PLUGIN plugin: unknown option 'verison'; did you mean 'version'\?/);
    expect(message({ format: 'chw32' })).toMatch(/ERR_PLUGIN plugin: format: inputs and outputs are linear/);
    expect(message({ version: 1 })).toMatch(/version: expected a string, given 1/);
    expect(message({ inputs: x })).toMatch(/inputs: expected a list of at most 1000 tensors/);
    expect(message({ inputs: [5] })).toMatch(/inputs\[0\]: expected a tensor, given 5/);
    expect(message({ fields: [1] })).toMatch(/fields: expected values by name/);
    expect(message({ outputs: [] })).toMatch(/ERR_PARAMETER .*outputs: expected at least 1 entry/);
    expect(message({ outputs: [{ dtype: 'half', shape: [1] }] })).toMatch(/ERR_PARAMETER/);
    expect(message({ outputs: [{ dtype: 'float32', shape: ['n +'] }] })).toMatch(/ERR_PARAMETER/);
    for (const given of [null, 5, 'text', [], x]) expect(message(given)).toMatch(/expected options such as/);
    expect(refusal(() => x.plugin('')).message).toMatch(/expected the name of a plugin creator/);
    expect(refusal(() => x.plugin(5 as never)).message).toMatch(/expected a plugin of definePlugin\(\), given 5/);
    expect(net.graph.nodes).toEqual([]);
  });
});
