import type { Tensor } from '../../src/index.js';
import type { LayerCase } from './harness.js';

type Given = NonNullable<Parameters<Tensor['instanceNorm']>[0]>;

const methods: Record<string, (x: Tensor, given: Given) => Tensor> = {
  layer: (x) => x.layerNorm(),
  layer_affine: (x, given) => x.layerNorm({ normalizedShape: 4, ...given }),
  layer_no_bias: (x, given) => x.layerNorm(given),
  layer_two: (x, given) => x.layerNorm({ normalizedShape: [3, 4], ...given }),
  layer_eps: (x, given) => x.layerNorm({ ...given, eps: 0.5 }),
  layer_axis: (x, given) => x.layerNorm({ ...given, axes: [-2] }),
  layer_rank1: (x, given) => x.layerNorm(given),
  layer_rank5: (x, given) => x.layerNorm(given),
  layer_size0: (x, given) => x.layerNorm(given),
  layer_f16: (x, given) => x.layerNorm(given),
  layer_bf16: (x, given) => x.layerNorm(given),
  instance: (x) => x.instanceNorm(),
  instance_affine: (x, given) => x.instanceNorm(given),
  instance_rank3: (x, given) => x.instanceNorm(given),
  instance_rank5: (x, given) => x.instanceNorm(given),
  instance_f16: (x, given) => x.instanceNorm(given),
  instance_bf16: (x, given) => x.instanceNorm(given),
  group: (x) => x.groupNorm({ groups: 3 }),
  group_affine: (x, given) => x.groupNorm({ groups: 3, ...given }),
  group_no_bias: (x, given) => x.groupNorm({ groups: 2, ...given }),
  group_eps: (x, given) => x.groupNorm({ groups: 2, eps: 0.1, ...given }),
  group_one: (x, given) => x.groupNorm({ groups: 1, ...given }),
  group_each: (x, given) => x.groupNorm({ groups: 6, ...given }),
  group_rank3: (x, given) => x.groupNorm({ groups: 2, ...given }),
  group_rank5: (x, given) => x.groupNorm({ groups: 2, ...given }),
  group_name: (x, given) => x.groupNorm({ numGroups: 3, ...given }),
  group_f16: (x, given) => x.groupNorm({ groups: 3, ...given }),
  group_bf16: (x, given) => x.groupNorm({ groups: 3, ...given }),
};
const dynamic: Record<string, LayerCase['dynamic']> = {
  layer: { x: ['batch', 'time', 4] },
  layer_affine: { x: ['batch', 'time', 4] },
  layer_axis: { x: ['batch', 3, 'n'] },
  instance_affine: { x: ['batch', 6, 'height', 'width'] },
  group_affine: { x: ['batch', 6, 'height', 'width'] },
  group_one: { x: ['batch', 6, 'height', 'width'] },
};

export const cases: LayerCase[] = [
  ...Object.entries(methods).map(([name, method]) => ({
    name,
    build: ({ x }: Record<string, Tensor>, weights: Given) => method(x!, weights),
    ...(dynamic[name] && { dynamic: dynamic[name] }),
  })),
  { name: 'layer_tensors', build: ({ x, weight, bias }) => x!.layerNorm({ weight, bias }) },
];
