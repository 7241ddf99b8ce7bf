import { Chain } from '../dsl/tensor.js';
import { type ActivationMethods, activation, activationMethods } from './activation.js';
import { type ConvolutionMethods, convolution, convolutionMethods } from './convolution.js';

/** Every layer kind, one row each. */
export const layerTable = [activation, convolution];

declare module '../dsl/tensor.js' {
  interface Chain extends ActivationMethods, ConvolutionMethods {}
}

/** Puts the methods of all layers on tensors and networks; called once by the package's entry. */
export function installLayers(): void {
  const all = [activationMethods, convolutionMethods];
  for (const methods of all) {
    for (const name of Object.keys(methods)) {
      if (name in Chain.prototype) throw new Error(`layer method '${name}' is defined twice`);
    }
    Object.assign(Chain.prototype, methods);
  }
}
