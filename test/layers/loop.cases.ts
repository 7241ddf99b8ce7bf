import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

type Inputs = Record<string, Tensor>;
type Build = (inputs: Inputs) => Tensor[];

const net = (tensor: Tensor) => tensor.network;

/** The last state and all states of `next(state, slice)` over the slices of x. */
function scan(
  { x, h }: Inputs,
  next: (state: Tensor, slice: Tensor) => Tensor,
  options: { axis?: number; reverse?: boolean; count?: number | string | Tensor } = {},
): Tensor[] {
  const { count, ...iterate } = options;
  const { state, outputs } = net(x!).loop(
    { ...(count !== undefined && { count }), state: { h: h! }, iterate: { x: { tensor: x!, ...iterate } } },
    ({ h, x }) => {
      const value = next(h, x);
      return { state: { h: value }, outputs: { all: value } };
    },
  );
  return [state.h, outputs.all];
}

const sum: Build = (inputs) => scan(inputs, (h, x) => h.add(x));
const decay = (h: Tensor, x: Tensor) => h.mul(0.5).add(x);

const repeat = (h: Tensor, count: number | Tensor): Tensor[] => {
  const { state } = net(h).loop({ count, state: { h } }, ({ h }) => ({ state: { h: h.mul(0.5).add(1) } }));
  return [state.h];
};

const repeatAll = (h: Tensor, count: Tensor): Tensor[] => {
  const { state, outputs } = net(h).loop({ count, state: { h } }, ({ h }) => {
    const next = h.mul(0.5).add(1);
    return { state: { h: next }, outputs: { all: next } };
  });
  return [state.h, outputs.all];
};

function collected(inputs: Inputs, axis: number, reverse: boolean): Tensor[] {
  const { x, h } = inputs as { x: Tensor; h: Tensor };
  const { outputs } = net(x).loop({ state: { h }, iterate: { x } }, ({ h, x }) => {
    const next = decay(h, x);
    return { state: { h: next }, outputs: { all: { tensor: next, axis, reverse } } };
  });
  return [outputs.all];
}

/** Triples a number and counts the iterations. */
function triple(s: Tensor, limits: { below?: number; count?: number }): Tensor[] {
  const i = net(s).constant(0, { dtype: 'int32' });
  const { below, count } = limits;
  const { state } = net(s).loop(
    { ...(count !== undefined && { count }), while: ({ s }) => s.lt(below!), state: { s, i } },
    ({ s, i }) => ({ state: { s: s.mul(3), i: i.add(1) } }),
  );
  return [state.s, state.i];
}

// TensorRT confuses a reshaped slice with the whole tensor if that was widened or gathered.
const columns = (h: Tensor, x: Tensor) => h.mul(0.5).add(x.unsqueeze(-1));
/** Slices by their number. A state does not depend on them: only then are gathered tensors confused too. */
function counting(x: Tensor): Tensor[] {
  const { outputs } = net(x).loop(
    { state: { n: net(x).zeros([1]) }, iterate: { x: { tensor: x, axis: 1 } } },
    ({ n, x }) => {
      const next = n.add(1);
      return { state: { n: next }, outputs: { all: x.unsqueeze(-1).cast('float32').mul(next) } };
    },
  );
  return [outputs.all];
}
const swapped = (x: Tensor) => x.gather(net(x).constant([1, 0], { dtype: 'int32' }));

const builds: Record<string, Build> = {
  count: ({ h }) => repeat(h!, 4),
  count_zero: ({ h }) => repeat(h!, 0),
  count_one: ({ h }) => repeat(h!, 1),
  iterate: sum,
  count_dim: (inputs) => scan(inputs, (h, x) => h.add(x), { count: inputs.x!.shape[0]! }),
  count_tensor: (inputs) => scan(inputs, (h, x) => h.add(x), { count: net(inputs.x!).constant(5, { dtype: 'int64' }) }),
  count_below_size: (inputs) => scan(inputs, (h, x) => h.add(x), { count: 3 }),
  reverse_below_size: (inputs) => scan(inputs, decay, { count: 3, reverse: true }),
  two_iterators: ({ x, y, h }) => {
    const iterate = { a: x!, b: { tensor: y!, axis: -1, reverse: true } };
    const { state, outputs } = net(x!).loop({ state: { h: h! }, iterate }, ({ h, a, b }) => {
      const next = h.add(a.matmul(b));
      return { state: { h: next }, outputs: { all: next } };
    });
    return [state.h, outputs.all];
  },
  no_state: ({ x }) => {
    const { outputs } = net(x!).loop({ iterate: { x: x! } }, ({ x }) => ({
      outputs: { y: { tensor: x.exp(), axis: 1 } },
    }));
    return [outputs.y];
  },
  scalars: ({ x }) => {
    const zero = net(x!).constant(0);
    const { outputs } = net(x!).loop({ state: { zero }, iterate: { x: x! } }, ({ zero, x }) => {
      const next = zero.add(x);
      return { state: { zero: next }, outputs: { y: next } };
    });
    return [outputs.y];
  },
  fibonacci: ({ a, b }) => {
    const { state } = net(a!).loop({ count: 6, state: { a: a!, b: b! } }, ({ a, b }) => ({
      state: { b: a.add(b), a: b },
    }));
    return [state.a, state.b];
  },
  unchanged: ({ h }) => {
    const { state } = net(h!).loop({ count: 3, state: { a: h!, b: h! } }, ({ a, b }) => ({
      state: { a, b: b.mul(2) },
    }));
    return [state.a, state.b];
  },
  while: ({ s }) => triple(s!, { below: 100 }),
  count_input_int32: ({ h, k }) => repeat(h!, k!),
  count_input_int64: ({ h, k }) => repeat(h!, k!),
  count_input_int32_collect: ({ h, k }) => repeatAll(h!, k!),
  count_input_int64_collect: ({ h, k }) => repeatAll(h!, k!),
  count_input_iterate: (inputs) => scan(inputs, (h, x) => h.add(x), { count: inputs.k! }),
  length_input: ({ s, k }) => {
    const { outputs } = net(s!).loop({ while: ({ s }) => s.lt(100), state: { s: s! } }, ({ s }) => ({
      state: { s: s.mul(3) },
      outputs: { trail: { tensor: s, length: k! } },
    }));
    return [outputs.trail];
  },
  while_at_once: ({ s }) => triple(s!, { below: 100 }),
  while_count: ({ s }) => triple(s!, { below: 100, count: 3 }),
  while_before_count: ({ s }) => triple(s!, { below: 100, count: 9 }),
  while_output: ({ s }) => {
    const { outputs } = net(s!).loop({ while: ({ s }) => s.lt(100), state: { s: s! } }, ({ s }) => ({
      state: { s: s.mul(3) },
      outputs: { trail: { tensor: s, length: 5 } },
    }));
    return [outputs.trail];
  },
  loop_in_loop: (inputs) =>
    scan(inputs, (h, x) => {
      const zero = h.mul(0);
      const { state } = net(x).loop({ state: { zero }, iterate: { x } }, ({ zero, x }) => ({
        state: { zero: zero.add(x) },
      }));
      return h.mul(0.5).add(state.zero);
    }),
  if_in_loop: (inputs) =>
    scan(inputs, (h, x) =>
      net(x).if(
        x.sum().gt(0),
        () => h.add(x),
        () => h.sub(x),
      ),
    ),
  embedded: ({ x, ids }) => counting(x!.gather(ids!)),
  gathered_i64: ({ x }) => counting(swapped(x!)),
  gathered_bool: ({ x }) => counting(swapped(x!)),
  f16: sum,
  bf16: sum,
  i32: sum,
  i64: sum,
  bool: (inputs) => scan(inputs, (h, x) => h.logicalXor(x)),
};
for (const axis of [0, 1, 2]) {
  for (const reverse of [false, true]) {
    builds[`axis${axis}${reverse ? '_reverse' : ''}`] = (inputs) => scan(inputs, decay, { axis: axis - 3, reverse });
    builds[`${reverse ? 'reverse_output' : 'concatenate'}${axis}`] = (inputs) => collected(inputs, axis, reverse);
  }
}
for (const dtype of ['f16', 'bf16']) {
  builds[`widened_${dtype}`] = ({ x, h }) => scan({ x: x!.cast('float32'), h: h! }, columns, { axis: 1 });
  builds[`widened_${dtype}_moved`] = ({ x, h }) =>
    scan({ x: x!.cast('float32').identity().transpose([2, 1, 0]), h: h! }, columns, { axis: 1 });
}
/** Collected by a loop that iterates over nothing: TensorRT-RTX collects those only in order and along axis 0. */
function counted(h: Tensor, count: number | string, axis: number, reverse: boolean): Tensor[] {
  const { outputs } = net(h).loop({ count, state: { h } }, ({ h }) => {
    const next = h.mul(0.5).add(1);
    return { state: { h: next }, outputs: { all: { tensor: next, axis, reverse }, plain: h } };
  });
  return [outputs.all, outputs.plain];
}
for (const axis of [0, 1, 2]) {
  for (const reverse of [false, true]) {
    builds[`count_${reverse ? 'reverse_output' : 'concatenate'}${axis}`] = ({ h }) => counted(h!, 4, axis, reverse);
  }
}
builds.count_dim_output = ({ h }) => counted(h!, h!.shape[0]! as string, 1, true);
builds.while_output1_reverse = ({ s }) => {
  const { outputs } = net(s!).loop({ while: ({ s }) => s.max().lt(100), state: { s: s! } }, ({ s }) => ({
    state: { s: s.mul(3) },
    outputs: { trail: { tensor: s, length: 5, axis: 1, reverse: true } },
  }));
  return [outputs.trail];
};
for (const value of ['yes', 'no']) {
  builds[`loop_in_if_${value}`] = ({ cond, x, h }) => [
    net(x!).if(
      cond!,
      () => sum({ x: x!, h: h! })[0]!,
      () => h!,
    ),
  ];
}

const dynamic: Record<string, LayerCase['dynamic']> = {
  iterate: { x: ['n', 'b', 3], h: ['b', 3] },
  count_dim: { x: ['n', 'b', 3], h: ['b', 3] },
  axis1_reverse: { x: [5, 'n', 3] },
  concatenate2: { x: ['n', 2, 3] },
  reverse_output1: { x: ['n', 'b', 3], h: ['b', 3] },
  loop_in_loop: { x: ['n', 'm', 3] },
  if_in_loop: { x: ['n', 2, 3] },
  count_input_int64_collect: { h: ['n', 3] },
  widened_f16: { x: ['b', 'n', 3], h: ['b', 3, 1] },
  widened_bf16_moved: { x: [3, 'n', 'b'], h: ['b', 3, 1] },
  embedded: { ids: ['b', 'n'] },
  count_concatenate1: { h: ['n', 3] },
  count_reverse_output2: { h: ['n', 'm'] },
  count_dim_output: { h: ['n', 3] },
};

/** A count alone decides no shape. */
const ranges: Record<string, LayerCase['ranges']> = {
  count_input_int32_collect: { k: [1, 3, 6] },
  count_input_int64_collect: { k: [0, 3, 6] },
  count_input_iterate: { k: [1, 2, 5] },
  length_input: { k: [5, 5, 9] },
};

const unknown: Record<string, LayerCase['unknown']> = {
  count_input_int32_collect: { 1: [0] },
  count_input_int64_collect: { 1: [0] },
  count_input_iterate: { 1: [0] },
  length_input: { 0: [0] },
};

// TensorRT 10.6 expects as many iterations as slices; RTX and onnxruntime accept fewer.
const refused: Record<string, LayerCase['refused']> = { count_input_iterate: { gpu: /expected shape \[5,2,3\]/ } };

export const cases: LayerCase[] = Object.entries(builds).map(([name, build]) => ({
  name,
  build,
  ...(dynamic[name] && { dynamic: dynamic[name] }),
  ...(ranges[name] && { ranges: ranges[name] }),
  ...(unknown[name] && { unknown: unknown[name] }),
  ...(refused[name] && { refused: refused[name] }),
}));
