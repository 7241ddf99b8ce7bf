import { bool, float16, float32, int32, type Tensor } from '../../../src/index.js';
import type { PlanCases } from '../case.js';

export const cases: PlanCases = {
  /** Every iteration reads a slice of each tensor. States return their last value, outputs a list of all values. */
  loop_iterate(net) {
    const x = net.input('x', float32(4, 3));
    const y = net.input('y', float32(2, 4));
    const h = net.input('h', float32(3));
    const { state, outputs } = net.loop(
      { state: { h }, iterate: { x, y: { tensor: y, axis: 1, reverse: true } }, name: 'L' },
      ({ h, x, y }) => {
        const next = h.mul(0.5).add(x);
        return {
          state: { h: next },
          outputs: { all: next, back: { tensor: next, reverse: true }, inner: { tensor: y, axis: 1 } },
        };
      },
    );
    state.h.output('last');
    for (const [name, tensor] of Object.entries(outputs)) tensor.output(name);
  },

  /** max(x, x) stands before iterators over widened and gathered tensors, `or` if they are bool. */
  loop_widened(net) {
    const x = net.input('x', float16(2, 4));
    const y = net.input('y', bool(2, 4));
    const h = net.input('h', float32(2, 1));
    const iterate = {
      x: { tensor: x.cast('float32'), axis: 1 },
      y: { tensor: y.gather([1, 0], { axis: 0 }), axis: 1 },
    };
    const { state, outputs } = net.loop({ state: { h }, iterate, name: 'L' }, ({ h, x, y }) => {
      const next = h.mul(0.5).add(x.reshape([2, 1]));
      return { state: { h: next }, outputs: { y: y.reshape([1, 2]) } };
    });
    state.h.output('last');
    outputs.y.output('all');
  },

  loop_count: {
    options: { profiles: [{ n: [1, 3, 9] }] },
    record(net) {
      const h = net.input('h', float32(3));
      const count = net.input('n', int32());
      net.loop({ count, state: { h }, name: 'L' }, ({ h }) => ({ state: { h: h.relu() } })).state.h.output('y');
    },
  },

  /**
   * Two states that swap while the first is small, up to a maximum number of iterations. TensorRT numbers such loops within
   * the process and writes the number into the plan, so there can be only one of them.
   */
  loop_while(net) {
    const a = net.input('a', float32());
    const b = net.input('b', float32());
    const { state } = net.loop({ count: 7, while: ({ a }) => a.lt(10), state: { a, b }, name: 'L' }, ({ a, b }) => ({
      state: { a: b, b: a.add(b) },
    }));
    state.a.output('first');
    state.b.output('second');
  },

  /** The length of an output is its own `length`. */
  loop_length(net) {
    const h = net.input('h', float32(2));
    const { outputs } = net.loop({ while: ({ h }) => h.max().lt(9), state: { h }, name: 'L' }, ({ h }) => {
      const next = h.add(1);
      return { state: { h: next }, outputs: { all: { tensor: next, length: 5 } } };
    });
    outputs.all.output('y');
  },

  /** Without slices, outputs are collected in order along axis 0. What is asked for is made of that. */
  loop_rearranged(net) {
    const h = net.input('h', float32(3));
    const { outputs } = net.loop({ count: 4, state: { h }, name: 'L' }, ({ h }) => {
      const next = h.relu();
      return { state: { h: next }, outputs: { back: { tensor: next, axis: 1, reverse: true } } };
    });
    outputs.back.output('y');
  },

  /** One iteration per row of a tensor. (Plans of loops over slices of a dynamic axis differ from build to build.) */
  loop_dynamic: {
    options: { profiles: [{ t: [1, 4, 16] }] },
    record(net) {
      const x = net.input('x', float32('t', 3));
      const h = net.input('h', float32(3));
      net
        .loop({ count: x.dim(0), state: { h }, name: 'L' }, ({ h }) => ({ state: { h: h.mul(0.5) } }))
        .state.h.output('y');
      x.relu().output('z');
    },
  },

  /** Inside a loop, a state that nothing uses afterwards has no layer. */
  loop_nested(net) {
    const x = net.input('x', float32(3, 2));
    const h = net.input('h', float32(2));
    const { state } = net.loop({ state: { h }, iterate: { x }, name: 'outer' }, ({ h, x }) => {
      const inner = net.loop({ count: 2, state: { unused: x, h }, name: 'inner' }, ({ unused, h }) => ({
        state: { unused: unused.add(h), h: h.mul(x) },
      }));
      return { state: { h: inner.state.h } };
    });
    state.h.output('y');
  },

  /** A branch takes tensors through its own layers, and repeats constants. */
  if_conditional(net) {
    const hot = net.input('hot', { dtype: 'bool', shape: [] });
    const x = net.input('x', float32(2, 3));
    const y = net.input('y', float32(2, 3));
    const k = net.constant([1, 2, 3], { dtype: 'float32', shape: [1, 3] });
    net
      .if(
        hot,
        () => x.relu().add(k),
        () => y.sub(x),
        { name: 'C' },
      )
      .output('z');
  },

  /** The branches take the network's first input, too. */
  if_conditional_outputs(net) {
    const x = net.input('x', float32(2, 3));
    const hot = net.input('hot', { dtype: 'bool', shape: [] });
    const both: [Tensor, Tensor] = net.if(
      hot,
      () => [x.exp(), x.neg()],
      () => [x.abs(), x.sin()],
      { name: 'D' },
    );
    both[0].output('first');
    both[1].output('second');
  },

  dist_collective(net) {
    const x = net.input('x', float32(4, 3));
    for (const reduce of ['sum', 'prod', 'max', 'min', 'avg'] as const)
      x.distCollective({ operation: 'all_reduce', reduce }).output(reduce);
    x.distCollective({ operation: 'all_reduce', groups: [1, 0] }).output('groups');
    x.distCollective({ operation: 'reduce', root: 0 }).output('reduce');
    x.distCollective({ operation: 'broadcast', root: 1, ranks: 2 }).output('broadcast');
  },

  dist_collective_sizes(net) {
    const x = net.input('x', float32(4, 3));
    for (const operation of ['all_gather', 'gather', 'scatter', 'reduce_scatter', 'all_to_all'] as const)
      x.distCollective({ operation, ranks: 2 }).output(operation);
  },
};
