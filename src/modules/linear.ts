import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { refuse, refusing } from '../errors/refusal.js';
import { elementWise } from '../layers/kinds/element_wise.js';
import { type AccumulationOptions, matrixMultiply } from '../layers/kinds/matrix_multiply.js';
import { floats, requireInputsDType } from '../layers/shared/dtypes.js';
import { lift } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import { liftRank } from '../layers/shared/record-shuffle.js';
import { formatShape, isStatic, type Shape } from '../values/dim.js';
import { type DType, type HalfArray, isTypedArray, type TypedArray } from '../values/dtype.js';
import { isWeightLike, layerNameOf, type WeightLike } from '../values/weight.js';

export interface LinearOptions extends AccumulationOptions, Named {
  /** [outFeatures, inFeatures], as in PyTorch: known weights, or a tensor. */
  weight: WeightLike | Tensor;
  /** [outFeatures] */
  bias?: WeightLike | TypedArray | HalfArray | Tensor | undefined;
}

const method = 'linear';

type Operand = WeightLike | TypedArray | HalfArray | Tensor;

const shapeOf = (value: Operand): Shape =>
  value instanceof Tensor || isWeightLike(value) ? value.shape : [value.length];

function checkDType(value: Operand, x: Tensor, role: string): void {
  const dtype = value instanceof Tensor || isWeightLike(value) ? value.dtype : undefined;
  if (dtype !== undefined) requireInputsDType(role, dtype as DType, x.dtype, refusing(method));
}

const methods = {
  /**
   * `x · weightᵀ + bias` over the last axis of a tensor of floats; the axes before it stay. With `useFp32Acc`, products
   * of float16 are summed in float32, as PyTorch does. TensorRT kinds: constant, matrix_multiply, element_wise (SUM).
   *
   * @throws ERR_SHAPE where features differ; ERR_DTYPE where weight and input differ; ERR_RANK, ERR_INPUT, ERR_WEIGHT
   */
  linear(this: TensorSource, options: LinearOptions): Tensor {
    const x = this.tensor();
    const { weight, bias, name, useFp32Acc = x.network.useFp32Acc } = options ?? {};
    if (x.rank === 0) refuse(method, 'ERR_RANK', `expected rank 1 or more, given ${x}`);
    if (!floats.includes(x.dtype)) {
      refuse(method, 'ERR_DTYPE', `expected ${floats.join(', ')}, given ${x}`, { expected: floats, actual: x.dtype });
    }
    if (!(weight instanceof Tensor) && !isWeightLike(weight)) {
      refuse(method, 'ERR_INPUT', `expected a weight or a tensor of shape [out, in], given ${String(weight)}`, {
        option: 'weight',
      });
    }
    const [outFeatures, inFeatures, ...more] = weight.shape;
    if (outFeatures === undefined || inFeatures === undefined || more.length > 0) {
      return refuse(method, 'ERR_RANK', `expected rank 2 [out, in], given ${formatShape(weight.shape)}`, {
        option: 'weight',
      });
    }
    const features = x.shape.at(-1)!;
    if (isStatic(features) && isStatic(inFeatures) && features !== inFeatures) {
      refuse(
        method,
        'ERR_SHAPE',
        `the weight ${formatShape(weight.shape)} takes ${inFeatures} features, the input ${formatShape(x.shape)} has ${features}`,
        { involved: ['weight'], expected: inFeatures, actual: features },
      );
    }
    checkDType(weight, x, 'weight');
    if (bias !== undefined) {
      if (!(bias instanceof Tensor) && !isWeightLike(bias) && !isTypedArray(bias)) {
        refuse(method, 'ERR_INPUT', `expected a weight, a typed array or a tensor, given ${String(bias)}`, {
          option: 'bias',
        });
      }
      const shape = shapeOf(bias);
      if (shape.length !== 1 || shape[0] !== outFeatures) {
        refuse(method, 'ERR_SHAPE', `expected [${outFeatures}], given ${formatShape(shape)}`, {
          option: 'bias',
          expected: [outFeatures],
          actual: shape,
        });
      }
      checkDType(bias, x, 'bias');
    }
    const net = x.network;
    const base = name ?? (weight instanceof Tensor ? undefined : layerNameOf(weight.name));
    const operand = (value: Operand, rank: number): Tensor =>
      value instanceof Tensor ? liftRank(value, rank, method) : lift(value, x, method, rank);
    const product = net.record(matrixMultiply, {
      method,
      ...(bias === undefined ? { name, hint: base } : { hint: base && `${base}.matmul` }),
      inputs: [x, operand(weight, Math.max(2, x.rank))],
      params: { operationA: x.rank === 1 ? 'vector' : 'none', operationB: 'transpose', useFp32Acc },
    })[0]!;
    if (bias === undefined) return product;
    return net.record(elementWise, {
      method,
      name,
      hint: base,
      inputs: [product, operand(bias, product.rank)],
      params: { operation: 'sum' },
    })[0]!;
  },
};

export { methods as linearMethods };
export type LinearMethods = typeof methods;
