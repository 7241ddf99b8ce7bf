import type { Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  silu: (x) => x.silu(),
  swish: (x) => x.swish(),
  mish: (x) => x.mish(),
  hardSwish: (x) => x.hardSwish(),
  relu6: (x) => x.relu6(),
  hardtanh: (x) => x.hardtanh(),
  hardtanh_wide: (x) => x.hardtanh({ minVal: -2, maxVal: 0.5 }),
  logSigmoid: (x) => x.logSigmoid(),
  celu: (x) => x.celu(),
  celu_alpha: (x) => x.celu({ alpha: 2.5 }),
  celu_negative: (x) => x.celu({ alpha: -3 }),
  glu: (x) => x.glu(),
  glu_axis: (x) => x.glu({ axis: 0 }),
  logSoftmax: (x) => x.logSoftmax(),
  logSoftmax_axis: (x) => x.logSoftmax({ axis: 0 }),
};

export const cases: LayerCase[] = [
  ...Object.entries(methods).flatMap(([name, method]) =>
    ['', '_f16', '_bf16'].map((suffix) => ({
      name: name + suffix,
      build: ({ x }: Record<string, Tensor>) => method(x!),
      ...(suffix === '' && { dynamic: { x: ['batch', 3, 'n'] } }),
      // Every layer of the chain rounds its result, and log-sum-exp adds to numbers of size 10.
      ...(suffix !== '' && { tolerance: suffix === '_f16' ? { atol: 1e-2, rtol: 4e-3 } : { atol: 8e-2, rtol: 3e-2 } }),
    })),
  ),
  { name: 'logSoftmax_large', build: ({ x }) => x!.logSoftmax() },
  // Nothing absolute: log(sigmoid(20)) is −2e-9.
  { name: 'logSigmoid_far', build: ({ x }) => x!.logSigmoid(), tolerance: { atol: 0, rtol: 2e-6 } },
  { name: 'celu_far', build: ({ x }) => x!.celu({ alpha: 0.5 }) },
];
