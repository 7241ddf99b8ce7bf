import { TensorSource } from '../dsl/tensor.js';
import { addMethods } from '../layers/table.js';
import { type ActivationModuleMethods, activationModuleMethods } from './activations.js';
import { type AxesMethods, axesMethods } from './axes.js';
import { type BatchNormMethods, batchNormMethods } from './batch-norm.js';
import { type CreationMethods, creationMethods } from './creation.js';
import { type DivisionMethods, divisionMethods } from './division.js';
import { type LinearMethods, linearMethods } from './linear.js';
import { type MathMethods, mathMethods } from './math.js';
import { type PoolingModuleMethods, poolingModuleMethods } from './pooling.js';
import { type RecurrentMethods, recurrentMethods } from './recurrent.js';
import { type RmsNormMethods, rmsNormMethods } from './rms-norm.js';
import { type StatisticsMethods, statisticsMethods } from './statistics.js';

declare module '../dsl/tensor.js' {
  interface TensorSource
    extends ActivationModuleMethods,
      AxesMethods,
      BatchNormMethods,
      CreationMethods,
      DivisionMethods,
      LinearMethods,
      MathMethods,
      RecurrentMethods,
      PoolingModuleMethods,
      RmsNormMethods,
      StatisticsMethods {}
}

/** Adds the methods of all modules to tensors and networks; called once by the package's entry, after `installLayers`. */
export function installModules(): void {
  for (const methods of [
    activationModuleMethods,
    axesMethods,
    batchNormMethods,
    creationMethods,
    divisionMethods,
    linearMethods,
    mathMethods,
    recurrentMethods,
    poolingModuleMethods,
    rmsNormMethods,
    statisticsMethods,
  ])
    addMethods(TensorSource.prototype, methods);
}
