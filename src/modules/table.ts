import { Chain } from '../dsl/tensor.js';
import { addMethods } from '../layers/table.js';
import { type BatchNormMethods, batchNormMethods } from './batch-norm.js';

declare module '../dsl/tensor.js' {
  interface Chain extends BatchNormMethods {}
}

/** Puts the methods of all modules on tensors and networks; called once by the package's entry, after `installLayers`. */
export function installModules(): void {
  for (const methods of [batchNormMethods]) addMethods(Chain.prototype, methods);
}
