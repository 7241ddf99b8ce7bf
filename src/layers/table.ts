import { Network } from '../dsl/network.js';
import { Chain } from '../dsl/tensor.js';
import { type ActivationMethods, activation, activationMethods } from './activation.js';
import { type CastMethods, cast, castMethods } from './cast.js';
import { type ConcatenationMethods, concatenation, concatenationMethods } from './concatenation.js';
import { type ConstantMethods, constant, constantMethods } from './constant.js';
import { type ConvolutionMethods, convolution, convolutionMethods } from './convolution.js';
import { type ElementWiseMethods, elementWise, elementWiseMethods } from './element_wise.js';
import { type IdentityMethods, identity, identityMethods } from './identity.js';
import { type IfConditionalMethods, ifConditional, ifConditionalMethods } from './if_conditional.js';
import { loop } from './loop.js';
import { type LoopMethods, loopMethods } from './loop-method.js';
import { type MatrixMultiplyMethods, matrixMultiply, matrixMultiplyMethods } from './matrix_multiply.js';
import { type PoolingMethods, pooling, poolingMethods } from './pooling.js';
import { type ReduceMethods, reduce, reduceMethods } from './reduce.js';
import { type ScaleMethods, scale, scaleMethods } from './scale.js';
import { type ShuffleMethods, shuffle, shuffleMethods } from './shuffle.js';
import { type SoftmaxMethods, softmax, softmaxMethods } from './softmax.js';
import { type UnaryMethods, unary, unaryMethods } from './unary.js';

/** Every layer kind, one row each. */
export const layerTable = [
  ifConditional,
  loop,
  shuffle,
  matrixMultiply,
  identity,
  elementWise,
  concatenation,
  cast,
  activation,
  constant,
  convolution,
  unary,
  softmax,
  reduce,
  pooling,
  scale,
];

declare module '../dsl/network.js' {
  interface Network extends LoopMethods, IfConditionalMethods, ConstantMethods {}
}

declare module '../dsl/tensor.js' {
  interface Chain
    extends ActivationMethods,
      ShuffleMethods,
      MatrixMultiplyMethods,
      IdentityMethods,
      ElementWiseMethods,
      ConcatenationMethods,
      CastMethods,
      ConvolutionMethods,
      UnaryMethods,
      SoftmaxMethods,
      ReduceMethods,
      PoolingMethods,
      ScaleMethods {}
}

/** Adds methods to a class; a name may be taken once only. */
export function addMethods(target: object, methods: object): void {
  for (const name of Object.keys(methods)) {
    if (name in target) throw new Error(`layer method '${name}' is defined twice`);
  }
  Object.assign(target, methods);
}

/** Puts the methods of all layers on tensors and networks; called once by the package's entry. */
export function installLayers(): void {
  const all = [
    shuffleMethods,
    matrixMultiplyMethods,
    identityMethods,
    elementWiseMethods,
    concatenationMethods,
    castMethods,
    activationMethods,
    convolutionMethods,
    unaryMethods,
    softmaxMethods,
    reduceMethods,
    poolingMethods,
    scaleMethods,
  ];
  for (const methods of all) addMethods(Chain.prototype, methods);
  for (const methods of [constantMethods, ifConditionalMethods, loopMethods]) addMethods(Network.prototype, methods);
}
