// Public types: options and results of modules, and their parts.

export type { GluOptions, HardtanhOptions } from './activations.js';
export type { RollOptions, UnbindOptions } from './axes.js';
export type { BatchNormOptions } from './batch-norm.js';
export type { LikeOptions, MeshgridOptions, TriangleOptions } from './creation.js';
export type { LinearOptions } from './linear.js';
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
export type { NormalizeOptions, NormOptions, VarianceOptions } from './statistics.js';
