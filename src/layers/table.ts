import { Network } from '../dsl/network.js';
import { Chain } from '../dsl/tensor.js';
import { type ActivationMethods, activation, activationMethods } from './activation.js';
import { type ConstantMethods, constant, constantMethods } from './constant.js';
import { type ConvolutionMethods, convolution, convolutionMethods } from './convolution.js';
import { type PoolingMethods, pooling, poolingMethods } from './pooling.js';
import { type ReduceMethods, reduce, reduceMethods } from './reduce.js';
import { type SoftmaxMethods, softmax, softmaxMethods } from './softmax.js';
import { type UnaryMethods, unary, unaryMethods } from './unary.js';

/** Every layer kind, one row each. */
export const layerTable = [activation, constant, convolution, unary, softmax, reduce, pooling];

declare module '../dsl/network.js' {
  interface Network extends ConstantMethods {}
}

declare module '../dsl/tensor.js' {
  interface Chain
    extends ActivationMethods,
      ConvolutionMethods,
      UnaryMethods,
      SoftmaxMethods,
      ReduceMethods,
      PoolingMethods {}
}

/** Puts the methods of all layers on tensors and networks; called once by the package's entry. */
export function installLayers(): void {
  const all = [activationMethods, convolutionMethods, unaryMethods, softmaxMethods, reduceMethods, poolingMethods];
  for (const methods of all) {
    for (const name of Object.keys(methods)) {
      if (name in Chain.prototype) throw new Error(`layer method '${name}' is defined twice`);
    }
    Object.assign(Chain.prototype, methods);
  }
  Object.assign(Network.prototype, constantMethods);
}
