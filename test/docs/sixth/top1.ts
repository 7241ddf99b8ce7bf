import { attr, definePlugin } from 'node-tensorrt';
export const top1 = definePlugin({
  name: 'Top1',
  version: '1',
  inputs: ['x', 'bias'],
  ranks: { x: 2, bias: 1 },
  attributes: { scale: attr.float32(1) },
  types: [
    { x: 'float32', bias: 'float32', value: 'float32', index: 'int32' },
    { x: 'float16', bias: 'float16', value: 'float16', index: 'int32' },
  ],
  outputs: ({ x }) => ({ value: [x.shape[0]], index: [x.shape[0]] }),
  cuda: new URL('./top1.cu', import.meta.url),
  tactics: [{ block: 128 }, { block: 256 }],
  launch: ({ x, bias, value, index, scale, int32 }, { block }) => [
    {
      kernel: 'top1',
      template: [x.dtype, block],
      grid: x.shape[0],
      block,
      sharedMemory: block * 8,
      args: [x, bias, value, index, int32(x.shape[1]), scale],
    },
  ],
  reference({ x, bias }, { scale }) {
    const [n, w] = x.shape as number[];
    const value: number[] = [],
      index: number[] = [];
    for (let r = 0; r < n!; r++) {
      let best = -Infinity,
        at = 0;
      for (let i = 0; i < w!; i++) {
        const v = Number(x.data[r * w! + i]) * scale + Number(bias.data[i]);
        if (v > best) {
          best = v;
          at = i;
        }
      }
      value.push(best);
      index.push(at);
    }
    return { value, index };
  },
  decompose({ x, bias }, { scale }) {
    const [value, index] = x.mul(scale).add(bias).topk(1, { axis: 1 });
    return { value: value.reshape([-1]), index: index.reshape([-1]) };
  },
});
