import { readdirSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { TensorSource } from '../../src/dsl/tensor.js';
import {
  bool,
  concat,
  float32,
  imageInput,
  int32,
  Network,
  network,
  stack,
  Tensor,
  TensorRTError,
} from '../../src/index.js';
import { functionCalls, methodCalls } from '../../src/layers/calls/signatures.generated.js';
import { readFixture } from '../layers/fixture.js';
import { type LayerCase, record as recordCase } from '../layers/harness.js';
import { refusal } from '../refusal.js';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/** As text; sizes that only the data tells are numbered anew, places in files are left out. */
const textOf = (net: Network): string =>
  JSON.stringify(net, (key, value) => (key === 'source' ? undefined : value)).replace(/\?\d+/g, '?');

const hurdle = vi.hoisted(() => ({
  /** After how many layers the next call fails; 0: never. */
  at: 0,
  /** Disturbs the outermost calls. */
  disturb: undefined as ((name: string, call: Call) => Call) | undefined,
}));

vi.mock('../../src/index.js', async (original) => {
  const api = (await original()) as Record<string, Call>;
  const disturbed = (name: string): Call =>
    function (this: unknown, ...args) {
      return (hurdle.disturb?.(`${name}()`, api[name]!) ?? api[name]!).apply(this, args);
    };
  return {
    ...api,
    ...Object.fromEntries(['concat', 'stack', 'einsum', 'where', 'imageInput'].map((name) => [name, disturbed(name)])),
  };
});

class Stumble extends TensorRTError {}

const original = Network.prototype.record;
Network.prototype.record = function (this: Network, ...args: Parameters<typeof original>) {
  const tensors = original.apply(this, args);
  if (hurdle.at > 0 && --hurdle.at === 0) throw new Stumble('ERR_SHAPE', 'stumbled');
  return tensors;
} as typeof original;

const reached = new Set<string>();
let depth = 0;

/** Fails after the first layer of the call, then after the second and so on; then goes through. Every failure must leave nothing. */
const disturb = (name: string, call: Call): Call =>
  function (this: unknown, ...args) {
    if (depth > 0) return call.apply(this, args);
    reached.add(name);
    const first = [this, ...args].flat().find((one) => one instanceof TensorSource);
    const net = first instanceof Tensor ? first.network : (first as Network);
    const before = textOf(net);
    depth++;
    try {
      for (let layers = 1; ; layers++) {
        hurdle.at = layers;
        try {
          return call.apply(this, args);
        } catch (error) {
          if (!(error instanceof Stumble)) throw error;
          expect(textOf(net), `after ${layers} layers of ${name}`).toBe(before);
        }
      }
    } finally {
      hurdle.at = 0;
      depth--;
    }
  };

for (const prototype of [TensorSource.prototype, Network.prototype] as unknown as Record<string, Call>[]) {
  for (const [name, method] of Object.entries(prototype)) {
    if (!Object.hasOwn(methodCalls, name)) continue;
    prototype[name] = function (this: unknown, ...args) {
      return (hurdle.disturb?.(name, method) ?? method).apply(this, args);
    };
  }
}

describe('a call that fails after any of its layers leaves the network as it was', () => {
  for (const area of ['layers', 'modules'] as const) {
    const folder = new URL(`../${area}/`, import.meta.url);
    test.each(readdirSync(folder).filter((file) => file.endsWith('.cases.ts')))(`${area}: %s`, async (file) => {
      const { cases } = (await import(new URL(file, folder).href)) as { cases: LayerCase[] };
      const fixture = readFixture(file.replace('.cases.ts', ''), area);
      for (const one of cases) {
        const make = () => textOf(recordCase(one, fixture.get(one.name)!, Boolean(one.dynamic)).net);
        hurdle.disturb = undefined;
        const calm = make();
        hurdle.disturb = disturb;
        expect(make(), one.name).toBe(calm);
      }
      hurdle.disturb = undefined;
    });
  }

  test('of what no case records', () => {
    const net = network('others', { x: float32(2, 'n') });
    hurdle.disturb = disturb;
    net.activation({ type: 'relu' }).reduce({ operation: 'sum', axes: [1] });
    net.tensor().mod(2);
    net.randomUniform([net.tensor().dim(1), 2]).add(net.randomNormal([2, 2]));
    imageInput(net, 'image', { height: 4, width: 4, dtype: 'float16' }).output('pixels');
    hurdle.disturb = undefined;
    expect(net.graph.nodes.map(({ kind }) => kind)).toContain('reduce');
  });

  test('for every method and function', () => {
    const all = [...Object.keys(methodCalls), ...Object.keys(functionCalls).map((name) => `${name}()`)];
    expect(all.filter((name) => !reached.has(name))).toEqual([]);
  });
});

describe('after a refusal that was caught', () => {
  const kernel = () => ({ name: 'w', shape: [3, 3], data: new Float32Array(9) });
  const start = () => network('caught', { x: float32('n', 3), i: int32('n', 3), go: bool() });
  const mine = new Error('mine');
  const refusals: [string, (x: Tensor, i: Tensor, go: Tensor) => unknown][] = [
    ['stack of two dtypes', (x, i) => x.stack(i)],
    ['the function stack', (x, i) => stack([x, i])],
    ['stack along an axis too far', (x) => x.stack(x, { axis: 7 })],
    ['a sum whose constant came first', (x) => x.add([1, 2, 3, 4])],
    ['a layer norm of another size', (x) => x.layerNorm({ weight: { shape: [5], data: new Float32Array(5) } })],
    ['a name that is taken', (x) => x.var({ name: 'taken' })],
    ['a recurrent layer whose state does not fit', (x) => x.lstm({ ...lstm(3, 2), hidden: x })],
    [
      'a loop whose body throws',
      (x) =>
        x.network.loop({ count: x.dim(0), state: { x } }, ({ x }) => {
          x.linear({ weight: kernel() }).relu({ name: 'inside' });
          throw mine;
        }),
    ],
    [
      'a loop whose state changes its shape',
      (x) => x.network.loop({ state: { x }, count: 3 }, ({ x }) => ({ state: { x: x.mean({ axis: 0 }) } })),
    ],
    [
      'branches that differ',
      (x, i, go) =>
        x.network.if(
          go,
          () => x.relu(),
          () => [x, i.add(1)],
        ),
    ],
    [
      'a branch that marks outputs and adds inputs',
      (x, _, go) =>
        x.network.if(
          go,
          () => x.network.input('late', float32('m')).relu(),
          () => {
            x.output('early');
            throw mine;
          },
        ),
    ],
  ];
  const lstm = (features: number, size: number) => ({
    weight_ih_l0: { shape: [4 * size, features], data: new Float32Array(4 * size * features) },
    weight_hh_l0: { shape: [4 * size, size], data: new Float32Array(4 * size * size) },
  });
  /** What is recorded afterwards: it takes the names and numbers that the refused call had. */
  const rest = (net: Network) => {
    const [x, , go] = net.inputs as [Tensor, Tensor, Tensor];
    const y = x.linear({ weight: kernel() }).stack(x).relu({ name: 'inside' });
    const sizes = net.dims([x.dim(0).mul(2), 3]);
    net
      .if(
        go,
        () => y.mul(2),
        () => y,
      )
      .output('y');
    net.loop({ count: x.dim(0), state: { z: x } }, ({ z }) => ({ state: { z: z.add(1) } })).state.z.output('z');
    sizes.output('sizes');
    net.input('late', float32('m')).neg().output('early');
    return net;
  };

  test.each(refusals)('%s', async (_, refused) => {
    const net = start();
    net.inputs[0]!.relu({ name: 'taken' });
    const [x, i, go] = net.inputs as [Tensor, Tensor, Tensor];
    const before = textOf(net);
    expect(() => refused(x, i, go)).toThrow();
    expect(textOf(net)).toBe(before);
    const calm = start();
    calm.inputs[0]!.relu({ name: 'taken' });
    expect(textOf(rest(net))).toBe(textOf(rest(calm)));
    using engine = await net.build({ profiles: [{ n: 2, m: 2 }] });
    expect(engine.outputs.map(({ name }) => name)).toEqual(['y', 'z', 'sizes', 'early']);
  });

  test('other networks that it met are as they were, too', () => {
    const [one, other] = [start(), start()];
    const before = textOf(other);
    expect(refusal(() => one.inputs[0]!.stack(other.inputs[0]!)).code).toBe('ERR_FOREIGN_TENSOR');
    expect(refusal(() => stack([one.inputs[0]!, other.inputs[0]!])).code).toBe('ERR_FOREIGN_TENSOR');
    expect([textOf(one), textOf(other)]).toEqual([before, before]);
  });

  test('what was caught inside a body takes its own layers only', () => {
    const net = start();
    const [x, i, go] = net.inputs as [Tensor, Tensor, Tensor];
    const record = (fails: boolean) =>
      net.if(
        go,
        () => {
          const y = x.relu();
          if (fails) expect(refusal(() => y.stack(i)).code).toBe('ERR_DTYPE');
          return y.neg();
        },
        () => x,
      );
    record(true);
    const kinds = net.graph.nodes[0]!.bodies!.then!.nodes.map(({ kind, id }) => [kind, id]);
    expect(kinds).toEqual([
      ['activation', 0],
      ['unary', 1],
    ]);
  });

  test('a tensor that went with its call is refused', () => {
    const net = start();
    const [x, , go] = net.inputs as [Tensor, Tensor, Tensor];
    let lost!: Tensor;
    expect(() =>
      net.if(
        go,
        () => {
          lost = net.input('late', float32(2));
          throw mine;
        },
        () => x,
      ),
    ).toThrow(mine);
    net.input('late', float32(3));
    const error = refusal(() => lost.relu());
    expect(error).toMatchObject({ code: 'ERR_FOREIGN_TENSOR', message: expect.stringContaining('call that failed') });
    expect(refusal(() => lost.output('y')).code).toBe('ERR_FOREIGN_TENSOR');
    expect(refusal(() => concat([x, lost])).code).toBe('ERR_FOREIGN_TENSOR');
  });

  test('an automatic name is free again', () => {
    const net = start();
    const [x] = net.inputs as [Tensor];
    refusal(() => x.softmax({ axis: 9 }));
    expect(x.softmax().name).toBe('softmax');
  });
});
