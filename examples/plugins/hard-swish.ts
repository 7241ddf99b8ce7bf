import { definePlugin } from 'node-tensorrt';

/** x · clamp(x + 3, 0, 6) / 6, like PyTorch's Hardswish: the simplest plugin, one thread an element. */
export const hardSwish = definePlugin({
  name: 'HardSwish',
  version: '1',
  inputs: ['x'],
  types: [
    { x: 'float32', y: 'float32' },
    { x: 'float16', y: 'float16' },
    { x: 'bfloat16', y: 'bfloat16' },
  ],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: new URL('./hard-swish.cu', import.meta.url),
  launch: ({ x, y, int64, ceilDiv, min }) => [
    {
      kernel: 'hardSwish',
      template: [x.dtype],
      grid: min(ceilDiv(x.size, 256), 65_536),
      block: 256,
      args: [x, y, int64(x.size)],
    },
  ],
  reference: ({ x }) => ({
    y: Array.from(x.data as Float32Array, (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6),
  }),
  decompose: ({ x }) => ({ y: x.hardSwish() }),
});
