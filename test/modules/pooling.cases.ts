import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  global: (x) => x.globalAvgPool(),
  global_flat: (x) => x.globalAvgPool({ keepDims: false }),
  global3d: (x) => x.globalAvgPool(),
  global_f16: (x) => x.globalAvgPool(),
  adaptive_default: (x) => x.adaptiveAvgPool2d(),
  adaptive: (x) => x.adaptiveAvgPool2d({ outputSize: [2, 3] }),
  adaptive_same: (x) => x.adaptiveAvgPool2d({ outputSize: [4, 6] }),
  adaptive_one: (x) => x.adaptiveAvgPool2d({ outputSize: 2 }),
  adaptive_uneven: (x) => x.adaptiveAvgPool2d({ outputSize: [3, 4] }),
  adaptive_larger: (x) => x.adaptiveAvgPool2d({ outputSize: 7 }),
  adaptive_height: (x) => x.adaptiveAvgPool2d({ outputSize: [3, 6] }),
  adaptive_width: (x) => x.adaptiveAvgPool2d({ outputSize: [4, 5] }),
  adaptive_f16: (x) => x.adaptiveAvgPool2d({ outputSize: [3, 4] }),
  adaptive_bf16: (x) => x.adaptiveAvgPool2d({ outputSize: [3, 4] }),
  adaptive_dynamic_f16: (x) => x.adaptiveAvgPool2d({ outputSize: [3, 4] }),
  adaptive_torchvision: (x) => x.adaptiveAvgPool2d({ outputSize: 7 }),
};

const anySize = [
  'global',
  'adaptive_default',
  'adaptive_one',
  'adaptive_larger',
  'adaptive_height',
  'adaptive_dynamic_f16',
  'adaptive_torchvision',
];

export const cases: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }: Record<string, Tensor>) => method(x!),
  ...(['adaptive_uneven', 'adaptive'].includes(name) && { dynamic: { x: ['batch', 'channels', 4, 6] } }),
  ...(name === 'adaptive_width' && { dynamic: { x: ['batch', 3, 4, 'width'] } }),
  ...(anySize.includes(name) && { dynamic: { x: ['batch', 'channels', 'height', 'width'] } }),
}));
