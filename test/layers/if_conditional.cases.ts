import type { Tensor } from '../../src/index.js';
import type { Stored } from './fixture.js';
import type { LayerCase } from './harness.js';

/** Records a conditional. */
type Choose = (cond: Tensor, x: Tensor, w: Record<string, Stored>, inner: Tensor) => Tensor | Tensor[];

const arithmetic: Choose = (cond, x) =>
  cond.network.if(
    cond,
    () => x.add(x),
    () => x.sub(1),
  );

/** Each runs with a true and with a false condition. */
const chosen: Record<string, Choose> = {
  one_tensor: (cond, x) =>
    cond.network.if(
      cond,
      () => x.mul(2).add(1),
      () => x.neg(),
    ),
  list: (cond, x) =>
    cond.network.if(
      cond,
      () => [x.exp(), x.sum({ axis: 1 })],
      () => [x.abs(), x.matmul([[1], [0], [0]]).reshape([2])],
    ),
  weights: (cond, x, { a, b }) =>
    cond.network.if(
      cond,
      () => x.matmul(a!),
      () => x.matmul(b!),
    ),
  shapes_differ: (cond, x) =>
    cond.network.if(
      cond,
      () => x,
      () => x.sum({ axis: 0, keepDims: true }),
    ),
  // One branch returns a tensor from outside, the other a constant from outside.
  untouched: (cond, x, { w }) => {
    const constant = cond.network.constant(w!);
    return cond.network.if(
      cond,
      () => x,
      () => constant,
    );
  },
  reshape: (cond, x) =>
    cond.network.if(
      cond,
      () => x.reshape([3, 2]),
      () => x.transpose(),
    ),
  f16: arithmetic,
  bf16: arithmetic,
  i32: arithmetic,
  i64: arithmetic,
  rank0: (cond, x) =>
    cond.network.if(
      cond,
      () => x.sqrt(),
      () => x.neg(),
    ),
  bool: (cond, x) =>
    cond.network.if(
      cond,
      () => x.logicalAnd(cond.reshape([1])),
      () => x.logicalNot(),
    ),
};

const nested: Choose = (cond, x, _, inner) =>
  cond.network.if(
    cond,
    () =>
      cond.network.if(
        inner,
        () => x.add(1),
        () => x.add(2),
      ),
    () =>
      cond.network.if(
        inner,
        () => x.mul(3),
        () => x.mul(4),
      ),
  );

const computed: LayerCase['build'] = ({ x }, _, net) =>
  net.if(
    x!.sum().gt(0),
    () => x!.sqrt(),
    () => x!,
  );

const values = ['yes', 'no'];

/** TensorRT 10.6 requires that both branches have one shape. */
const shapesRefused: LayerCase['refused'] = { gpu: /dimensions not compatible for if-conditional outputs/ };

export const cases: LayerCase[] = [
  ...Object.entries(chosen).flatMap(([name, choose]) =>
    values.map((value) => ({
      name: `${name}_${value}`,
      build: ({ cond, x }: Record<string, Tensor>, w: Record<string, Stored>) => choose(cond!, x!, w, cond!),
      ...(['one_tensor', 'weights', 'shapes_differ'].includes(name) && { dynamic: { x: ['n', 3] } }),
      ...(name === 'shapes_differ' && { refused: shapesRefused, unknown: { 0: [0] } }),
    })),
  ),
  ...values.flatMap((value) =>
    values.map((inner) => ({
      name: `nested_${value}_${inner}`,
      build: ({ cond, x, inner }: Record<string, Tensor>) => nested(cond!, x!, {}, inner!),
    })),
  ),
  ...['positive', 'negative'].map((value) => ({ name: `computed_${value}`, build: computed })),
];
