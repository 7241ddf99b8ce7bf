export { fileDTypes, type WeightDType, weightDTypes } from './dtype.js';
export type { WeightFormat } from './entry.js';
export { loadWeights, parseWeights } from './load.js';
export type { Expected, WeightsReport } from './report.js';
export { type GetOptions, type LayerWeights, Weights } from './store.js';
export { Weight, weight } from './weight.js';
