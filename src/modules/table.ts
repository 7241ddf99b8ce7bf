import { Chain } from '../dsl/tensor.js';
import { addMethods } from '../layers/table.js';
import { type ActivationModuleMethods, activationModuleMethods } from './activations.js';
import { type BatchNormMethods, batchNormMethods } from './batch-norm.js';
import { type LinearMethods, linearMethods } from './linear.js';
import { type PoolingModuleMethods, poolingModuleMethods } from './pooling.js';
import { type RecurrentMethods, recurrentMethods } from './recurrent.js';
import { type RmsNormMethods, rmsNormMethods } from './rms-norm.js';
import { type RsqrtMethods, rsqrtMethods } from './rsqrt.js';

declare module '../dsl/tensor.js' {
  interface Chain
    extends ActivationModuleMethods,
      BatchNormMethods,
      LinearMethods,
      RecurrentMethods,
      PoolingModuleMethods,
      RmsNormMethods,
      RsqrtMethods {}
}

/** Puts the methods of all modules on tensors and networks; called once by the package's entry, after `installLayers`. */
export function installModules(): void {
  for (const methods of [
    activationModuleMethods,
    batchNormMethods,
    linearMethods,
    recurrentMethods,
    poolingModuleMethods,
    rmsNormMethods,
    rsqrtMethods,
  ])
    addMethods(Chain.prototype, methods);
}
