import type { Tensor, TensorSource } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { type DimLike, DimValue, resolveDims } from '../layers/shared/dim-value.js';
import type { Named, PerAxis } from '../layers/shared/parameters.js';
import { divideExactly, formatShape, isStatic } from '../values/dim.js';
import { mostPositions, named } from './results.js';

export interface UnfoldOptions extends Named {
  /** Height and width of the windows, or one number for both. */
  kernel: PerAxis;
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerAxis | undefined;
  /** Zeros around the image, on both sides. Default 0. */
  padding?: PerAxis | undefined;
  /** Distance between windows. Default 1. */
  stride?: PerAxis | undefined;
}

export interface FoldColumnsOptions extends UnfoldOptions {
  /** Height and width of the image. */
  outputSize: readonly [height: DimLike, width: DimLike];
}

/** How windows lie along one axis. */
interface Along {
  kernel: number;
  dilation: number;
  padding: number;
  stride: number;
}

function pair(given: unknown, least: number, what: string, method: string): [number, number] {
  const list: unknown[] = Array.isArray(given) ? given : [given, given];
  const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= least;
  if (list.length !== 2 || !list.every(isWhole)) {
    const expected = `one or two whole numbers from ${least}`;
    refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${show(given)}`, { option: what, actual: given });
  }
  return list as [number, number];
}

function alongAxes(options: UnfoldOptions, method: string): [Along, Along] {
  const { kernel, dilation = 1, padding = 0, stride = 1 } = options ?? {};
  const [k, d, p, s] = [
    pair(kernel, 1, 'kernel', method),
    pair(dilation, 1, 'dilation', method),
    pair(padding, 0, 'padding', method),
    pair(stride, 1, 'stride', method),
  ];
  const along = (i: 0 | 1): Along => ({ kernel: k[i], dilation: d[i], padding: p[i], stride: s[i] });
  return [along(0), along(1)];
}

/** The number of windows along an axis of that size. */
function windowsIn(size: DimValue, { kernel, dilation, padding, stride }: Along, method: string): DimValue {
  const extent = dilation * (kernel - 1) + 1;
  const padded = size.add(2 * padding);
  if (isStatic(padded.dim) && padded.dim < extent) {
    refuse(method, 'ERR_SHAPE', `the window spans ${extent}, more than the padded image of ${padded}`, {
      expected: `<= ${padded}`,
      actual: extent,
    });
  }
  return padded.sub(extent).div(stride).add(1);
}

/** The position of each element of each window: [kernel, count]. */
function positions(x: Tensor, { kernel, dilation, stride }: Along, count: DimValue): Tensor {
  const { network: net } = x;
  if (!isStatic(count.dim) || count.dim * kernel > mostPositions)
    return net.fill([kernel, count], { beta: [dilation, stride], dtype: 'int32' });
  const known = count.dim;
  const at = Int32Array.from(
    { length: kernel * known },
    (_, i) => Math.floor(i / known) * dilation + (i % known) * stride,
  );
  return net.constant(at, { shape: [kernel, known] });
}

/**
 * Adds windows along the last axis, [..., kernel, count] → [..., size]. Zeros between the elements space them by the stride.
 * Rows that are longer than the image by the dilation, read as rows of the image, lie one dilation further right each.
 */
function overlap(x: Tensor, along: Along, count: DimValue, size: DimValue): Tensor {
  const { kernel, dilation, padding, stride } = along;
  const lead = x.shape.slice(0, -2).map((dim) => new DimValue(dim));
  const to = (tensor: Tensor, ...dims: (DimValue | number)[]) =>
    tensor.reshape([...lead, ...dims], { zeroIsPlaceholder: false });
  const fit = (tensor: Tensor, length: DimValue | number, start = 0) =>
    tensor.slice({ axes: [-1], start: [start], size: [length], mode: 'fill' });
  const spaced = stride === 1 ? x : to(fit(to(x, kernel, count, 1), stride), kernel, count.mul(stride));
  const image = size.add(2 * padding);
  const row = image.add(dilation);
  const skewed = to(fit(to(fit(spaced, row), row.mul(kernel)), image.mul(kernel)), kernel, image);
  const sum = skewed.sum({ axis: -2 });
  return padding === 0 ? sum : fit(sum, size, padding);
}

const methods = {
  /**
   * The windows of an image as columns, like PyTorch's Unfold (im2col): [batch, channels, height, width] → [batch,
   * channels·kernel height·kernel width, windows], row by row; also without a batch. Of any dtype but uint8. TensorRT
   * kinds: gather, shuffle; with padding, also padding or slice; for dynamic sizes, also fill.
   *
   * @throws ERR_RANK; ERR_PARAMETER; ERR_SHAPE where the window is larger than the padded image
   */
  unfold(this: TensorSource, options: UnfoldOptions): Tensor {
    const method = 'unfold';
    const given = this.tensor();
    const [rows, columns] = alongAxes(options, method);
    if (given.rank !== 3 && given.rank !== 4) {
      refuse(method, 'ERR_RANK', `expected rank 4 [batch, channels, height, width] or 3, given ${given}`);
    }
    const x = given.rank === 4 ? given : given.unsqueeze(0);
    const [high, wide] = [windowsIn(x.dim(2), rows, method), windowsIn(x.dim(3), columns, method)];
    const [top, left] = [rows.padding, columns.padding];
    const padded = top === 0 && left === 0 ? x : x.pad({ padding: [left, left, top, top] });
    const taken = padded.gather(positions(x, rows, high), { axis: 2 }).gather(positions(x, columns, wide), { axis: 4 });
    const shape = [x.dim(1).mul(rows.kernel * columns.kernel), high.mul(wide)];
    const lead = given.rank === 4 ? [x.dim(0)] : [];
    return taken
      .permute([0, 1, 2, 4, 3, 5])
      .reshape([...lead, ...shape], { name: options.name, zeroIsPlaceholder: false });
  },
  /**
   * Adds columns of windows to an image, like PyTorch's Fold (col2im): [batch, channels·kernel height·kernel width,
   * windows] → [batch, channels, height, width], also without a batch. Elements where windows overlap are their sum. Of
   * floats, int32, int64, int8. TensorRT kinds: shuffle, slice, reduce (SUM).
   *
   * @throws ERR_RANK, ERR_DTYPE; ERR_PARAMETER; ERR_SHAPE where channels or windows do not fit the kernel and the image
   */
  fold(this: TensorSource, options: FoldColumnsOptions): Tensor {
    const method = 'fold';
    const given = this.tensor();
    const [rows, columns] = alongAxes(options, method);
    if (given.rank !== 2 && given.rank !== 3) {
      refuse(method, 'ERR_RANK', `expected rank 3 [batch, channels·kernel, windows] or 2, given ${given}`);
    }
    const sizes = resolveDims(given.network, options.outputSize, 'outputSize', method, 1).map(
      (dim) => new DimValue(dim),
    );
    if (sizes.length !== 2) {
      refuse(method, 'ERR_PARAMETER', `expected height and width, given ${show(options.outputSize)}`, {
        option: 'outputSize',
      });
    }
    const [height, width] = sizes as [DimValue, DimValue];
    const x = given.rank === 3 ? given : given.unsqueeze(0);
    const area = rows.kernel * columns.kernel;
    const channels = divideExactly(x.shape[1]!, area);
    if (channels === undefined) {
      return refuse(
        method,
        'ERR_SHAPE',
        `expected a multiple of ${area} along axis ${given.rank - 2}, given ${given}`,
        {
          actual: x.shape[1],
        },
      );
    }
    const [high, wide] = [windowsIn(height, rows, method), windowsIn(width, columns, method)];
    const [windows, expected] = [x.shape[2]!, high.mul(wide).dim];
    if (isStatic(windows) && isStatic(expected) && windows !== expected) {
      const image = formatShape(sizes.map(({ dim }) => dim));
      refuse(method, 'ERR_SHAPE', `an image ${image} has ${high} by ${wide} windows, ${expected}, given ${given}`, {
        expected,
        actual: windows,
      });
    }
    const lead = [x.dim(0), new DimValue(channels)];
    const split = x.reshape([...lead, rows.kernel, columns.kernel, high, wide], { zeroIsPlaceholder: false });
    const tall = overlap(split.permute([0, 1, 3, 5, 2, 4]), rows, high, height);
    const image = overlap(tall.permute([0, 1, 4, 2, 3]), columns, wide, width);
    return given.rank === 3 ? named(image, options) : image.squeeze(0, { name: options.name });
  },
};

export { methods as windowMethods };
export type WindowMethods = typeof methods;
