import { Tensor, type TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import type { Liftable } from '../layers/shared/lift.js';
import type { Named } from '../layers/shared/parameters.js';
import type { DType } from '../values/dtype.js';

export interface LikeOptions extends Named {
  /** Default: the tensor's. */
  dtype?: DType | undefined;
}

const sizesOf = (x: Tensor) => x.shape.map((_, axis) => x.dim(axis));

/** Zeros all elements whose column − row is beyond the diagonal, on the side that is not kept. */
function triangle(self: TensorSource, method: 'tril' | 'triu', diagonal: number, options: Named): Tensor {
  const x = self.tensor();
  if (x.rank < 2) refuse(method, 'ERR_RANK', `expected rank 2 or more, given ${x}`, { expected: 2, actual: x.rank });
  if (!Number.isSafeInteger(diagonal)) {
    refuse(method, 'ERR_PARAMETER', `expected a whole number, given ${show(diagonal)}`, { option: 'diagonal' });
  }
  const offset = x.network.fill([x.dim(-2), x.dim(-1)], { beta: [-1, 1], dtype: 'int32' });
  const cut = method === 'tril' ? offset.gt(diagonal) : offset.lt(diagonal);
  return x.maskedFill(cut, x.dtype === 'bool' ? false : 0, options);
}

export interface TriangleOptions extends Named {
  /** The last diagonal to keep: 0 is the main one, 1 the first above it, −1 the first below. Default 0. */
  diagonal?: number | undefined;
}

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /** `ij` (default), or `xy`, which swaps the first two axes. */
  indexing?: 'ij' | 'xy' | undefined;
}

const methods = {
  /**
   * A tensor filled with one value, in the shape and dtype of this tensor. TensorRT kinds: constant, slice.
   * @throws ERR_VALUE, ERR_DTYPE
   */
  fullLike(this: TensorSource, value: Liftable, options: LikeOptions = {}): Tensor {
    const x = this.tensor();
    return x.network.full(sizesOf(x), value, { ...options, dtype: options.dtype ?? x.dtype });
  },
  /** Zeros in the shape and dtype of this tensor. TensorRT kinds: constant, slice. */
  zerosLike(this: TensorSource, options: LikeOptions = {}): Tensor {
    const x = this.tensor();
    return x.network.zeros(sizesOf(x), { ...options, dtype: options.dtype ?? x.dtype });
  },
  /** Ones in the shape and dtype of this tensor. TensorRT kinds: constant, slice. */
  onesLike(this: TensorSource, options: LikeOptions = {}): Tensor {
    const x = this.tensor();
    return x.network.ones(sizesOf(x), { ...options, dtype: options.dtype ?? x.dtype });
  },
  /**
   * The lower triangle of the last two axes, zeros above it, like PyTorch's tril. TensorRT kinds: fill (LINSPACE),
   * element_wise, select.
   *
   * @throws ERR_RANK, ERR_PARAMETER, ERR_DTYPE
   */
  tril(this: TensorSource, options: TriangleOptions = {}): Tensor {
    const { diagonal = 0, name } = options;
    return triangle(this, 'tril', diagonal, { name });
  },
  /** The upper triangle of the last two axes, zeros below it; see `tril`. TensorRT kinds: fill (LINSPACE), element_wise, select. */
  triu(this: TensorSource, options: TriangleOptions = {}): Tensor {
    const { diagonal = 0, name } = options;
    return triangle(this, 'triu', diagonal, { name });
  },
  /**
   * Coordinates of a grid from this and other vectors, like PyTorch's meshgrid: tensor i holds vector i along axis i
   * and is constant along all others. TensorRT kinds: shuffle, slice.
   * @throws ERR_INPUT, ERR_RANK where one has more than one axis; ERR_PARAMETER
   */
  meshgrid(this: TensorSource, others: Tensor | readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
    const method = 'meshgrid';
    const { indexing = 'ij' } = options;
    const vectors = [this.tensor(), ...(Array.isArray(others) ? others : [others])] as Tensor[];
    if (indexing !== 'ij' && indexing !== 'xy') {
      refuse(method, 'ERR_PARAMETER', `expected ij or xy, given ${show(indexing)}`, { option: 'indexing' });
    }
    for (const [i, vector] of vectors.entries()) {
      if (!(vector instanceof Tensor)) {
        refuse(method, 'ERR_INPUT', `vector ${i}: expected a tensor, given ${show(vector)}`);
      }
      if (vector.rank !== 1) refuse(method, 'ERR_RANK', `vector ${i}: expected rank 1, given ${vector}`);
    }
    const order = vectors.map((_, i) => (indexing === 'xy' && i < 2 && vectors.length > 1 ? 1 - i : i));
    const dims = order.map((i) => vectors[i]!.dim(0));
    return vectors.map((vector, i) => {
      const axes = vectors.map((_, axis) => axis).filter((axis) => axis !== order[i]);
      return vector.unsqueeze(axes).expand(dims);
    });
  },
};

export { methods as creationMethods };
export type CreationMethods = typeof methods;
