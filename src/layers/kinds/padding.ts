import { z } from 'zod';
import { defineLayer } from '../../dsl/define-layer.js';
import type { Tensor, TensorSource } from '../../dsl/tensor.js';
import { show } from '../../errors/error.js';
import { refuse } from '../../errors/refusal.js';
import { addDims, type Dim, formatShape, isStatic, mulDims, subDims } from '../../values/dim.js';
import type { DType } from '../../values/dtype.js';
import { type DimLike, DimValue, resolveDims } from '../shared/dim-value.js';
import { floats, requireDType } from '../shared/dtypes.js';
import type { Liftable } from '../shared/lift.js';
import { type Named, type PerAxis, perAxis, wholeNumber } from '../shared/parameters.js';
import { recordSlice } from '../shared/record-slice.js';
import { requireRank } from '../shared/shapes.js';

const dtypes: readonly DType[] = [...floats, 'int8'];
const pair = z.array(wholeNumber).refine(({ length }) => length === 2, {
  params: { expected: '2 numbers, for height and width' },
});

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

/** PyTorch's mode → TensorRT's SampleMode. */
const modes = { constant: 'fill', reflect: 'reflect', replicate: 'clamp', circular: 'wrap' } as const;

export interface PadOptions extends Named {
  /**
   * As PyTorch's pad: how much before and after the last axis, then the axis before it, and so on: [left, right, top, bottom].
   * One number is for all sides of the last two axes. Sizes may be dims; negative ones cut off.
   */
  padding?: DimLike | readonly DimLike[] | undefined;
  /** Before height and width, instead of `padding`; a number stands for both. */
  prePadding?: PerAxis | undefined;
  /** After height and width, instead of `padding`; a number stands for both. */
  postPadding?: PerAxis | undefined;
  /** What is there: `value`, the elements mirrored at the edge element, the edge element, or those from the other side. Default `constant`. */
  mode?: keyof typeof modes | undefined;
  /** Of mode `constant`: a number, or a scalar tensor. Default 0. */
  value?: Liftable | undefined;
}

const method = 'pad';

/** Pairs of sides, the last axis first. */
function sidesOf(x: Tensor, given: DimLike | readonly DimLike[]): Dim[] {
  const list = resolveDims(
    x.network,
    Array.isArray(given) ? given : Array(4).fill(given),
    'padding',
    method,
    -(2 ** 31),
  );
  if (list.length % 2 !== 0 || list.length > 2 * x.rank) {
    const expected = `pairs of sides for at most the ${x.rank} axes of ${formatShape(x.shape)}`;
    refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${formatShape(list)}`, {
      option: 'padding',
      actual: given,
    });
  }
  return list;
}

function zerosAround(x: Tensor, prePadding: number[], postPadding: number[], { name }: Named): Tensor {
  return x.network.record(padding, { method, name, inputs: [x], params: { prePadding, postPadding } })[0]!;
}

/** Pads with a slice that reads outside. */
function sliced(x: Tensor, sides: readonly Dim[], { mode = 'constant', value, name }: PadOptions): Tensor {
  const pairs = Array.from({ length: sides.length / 2 }, (_, i) => {
    const axis = x.rank - 1 - i;
    return { axis, dim: x.shape[axis]!, before: sides[2 * i]!, after: sides[2 * i + 1]! };
  });
  for (const { axis, dim, before, after } of pairs) {
    const most = mode === 'reflect' ? subDims(dim, 1) : mode === 'circular' ? dim : undefined;
    const far = [before, after].some((side) => most !== undefined && isStatic(side) && isStatic(most) && side > most);
    const size = addDims(dim, addDims(before, after));
    if (far || (isStatic(size) && size < 0)) {
      const expected = far ? `at most ${most} in mode ${mode}` : `to keep some of the ${dim} elements`;
      refuse(method, 'ERR_SHAPE', `padding of axis ${axis}: expected ${expected}, given ${before} and ${after}`, {
        actual: [before, after],
      });
    }
  }
  return recordSlice(x, {
    method,
    name,
    axes: pairs.map(({ axis }) => axis),
    start: pairs.map(({ before }) => new DimValue(mulDims(before, -1))),
    size: pairs.map(({ dim, before, after }) => new DimValue(addDims(dim, addDims(before, after)))),
    mode: modes[mode],
    ...(mode === 'constant' && { fill: value ?? 0 }),
  });
}

const methods = {
  /**
   * Pads the last axes, or crops them where `padding` is negative, like PyTorch's pad:
   * `x.pad({ padding: [1, 1], mode: 'reflect' })`. TensorRT kind: padding for zeros around the last two axes (floats,
   * int8; rank 4 or more), else slice.
   *
   * @throws ERR_SHAPE where more is cut off than there is, or more is mirrored or repeated; ERR_PARAMETER, ERR_RANK,
   *   ERR_DTYPE
   */
  pad(this: TensorSource, options: PadOptions): Tensor {
    const { padding: given = 0, prePadding, postPadding, mode = 'constant', value } = options ?? {};
    const x = this.tensor();
    if (!Object.hasOwn(modes, mode)) {
      const expected = Object.keys(modes).join(', ');
      refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${show(mode)}`, { option: 'mode', actual: mode });
    }
    if (value !== undefined && mode !== 'constant') {
      refuse(method, 'ERR_PARAMETER', `mode ${mode} has none, given ${show(value)}`, { option: 'value' });
    }
    const zeros = mode === 'constant' && (value ?? 0) === 0;
    if (prePadding !== undefined || postPadding !== undefined) {
      if (!zeros) refuse(method, 'ERR_PARAMETER', 'prePadding and postPadding add zeros: give padding for other modes');
      const [left, right, top, bottom] = sidesOf(x, given) as [number, number, number, number];
      const both = (side: PerAxis | undefined, fallback: number[]) =>
        side === undefined ? fallback : perAxis(side, 2, 0);
      return zerosAround(x, both(prePadding, [top, left]), both(postPadding, [bottom, right]), options);
    }
    const sides = sidesOf(x, given);
    if (zeros && sides.length === 4 && sides.every(isStatic) && x.rank >= 4 && dtypes.includes(x.dtype)) {
      const [left, right, top, bottom] = sides as [number, number, number, number];
      return zerosAround(x, [top, left], [bottom, right], options);
    }
    return sliced(x, sides, options ?? {});
  },
};

export { methods as paddingMethods };
export type PaddingMethods = typeof methods;
