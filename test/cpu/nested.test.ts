import { expect, it } from 'vitest';
import { z } from 'zod';
import { createCpuModel } from '../../src/cpu/session.js';
import { type CpuGraph, type CpuValue, defineLayer } from '../../src/dsl/define-layer.js';
import { bfloat16, bool, float32, int64, network, type Tensor } from '../../src/index.js';

const params = z.strictObject({});

const add = defineLayer({
  kind: 'test_add',
  params,
  infer: ({ input }) => ({ dtype: input(0).dtype, shape: input(0).shape }),
  cpu: (g, { input }) => g.op('Add', [input(0), input(1)]),
});

/** Inputs: trip count, initial states. The body maps (states) to (next states, one value to collect). */
const loop = defineLayer({
  kind: 'test_loop',
  params,
  infer({ bodies, input }) {
    const outputs = bodies.body!;
    const trips = input(0).contents?.[0] ?? 'trips';
    return outputs.map(({ dtype, shape }, i) => ({
      dtype,
      shape: i < outputs.length - 1 ? shape : [trips, ...shape],
    }));
  },
  cpu(g, { input, inputs, bodies, outputTypes }) {
    const { inputTypes, write } = bodies.body!;
    const counters = [
      { dtype: 'int64', shape: [] },
      { dtype: 'bool', shape: [] },
    ] as const;
    const body = g.body([...counters, ...inputTypes], (b: CpuGraph, [, go, ...states]: CpuValue[]) => [
      go!,
      ...write(b, states),
    ]);
    return g.ops('Loop', [input(0), null, ...inputs.slice(1)], { body }, outputTypes.length);
  },
});

const branch = defineLayer({
  kind: 'test_if',
  params,
  infer: ({ bodies }) => bodies.true!.map(({ dtype, shape }) => ({ dtype, shape })),
  cpu(g, { input, bodies, outputTypes }) {
    const side = (role: string) => g.body([], (b) => bodies[role]!.write(b, []));
    return g.ops('If', [input(0)], { then_branch: side('true'), else_branch: side('false') }, outputTypes.length);
  },
});

const plus = (a: Tensor, b: Tensor, name?: string): Tensor =>
  a.network.record(add, { inputs: [a, b], params: {}, name })[0]!;

function repeat(trips: Tensor, initial: Tensor[], body: (states: Tensor[]) => Tensor[]): Tensor[] {
  const types = initial.map((type, i) => ({ name: `state${i}`, type }));
  const nested = trips.network.nest(types, body);
  return trips.network.record(loop, { inputs: [trips, ...initial], params: {}, bodies: { body: nested } });
}

function choose(condition: Tensor, then: () => Tensor[], otherwise: () => Tensor[]): Tensor[] {
  const { network } = condition;
  const bodies = { true: network.nest([], then), false: network.nest([], otherwise) };
  return network.record(branch, { inputs: [condition], params: {}, bodies });
}

it('runs a loop that captures values of the graph around it', async () => {
  const net = network('loop', { trips: int64(), x: float32(2), step: float32(2) });
  const [trips, x, step] = net.inputs as [Tensor, Tensor, Tensor];
  const twice = plus(step, step);
  const [last, all] = repeat(trips, [x], ([state]) => {
    const next = plus(state!, twice);
    return [next, next];
  });
  last!.output('last');
  all!.output('all');
  using model = await createCpuModel(net);
  const feeds = { x: [1, 2], step: [1, 10] };
  const { last: l, all: a } = await model.run({ trips: 3, ...feeds });
  expect(Array.from(l!.toFloat32())).toEqual([7, 62]);
  expect(a!.shape).toEqual([3, 2]);
  expect(Array.from(a!.toFloat32())).toEqual([3, 22, 5, 42, 7, 62]);
  const none = await model.run({ trips: 0, ...feeds });
  expect(Array.from(none.last!.toFloat32())).toEqual([1, 2]);
  expect(none.all!.shape).toEqual([0, 2]);
});

it('runs a conditional within a loop, whose branches give captured values, states and new ones', async () => {
  const net = network('nested', { trips: int64(), flag: bool(), x: float32(1), one: float32(1) });
  const [trips, flag, x, one] = net.inputs as [Tensor, Tensor, Tensor, Tensor];
  const [last] = repeat(trips, [x], ([state]) => {
    const [chosen, captured] = choose(
      flag,
      () => [plus(state!, one), one],
      () => [state!, x],
    );
    return [plus(chosen!, captured!), chosen!];
  });
  last!.output('last');
  using model = await createCpuModel(net);
  const run = async (flag: boolean) => (await model.run({ trips: 4, flag, x: [3], one: [1] })).last!.toFloat32()[0];
  expect(await run(true)).toBe(3 + 4 * 2);
  expect(await run(false)).toBe(3 + 4 * 3);
});

it('rounds bfloat16 within a body', async () => {
  const net = network('rounding', { trips: int64(), x: bfloat16(1), tiny: bfloat16(1) });
  const [trips, x, tiny] = net.inputs as [Tensor, Tensor, Tensor];
  const [last] = repeat(trips, [x], ([state]) => [plus(state!, tiny), state!]);
  last!.output('last');
  using model = await createCpuModel(net);
  // 1 + 2^-8 is a tie that rounds back to 1 each time; in float32 eight of them would make 1.03125.
  const { last: l } = await model.run({ trips: 8, x: [1], tiny: [2 ** -8] });
  expect(l!.toFloat32()[0]).toBe(1);
});

it('names the nested layer at fault', async () => {
  const net = network('fault', { trips: int64(), x: float32('n'), y: float32('m') });
  const [trips, x, y] = net.inputs as [Tensor, Tensor, Tensor];
  const [last] = repeat(trips, [x], ([state]) => [plus(state!, y, 'inner'), state!]);
  last!.output('last');
  using model = await createCpuModel(net);
  await expect(model.run({ trips: 1, x: [1, 2], y: [1, 2, 3] })).rejects.toMatchObject({
    code: 'ERR_CPU_BACKEND',
    layer: 'inner',
    source: { file: import.meta.filename },
  });
});
