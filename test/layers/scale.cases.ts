import type { ScaleOptions } from '../../src/layers/kinds/scale.js';
import type { LayerCase } from './harness.js';

const options: Record<string, ScaleOptions> = {
  uniform: {},
  channel: {},
  elementwise: {},
  channel_last: { channelAxis: -1 },
  elementwise_last: { channelAxis: 2 },
  elementwise_all: { channelAxis: 0 },
  shift_only: {},
  scale_only: {},
  power_only: {},
  numbers: { scale: 2, shift: [1, 2, 3] },
  nothing: {},
  float16: {},
  float16_power: {},
  bfloat16: {},
  bfloat16_power: {},
  elementwise_float16: {},
  elementwise_bfloat16: {},
  rank1: { channelAxis: 0 },
  rank2: {},
  rank3: { mode: 'channel' },
  rank5: {},
  rank6: {},
  rank2_elementwise: { mode: 'elementwise' },
  size0: {},
  size1: { mode: 'channel' },
};

export const cases: LayerCase[] = Object.entries(options).map(([name, given]) => ({
  name,
  build: ({ x }, { scale, shift, power }) => x!.scale({ scale, shift, power, ...given }),
  ...(['uniform', 'channel', 'numbers', 'power_only'].includes(name) && {
    dynamic: { x: ['batch', 3, 'height', 'width'] },
  }),
  ...(name === 'elementwise' && { dynamic: { x: ['batch', 3, 4, 5] } }),
  ...(name === 'rank2' && { dynamic: { x: ['batch', 3] } }),
}));
