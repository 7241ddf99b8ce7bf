import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  relu: (x) => x.relu(),
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  leaky_relu: (x) => x.leakyRelu({ negativeSlope: 0.2 }),
  elu: (x) => x.elu({ alpha: 0.7 }),
  selu: (x) => x.selu(),
  softsign: (x) => x.softsign(),
  softplus: (x) => x.softplus({ beta: 2 }),
  clip: (x) => x.clamp({ min: -0.5, max: 1.25 }),
  clip_min: (x) => x.clamp({ min: 0.25 }),
  hard_sigmoid: (x) => x.hardSigmoid(),
  scaled_tanh: (x) => x.scaledTanh({ alpha: 1.5, beta: 0.5 }),
  thresholded_relu: (x) => x.thresholdedRelu({ threshold: 0.75 }),
  gelu_erf: (x) => x.gelu(),
  gelu_tanh: (x) => x.gelu({ approximate: 'tanh' }),
};

export const cases: LayerCase[] = [
  ...Object.entries(methods).flatMap(([name, method]) =>
    ['', '_f16', '_bf16'].map((suffix) => ({
      name: name + suffix,
      build: ({ x }: Record<string, Tensor>) => method(x!),
      ...(suffix === '' && { dynamic: { x: ['batch', 3, 'n'] } }),
    })),
  ),
  ...['rank0', 'size0', 'size1'].map((name) => ({ name, build: ({ x }: Record<string, Tensor>) => x!.relu() })),
  { name: 'clamp_int32', build: ({ x }) => x!.clamp({ min: -2, max: 3 }), dynamic: { x: ['n'] } },
  { name: 'clamp_int64', build: ({ x }) => x!.clamp({ min: -2, max: 3 }) },
  { name: 'clamp_int_min', build: ({ x }) => x!.clamp({ min: -2 }) },
  { name: 'clamp_int_max', build: ({ x }) => x!.clamp({ max: 3 }) },
  { name: 'clamp_tensor', build: ({ x, low }) => x!.clamp({ min: low!, max: 1 }), dynamic: { x: ['n', 3], low: [3] } },
  { name: 'clamp_size', build: ({ x }) => x!.clamp({ max: x!.dim(0) }), dynamic: { x: ['n', 3] } },
];
