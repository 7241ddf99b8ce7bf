import { z } from 'zod';
import { defineLayer } from '../dsl/define-layer.js';
import { addDims, type Dim, formatShape, isStatic } from '../dsl/dim.js';
import type { DType } from '../dsl/dtype.js';
import type { Chain, Tensor } from '../dsl/tensor.js';
import { floats, type Named, type PerAxis, perAxis, requireDType, requireRank, wholeNumber } from './common.js';

const dtypes: readonly DType[] = [...floats, 'int8'];
const pair = z.array(wholeNumber).length(2, { message: 'expected 2 numbers, for height and width' });

export const padding = defineLayer({
  kind: 'padding',
  params: z.strictObject({ prePadding: pair, postPadding: pair }),
  infer({ input, params: { prePadding, postPadding }, fail }) {
    const { dtype, shape } = input(0);
    requireDType(dtype, dtypes, fail);
    requireRank(shape, 4, 8, fail);
    const lead = shape.length - 2;
    const padded = shape.slice(lead).map((dim, i): Dim => {
      const size = addDims(dim, prePadding[i]! + postPadding[i]!);
      if (isStatic(size) && size < 0) {
        fail(
          'ERR_SHAPE',
          `padding ${formatShape(prePadding)} before and ${formatShape(postPadding)} after cuts off more than ${formatShape(shape.slice(lead))} has`,
        );
      }
      return size;
    });
    return { dtype, shape: [...shape.slice(0, lead), ...padded] };
  },
  cpu(g, { input, params: { prePadding, postPadding }, inputTypes }) {
    const lead = Array(inputTypes[0]!.shape.length - 2).fill(0);
    const pads = [...lead, ...prePadding, ...lead, ...postPadding];
    return g.op('Pad', [input(0), g.constant('int64', [pads.length], pads)]);
  },
});

export interface PadOptions extends Named {
  /** As PyTorch's ZeroPad2d: one number for all sides, or [left, right, top, bottom]. */
  padding?: number | readonly [left: number, right: number, top: number, bottom: number];
  /** Before height and width; a number stands for both. */
  prePadding?: PerAxis;
  /** After height and width; a number stands for both. */
  postPadding?: PerAxis;
}

const methods = {
  /**
   * Adds zeros around the last two axes of a tensor (floats, int8) of rank 4 or more; negative numbers cut off. TensorRT kind: padding.
   * @throws ERR_SHAPE where more is cut off than there is; ERR_PARAMETER, ERR_RANK, ERR_DTYPE
   */
  pad(this: Chain, options: PadOptions): Tensor {
    const { padding: sides = 0, prePadding, postPadding, name } = options ?? {};
    const [left, right, top, bottom] = Array.isArray(sides) ? sides : Array(4).fill(sides);
    return this.tensor().network.record(padding, {
      method: 'pad',
      name,
      inputs: [this.tensor()],
      params: {
        prePadding: prePadding === undefined ? [top, left] : perAxis(prePadding, 2, 0),
        postPadding: postPadding === undefined ? [bottom, right] : perAxis(postPadding, 2, 0),
      },
    })[0]!;
  },
};

export { methods as paddingMethods };
export type PaddingMethods = typeof methods;
