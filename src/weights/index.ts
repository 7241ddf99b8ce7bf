export type { Overflow } from './convert.js';
export { type FileDType, fileDTypes, type WeightDType, weightDTypes } from './dtype.js';
export type { WeightFormat } from './formats/parsed-file.js';
export { loadWeights, parseWeights } from './load.js';
export type { Projection } from './porting/checks.js';
export {
  type BatchNormScaleOptions,
  type BatchNormWeights,
  batchNormScale,
  type FoldBatchNormOptions,
  foldBatchNorm,
  foldWeightNorm,
  type WeightNormWeights,
} from './porting/fold.js';
export {
  gateOrders,
  type LstmFromTensorFlowOptions,
  type LstmLayerOptions,
  type LstmWeights,
  lstmFromTensorFlow,
  lstmToTensorFlow,
  reorderGates,
  type TensorFlowLstm,
} from './porting/gates.js';
export { type AttentionWeights, type QkvOptions, splitQkv } from './porting/split-qkv.js';
export type { Expected, WeightsReport } from './report.js';
export { difference, statistics, type WeightDifference, type WeightStatistics } from './statistics.js';
export { type GetOptions, type LayerWeights, type StrictOptions, type WeightInfo, Weights } from './store.js';
export { type AsOptions, Weight, type WeightConcatOptions, type WeightParts, weight } from './weight.js';
export { saveSafetensors, type WriteProgress } from './write.js';
