import { float32 } from '../../../src/index.js';
import { type PlanCases, ramp } from '../case.js';

export const cases: PlanCases = {
  convolution(net) {
    net
      .input('x', float32(1, 4, 9, 10))
      .conv2d({
        weight: ramp([6, 2, 3, 2]),
        bias: ramp([6], 1),
        stride: [2, 1],
        dilation: [1, 2],
        groups: 2,
        prePadding: [1, 2],
        postPadding: [0, 3],
      })
      .output('y');
  },
};
