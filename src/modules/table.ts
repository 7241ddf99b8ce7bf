import { TensorSource } from '../dsl/tensor.js';
import { addMethods } from '../layers/table.js';
import { type ActivationModuleMethods, activationModuleMethods } from './activations.js';
import { type AdaptiveMaxPoolMethods, adaptiveMaxPoolMethods } from './adaptive-max-pool.js';
import { type AxesMethods, axesMethods } from './axes.js';
import { type BatchNormMethods, batchNormMethods } from './batch-norm.js';
import { type CreationMethods, creationMethods } from './creation.js';
import { type DivisionMethods, divisionMethods } from './division.js';
import { imageInput } from './image-input.js';
import { type LinearMethods, linearMethods } from './linear.js';
import { type MathMethods, mathMethods } from './math.js';
import { type OrderMethods, orderMethods } from './order.js';
import { type PoolingModuleMethods, poolingModuleMethods } from './pooling.js';
import { type RecurrentMethods, recurrentMethods } from './recurrent.js';
import { type RmsNormMethods, rmsNormMethods } from './rms-norm.js';
import { type StatisticsMethods, statisticsMethods } from './statistics.js';
import { type WindowMethods, windowMethods } from './windows.js';

declare module '../dsl/tensor.js' {
  interface TensorSource
    extends ActivationModuleMethods,
      AdaptiveMaxPoolMethods,
      AxesMethods,
      BatchNormMethods,
      CreationMethods,
      DivisionMethods,
      LinearMethods,
      MathMethods,
      OrderMethods,
      RecurrentMethods,
      PoolingModuleMethods,
      RmsNormMethods,
      StatisticsMethods,
      WindowMethods {}
}

/** Exported functions made of several layers. */
export const moduleFunctions = { imageInput };

/** Adds the methods of all modules to tensors and networks; called once by the package's entry, after `installLayers`. */
export function installModules(): void {
  for (const methods of [
    activationModuleMethods,
    adaptiveMaxPoolMethods,
    axesMethods,
    batchNormMethods,
    creationMethods,
    divisionMethods,
    linearMethods,
    mathMethods,
    orderMethods,
    recurrentMethods,
    poolingModuleMethods,
    rmsNormMethods,
    statisticsMethods,
    windowMethods,
  ])
    addMethods(TensorSource.prototype, methods);
}
