import { definePlugin } from 'node-tensorrt';

/** An engine of 10 ms that uses one multiprocessor. */
export const spin = definePlugin({
  name: 'Spin',
  version: '1',
  inputs: ['x'],
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: new URL('./spin.cu', import.meta.url),
  launch: ({ x, y }) => [{ kernel: 'spin', template: [10_000_000], grid: 1, block: 1, args: [x, y] }],
});
