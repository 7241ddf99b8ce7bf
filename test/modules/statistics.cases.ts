import type { CosineSimilarityOptions, Tensor } from '../../src/index.js';
import type { LayerCase } from '../layers/harness.js';

const methods: Record<string, (x: Tensor) => Tensor> = {
  var: (x) => x.var({ axis: 1 }),
  var_all: (x) => x.var(),
  var_population: (x) => x.var({ axes: [0, -1], correction: 0, keepDims: true }),
  var_two: (x) => x.var({ axes: [1, 2], correction: 2 }),
  var_one: (x) => x.var({ axis: 1 }),
  var_f16: (x) => x.var({ axes: 1 }),
  var_bf16: (x) => x.var({ axis: 1 }),
  std: (x) => x.std({ axis: -1 }),
  std_keep: (x) => x.std({ axes: [0, 1], keepDims: true }),
  norm: (x) => x.norm({ axis: 1 }),
  norm_one: (x) => x.norm({ p: 1, axis: 1 }),
  norm_zero: (x) => x.norm({ p: 0, axis: 1 }),
  norm_three: (x) => x.norm({ p: 3, axis: 1 }),
  norm_most: (x) => x.norm({ p: Number.POSITIVE_INFINITY, axis: 1 }),
  norm_least: (x) => x.norm({ p: Number.NEGATIVE_INFINITY, axis: 1 }),
  norm_all: (x) => x.norm(),
  norm_f16: (x) => x.norm({ axes: [1, 2], keepDims: true }),
  normalize: (x) => x.normalize(),
  normalize_one: (x) => x.normalize({ p: 1, axis: -1 }),
  normalize_zero: (x) => x.normalize(),
  normalize_f16: (x) => x.normalize({ axis: 0 }),
  logSumExp: (x) => x.logSumExp({ axis: 1 }),
  logSumExp_all: (x) => x.logSumExp(),
  logSumExp_large: (x) => x.logSumExp({ axes: [0, 2], keepDims: true }),
  logSumExp_infinite: (x) => x.logSumExp({ axis: 1 }),
  logSumExp_f16: (x) => x.logSumExp({ axis: -1 }),
  any: (x) => x.any({ axis: 1 }),
  any_all: (x) => x.any(),
  any_keep: (x) => x.any({ axes: [2], keepDims: true }),
  any_none: (x) => x.any({ axis: 1 }),
  any_float: (x) => x.any({ axis: 1 }),
  all: (x) => x.all({ axis: 1 }),
  all_two: (x) => x.all({ axes: [0, 2] }),
  all_none: (x) => x.all({ axis: 1 }),
  all_int32: (x) => x.all({ axis: 1 }),
};
const dynamic = ['var', 'var_all', 'var_two', 'std', 'norm', 'norm_three', 'normalize', 'logSumExp', 'any', 'all'];

const cosines: Record<string, CosineSimilarityOptions> = {
  cosine: {},
  cosine_last: { axis: -1 },
  cosine_eps: { eps: 0.5 },
  cosine_spread: { axis: 2 },
  cosine_rank: { axis: -1 },
  cosine_zero: {},
  cosine_f16: {},
  cosine_bf16: {},
};

const one: LayerCase[] = Object.entries(methods).map(([name, method]) => ({
  name,
  build: ({ x }) => method(x!),
  ...(dynamic.includes(name) && { dynamic: { x: ['batch', 'n', 'w'] } }),
  ...(name.endsWith('_none') && { refused: { gpu: /reduction over statically empty tensor/ } }),
}));

export const cases: LayerCase[] = [
  ...one,
  ...Object.entries(cosines).map(([name, options]) => ({
    name,
    build: ({ x, y }: Record<string, Tensor>) => x!.cosineSimilarity(y!, options),
    ...(name === 'cosine' && { dynamic: { x: ['batch', 'n', 'w'], y: ['batch', 'n', 'w'] } }),
    ...(name === 'cosine_spread' && { dynamic: { x: ['batch', 'n', 'w'], y: [1, 'n', 1] } }),
  })),
];
