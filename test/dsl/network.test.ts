import { describe, expect, test } from 'vitest';
import {
  bool,
  concat,
  float32,
  int32,
  type Network,
  network,
  type Tensor,
  TensorRTError,
  where,
} from '../../src/index.js';
import { refusal } from '../refusal.js';

/** The line this is called from. */
const here = () => Number(/:(\d+):\d+\)?$/.exec(new Error().stack!.split('\n')[2]!)![1]);

const net1 = () => network('one', { x: float32('batch', 3, 8, 8) });
const kernel = (name?: string) => ({ shape: [3, 3, 1, 1], data: new Float32Array(9), ...(name && { name }) });
const names = (net: Network) => net.graph.nodes.map((node) => node.name);

describe('names', () => {
  test('default to the kind, made unique', () => {
    const net = net1();
    net.relu().sigmoid().relu();
    expect(names(net)).toEqual(['activation', 'activation_1', 'activation_2']);
  });

  test('come from the weights they were stored under', () => {
    const net = net1();
    net
      .conv2d({ weight: kernel('features.0.weight') })
      .conv2d({ weight: kernel('features.0.weight') })
      .conv2d({ weight: kernel('weight') })
      .conv2d({ weight: kernel(), bias: { name: 'head.bias', shape: [3], data: new Float32Array(3) } });
    expect(names(net)).toEqual(['features.0', 'features.0_1', 'convolution', 'head']);
  });

  test('scopes nest, also when their function throws', () => {
    const net = net1();
    net.scope('outer', () => {
      net.relu();
      expect(() =>
        net.scope('broken', () => {
          throw new RangeError('mine');
        }),
      ).toThrow(RangeError);
      const inner = net.scope('inner', () => net.relu({ name: 'mine' }));
      expect(inner.name).toBe('outer.inner.mine');
    });
    net.relu();
    expect(names(net)).toEqual(['outer.activation', 'outer.inner.mine', 'activation']);
  });

  test('a given name must be new in its scope', () => {
    const net = net1();
    net.relu({ name: 'a' });
    const error = refusal(() => net.relu({ name: 'a' }));
    expect(error).toMatchObject({ code: 'ERR_DUPLICATE_NAME', message: expect.stringContaining("'a' exists already") });
    expect(net.scope('s', () => net.relu({ name: 'a' })).name).toBe('s.a');
  });

  test('automatic names keep out of the way of given ones', () => {
    const net = net1();
    net.relu({ name: 'activation' }).relu({ name: 'activation_1' });
    net.relu().relu();
    expect(new Set(names(net)).size).toBe(4);
  });

  test('a name is free again where the layer was refused', () => {
    const net = net1();
    expect(() => net.conv2d({ name: 'c', weight: kernel(), stride: 0 })).toThrow(TensorRTError);
    expect(net.conv2d({ name: 'c', weight: kernel() }).name).toBe('c');
    expect(names(net)).toEqual(['c']);
  });

  test.each<[string, unknown]>([
    ['an empty name', ''],
    ['a number', 3],
    ['null', null],
    ['a name with NUL', 'a\0b'],
    ['a name of 4,096 bytes', 'x'.repeat(4096)],
    [
      'a name that cannot be shown',
      {
        toString: () => {
          throw new Error('no');
        },
      },
    ],
    ['a bigint', 10n],
  ])('%s is refused everywhere', (_, name) => {
    for (const use of [
      () => network(name as string),
      () => net1().input(name as string, float32(1)),
      () => net1().relu({ name: name as string }),
      () =>
        net1()
          .relu()
          .output({ name: name as string }),
      () => net1().scope(name as string, () => 0),
      // An object there is options, not a name.
      ...(typeof name === 'object' && name
        ? []
        : [
            () =>
              net1()
                .relu()
                .output(name as string),
          ]),
    ]) {
      const error = refusal(use);
      expect(error.code).toBe('ERR_NAME');
      expect(error.source?.file).toBe(import.meta.filename);
    }
  });

  test('an object in place of an output’s name is read as options', () => {
    const error = refusal(() =>
      net1()
        .relu()
        .output({ nam: 'y' } as never),
    );
    expect(error).toMatchObject({
      code: 'ERR_PARAMETER',
      message: expect.stringContaining("there is no option 'nam'; there are name, format"),
    });
  });

  test('scope wants a function', () => {
    expect(refusal(() => net1().scope('s', undefined as never)).code).toBe('ERR_INPUT');
  });
});

describe('inputs and outputs', () => {
  test('a network with one input carries its methods', () => {
    const net = net1();
    expect(net.relu().shape).toEqual(['batch', 3, 8, 8]);
  });

  test('with none or several there is no place to start', () => {
    const none = refusal(() => network('none').relu());
    expect(none).toMatchObject({
      code: 'ERR_NO_SINGLE_INPUT',
      message: expect.stringContaining("'none' has no input"),
    });
    const two = network('two', { a: float32(1), b: float32(1) });
    const several = refusal(() => two.relu());
    expect(several.message).toMatch(/has 2 inputs \(a, b\)/);
    expect(several.source?.file).toBe(import.meta.filename);
    expect(two.inputs[0]!.relu().shape).toEqual([1]);
  });

  test('tensor gives an input by its name', () => {
    const two = network('two', { ids: int32('n'), mask: float32('n') });
    expect(two.tensor('mask')).toBe(two.inputs[1]);
    expect(two.tensor('ids')).toBe(two.inputs[0]);
    const none = refusal(() => two.tensor('masks'));
    expect(none).toMatchObject({ code: 'ERR_NAME', expected: ['ids', 'mask'], actual: 'masks' });
    expect(none.message).toContain("network 'two' has no input 'masks'; did you mean 'mask'?");
    expect(none.source?.file).toBe(import.meta.filename);
    expect(refusal(() => two.tensor('hidden states')).message).toContain('; its inputs are ids, mask');
    expect(refusal(() => network('none').tensor('x')).message).toContain('; its inputs are none');
    expect(refusal(() => two.tensor(0 as never)).code).toBe('ERR_INPUT');
    // An output is none, whatever its name.
    two.tensor('mask').relu({ name: 'relu' }).output('y');
    for (const name of ['y', 'relu', '']) expect(refusal(() => two.tensor(name)).code).toBe('ERR_NAME');
  });

  test('an input or output name can be used once', () => {
    const net = net1();
    expect(refusal(() => net.input('x', float32(1))).code).toBe('ERR_DUPLICATE_NAME');
    const y = net.relu().output('y');
    expect(refusal(() => net.sigmoid().output('y')).code).toBe('ERR_DUPLICATE_NAME');
    expect(refusal(() => net.sigmoid().output('x')).code).toBe('ERR_DUPLICATE_NAME');
    expect(refusal(() => net.input('y', float32(1))).code).toBe('ERR_DUPLICATE_NAME');
    expect(y.name).toBe('y');
  });

  test('marking again under the same name changes nothing; another name is another output', () => {
    const net = net1();
    const y = net.relu().output('y').output('y').output('z');
    expect(net.outputs.map(({ name, tensor }) => [name, tensor])).toEqual([
      ['y', y],
      ['z', y],
    ]);
    expect(y.name).toBe('y');
  });

  test('output returns the tensor, which goes on', () => {
    const net = net1();
    net.relu().output('a').sigmoid().output();
    expect(net.outputs.map(({ name }) => name)).toEqual(['a', 'activation_1']);
  });
});

describe('debug tensors', () => {
  test('are marked once, in the order of the calls', () => {
    const net = net1();
    const b = net.sigmoid({ name: 'b' });
    const a = net.relu({ name: 'a' }).debug();
    expect(b.debug().debug()).toBe(b);
    expect(net.debugTensors).toEqual([a, b]);
  });

  test('are made by layers of the outermost graph', () => {
    const net = network('cond', { x: float32(2), on: bool() });
    const [x, on] = net.inputs as [Tensor, Tensor];
    expect(refusal(() => x.debug())).toMatchObject({ code: 'ERR_INPUT', source: { file: import.meta.filename } });
    const inside = () =>
      net.if(
        on,
        () => x.relu().debug(),
        () => x,
      );
    expect(refusal(inside).code).toBe('ERR_NESTED_TENSOR');
    expect(refusal(() => net.markDebug(net1().relu())).code).toBe('ERR_FOREIGN_TENSOR');
    expect(net.debugTensors).toEqual([]);
  });

  test('go with a call that fails', () => {
    const net = network('cond', { x: float32(2), on: bool() });
    const y = net.inputs[0]!.relu();
    const failing = () => {
      y.debug();
      throw new Error('no');
    };
    expect(() => net.if(net.inputs[1]!, failing, failing)).toThrow('no');
    const failed = net.debugTensors.length;
    expect([failed, y.debug().network.debugTensors]).toEqual([0, [y]]);
  });
});

describe('tensors', () => {
  test('of another network are refused, wherever they are passed', () => {
    const [net, other] = [net1(), net1()];
    const stranger = other.relu();
    for (const use of [
      () => net.add(stranger),
      () => net.tensor().matmul(stranger),
      () => concat([net.tensor(), stranger]),
      () => net.markOutput(stranger, 'y'),
    ]) {
      const error = refusal(use);
      expect(error).toMatchObject({ code: 'ERR_FOREIGN_TENSOR', message: expect.stringContaining("'one'") });
      expect(error.source?.file).toBe(import.meta.filename);
    }
  });

  test('of a closed body are refused', () => {
    const net = network('cond', { x: float32(2), on: bool() });
    const x = net.inputs[0]!;
    let inside: Tensor | undefined;
    net.if(
      net.inputs[1]!,
      () => {
        inside = x.relu();
        return inside;
      },
      () => x,
    );
    for (const use of [() => inside!.sigmoid(), () => x.add(inside!), () => inside!.output('y')]) {
      const error = refusal(use);
      expect(error.code).toBe('ERR_NESTED_TENSOR');
      expect(error.source?.file).toBe(import.meta.filename);
    }
  });

  test('what is none is refused', () => {
    for (const value of [{}, Symbol('x'), Object.create(null), () => 1]) {
      const error = refusal(() => net1().add(value as never));
      expect(error.source?.file).toBe(import.meta.filename);
    }
  });

  test('shapes cannot be changed', () => {
    const x = net1().relu();
    expect(() => (x.shape as number[]).push(1)).toThrow(TypeError);
    expect(x.rank).toBe(4);
    expect(`${x}`).toBe('Tensor(activation: float32[batch, 3, 8, 8])');
  });
});

describe('the place in the caller’s code', () => {
  const at = (error: TensorRTError) => [error.source?.file, error.source?.line];

  test('of a refused layer, in the message too', () => {
    const net = net1();
    const line = here() + 1;
    const error = refusal(() => net.conv2d({ weight: { shape: [3, 4, 1, 1], data: new Float32Array(12) } }));
    expect(at(error)).toEqual([import.meta.filename, line]);
    expect(error.message).toContain(`recorded at ${import.meta.filename}:${line}`);
    expect(error).toMatchObject({ code: 'ERR_SHAPE', kind: 'convolution', layer: 'convolution' });
  });

  test('of layers that a method made of others recorded', () => {
    const net = network('m', { x: float32(2, 6) });
    const line = here() + 1;
    net.tensor().add([1, 2, 3, 4, 5, 6]).mul(2).flatten();
    const json = net.toJSON();
    expect(json.nodes.length).toBeGreaterThan(3);
    for (const { source } of json.nodes) expect([source?.file, source?.line]).toEqual([import.meta.filename, line]);
    const other = network('w', { x: float32(2), m: bool(3, 2) });
    const begin = here() + 1;
    where(other.inputs[1]!, other.inputs[0]!, 3);
    concat([other.inputs[0]!, other.inputs[0]!]);
    for (const { source } of other.toJSON().nodes) {
      expect(source?.file).toBe(import.meta.filename);
      expect([begin, begin + 1]).toContain(source?.line);
    }
  });

  test('of layers within scopes and bodies', () => {
    const net = network('b', { x: float32(2), on: bool() });
    const [x, on] = net.inputs as [Tensor, Tensor];
    const line = here() + 1;
    net.scope('s', () => {
      net.if(
        on,
        () => x.relu(),
        () => x.sigmoid(),
      );
    });
    const [node] = net.toJSON().nodes;
    expect(node!.source?.line).toBe(line + 1);
    const inner = Object.values(node!.bodies!).flatMap((body) => body.nodes.map((n) => n.source?.line));
    expect(inner).toEqual([line + 3, line + 4]);
  });

  test('of functions beside methods', () => {
    const net = network('f', { x: float32(2), i: int32(2), m: bool(2) });
    const [x, i, m] = net.inputs as [Tensor, Tensor, Tensor];
    const line = here() + 1;
    const errors = [
      refusal(() => concat([x, i])),
      refusal(() => where(x, x, x)),
      refusal(() => where(m, x, [1, 2, 3])),
      refusal(() => concat([])),
    ];
    for (const [k, error] of errors.entries()) {
      if (k < 3) expect(at(error)).toEqual([import.meta.filename, line + 1 + k]);
    }
  });

  test('survives an error that is thrown in between', () => {
    const net = net1();
    expect(() => net.relu({ name: '' })).toThrow();
    const line = here() + 1;
    const error = refusal(() => net.relu({ name: '' }));
    expect(error.source?.line).toBe(line);
  });

  test('Error.stackTraceLimit stays the caller’s', () => {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 3;
    net1().relu();
    expect(Error.stackTraceLimit).toBe(3);
    Error.stackTraceLimit = before;
  });
});

describe('parameters', () => {
  test.each<[string, unknown, RegExp]>([
    ['a bigint', 2n, /stride.*given/],
    ['NaN', Number.NaN, /given (\[?NaN|NaN)/],
    ['a list with a bigint', [1, 2n], /given 2n/],
    ['text', 'two', /given/],
    ['something circular', circular(), /given/],
    ['a null', [null, 1], /given null/],
    ['zero', 0, /given 0/],
  ])('%s as a stride is refused with what was given', (_, stride, message) => {
    const error = refusal(() => net1().conv2d({ weight: kernel(), stride: stride as number }));
    expect(error.message).toMatch(message);
    expect(error.source?.file).toBe(import.meta.filename);
  });
});

function circular(): unknown {
  const list: unknown[] = [1];
  list.push(list);
  return list;
}
