import type { LayerCase } from './harness.js';

/** Assertions that hold, beside a computation. */
export const cases: LayerCase[] = [
  {
    name: 'scalar',
    build: ({ x }) => {
      x!.shapeTensor().select(0, 0).gt(1).assert('expected at least two rows');
      return x!.relu();
    },
    dynamic: { x: ['n', 3] },
  },
  {
    name: 'vector',
    build: ({ x }) => {
      x!.shapeTensor().gt(1).assert('expected sizes above 1');
      return x!.relu();
    },
    dynamic: { x: ['n', 'm'] },
  },
  {
    name: 'two_inputs',
    build: ({ x, y }) => {
      x!.shapeTensor().eq(y!.shapeTensor()).assert('expected one shape');
      return x!.add(y!);
    },
    dynamic: { x: ['n', 'm'], y: ['n', 'm'] },
  },
];
