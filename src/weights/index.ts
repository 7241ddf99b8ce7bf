export { fileDTypes, type WeightDType, weightDTypes } from './dtype.js';
export type { WeightFormat } from './entry.js';
export { loadWeights, parseWeights } from './load.js';
export {
  type BatchNormWeights,
  batchNormScale,
  foldBatchNorm,
  gateOrders,
  joined as joinWeights,
  type LstmOptions,
  type LstmWeights,
  lstmFromTensorFlow,
  lstmToTensorFlow,
  type Projection,
  type QkvOptions,
  reorderGates,
  splitQkv,
} from './port.js';
export type { Expected, WeightsReport } from './report.js';
export { difference, statistics, type WeightDifference, type WeightStatistics } from './statistics.js';
export { type GetOptions, type LayerWeights, type StrictOptions, type WeightInfo, Weights } from './store.js';
export { Weight, weight } from './weight.js';
export { saveSafetensors, type WriteProgress } from './write.js';
