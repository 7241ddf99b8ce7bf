// Public types: options and results of modules, and their parts.

export type { CeluOptions, GluOptions, HardtanhOptions } from './activations.js';
export type { AdaptiveMaxPoolOptions } from './adaptive-max-pool.js';
export type { RollOptions, UnbindOptions } from './axes.js';
export type { BatchNormOptions } from './batch-norm.js';
export type { LikeOptions, MeshgridOptions, TriangleOptions } from './creation.js';
export type { ImageInputOptions } from './image-input.js';
export type { LinearOptions } from './linear.js';
export type { CumprodOptions } from './math.js';
export type { RepeatInterleaveOptions } from './order.js';
export type { AdaptivePoolOptions, GlobalPoolOptions } from './pooling.js';
export type {
  GruOptions,
  LstmOptions,
  LstmResult,
  RecurrentOptions,
  RecurrentResult,
  RnnOptions,
} from './recurrent.js';
export type { RecurrentWeight } from './recurrent-weights.js';
export type { RmsNormOptions } from './rms-norm.js';
export type { CosineSimilarityOptions, NormalizeOptions, NormOptions, VarianceOptions } from './statistics.js';
export type { FoldColumnsOptions, UnfoldOptions } from './windows.js';
