import { z } from 'zod';
import type { Fail } from '../../dsl/define-layer.js';
import { locate, mark } from '../../errors/call-site.js';
import { type ErrorDetails, show, TensorRTError } from '../../errors/error.js';
import {
  addDims,
  ceilDivDims,
  type Dim,
  floorDivDims,
  formatShape,
  isStatic,
  type Shape,
  subDims,
  unknownDim,
} from '../../values/dim.js';
import { type DType, dtypes } from '../../values/dtype.js';
import { maxRank } from '../../values/spec.js';

/** Options every layer method takes. */
export interface Named {
  /** Name of the layer; unique within its network and scope. Default: made from the weights' name or the kind. */
  name?: string;
}

const float32Max = 3.4028234663852886e38;

/** A float32 parameter: ±Infinity becomes the largest finite value; NaN is refused. */
export const float32Number = z.any().check((context) => {
  const value: unknown = context.value;
  if (typeof value === 'number' && !Number.isNaN(value))
    context.value = Math.fround(Math.min(float32Max, Math.max(-float32Max, value)));
  else context.issues.push({ code: 'custom', message: `expected a number, given ${show(value)}`, input: value });
}) as z.ZodType<number, number>;

export const wholeNumber = z.int();
export const positive = z.int().min(1);
export const nonNegative = z.int().min(0);

/** A list of whole numbers from `least`: one check for the whole of it, as recording makes several of them for each layer. */
export const wholeNumbers = (least: number, shortest: number, longest: number) =>
  z.any().check((context) => {
    const list: unknown = context.value;
    const problem = (message: string, path: number[] = []) =>
      context.issues.push({ code: 'custom', message, input: list, path });
    if (!Array.isArray(list) || list.length < shortest || list.length > longest) {
      problem(`expected a list of ${shortest} to ${longest} whole numbers, given ${show(list)}`);
      return;
    }
    for (let i = 0; i < list.length; i++) {
      const given: unknown = list[i];
      if (!Number.isSafeInteger(given) || (given as number) < least) {
        problem(`expected a whole number of ${least} or more, given ${show(given)}`, [i]);
        return;
      }
    }
  }) as z.ZodType<number[], readonly number[]>;

/** One number for all axes, or one per axis. */
export type PerAxis = number | readonly number[];

/** Spreads a number over `rank` axes; a list stays, and its length is checked by the layer. What is neither stays for the schema to refuse. */
export const perAxis = (value: PerAxis | undefined, rank: number, fallback: number): number[] =>
  Array.isArray(value) ? [...value] : repeated((value ?? fallback) as number, Math.min(rank, maxRank));

/** As `Array(count).fill(value)`, which takes V8 longer. */
function repeated(value: number, count: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < count; i++) list.push(value);
  return list;
}

/** Throws what a layer method finds wrong before it records anything, with the caller's place. */
export function refuse(method: string, code: string, message: string, facts: ErrorDetails = {}): never {
  const { expected, actual } = facts;
  throw new TensorRTError(code, `${method}: ${message}`, { source: locate(mark()), expected, actual });
}

/** `refuse` for what checks within inference, too. */
export const refusing =
  (method: string): Fail =>
  (code, message, facts) =>
    refuse(method, code, message, facts);

/** A negative axis counted from the front; one out of range stays, for `resolveAxis` to refuse. */
export const wrapAxis = (axis: number, rank: number): number => (axis < 0 && axis >= -rank ? axis + rank : axis);

/** One axis or several as a list, counted from the front; what is no list stays, for the schema to refuse. */
export const axisList = (axes: number | readonly number[], rank: number): number[] =>
  typeof axes === 'number'
    ? [wrapAxis(axes, rank)]
    : Array.isArray(axes)
      ? axes.map((axis) => wrapAxis(axis, rank))
      : (axes as never);

/** The index of an axis that may be negative. */
export function resolveAxis(axis: number, rank: number, fail: Fail, what = 'axis'): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    fail(
      'ERR_AXIS',
      `${what}: expected a whole number from ${-rank} to ${rank - 1} for a tensor of rank ${rank}, given ${String(axis)}`,
      { actual: axis },
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted indices of several axes; repeated ones are refused. */
export function resolveAxes(axes: readonly number[], rank: number, fail: Fail): number[] {
  const resolved = axes.map((axis) => resolveAxis(axis, rank, fail, 'axes'));
  if (new Set(resolved).size !== resolved.length)
    fail('ERR_AXIS', `axes: expected each axis once, given [${axes.join(', ')}]`);
  return resolved.sort((a, b) => a - b);
}

export function requireDType(given: DType, allowed: readonly DType[], fail: Fail, what = 'input'): void {
  if (!allowed.includes(given)) {
    fail('ERR_DTYPE', `${what}: expected ${allowed.join(', ')}, given ${given}`, { expected: allowed, actual: given });
  }
}

/** What makes known elements, or else a tensor, fit an input's dtype. */
export const convertTo = (dtype: DType): string =>
  `convert a weight with .as('${dtype}'), a tensor with .cast('${dtype}')`;

/** Refuses weights, or tensors in their place, of another dtype than the input's. */
export function requireInputsDType(what: string, given: DType, dtype: DType, fail: Fail): void {
  if (given === dtype) return;
  fail('ERR_DTYPE', `${what}: expected the input's dtype ${dtype}, given ${given}; ${convertTo(dtype)}`, {
    expected: dtype,
    actual: given,
  });
}

export const floats: readonly DType[] = ['float32', 'float16', 'bfloat16'];
/** What layers that only move elements take: uint8 lives at inputs, outputs and casts alone. */
export const movable: readonly DType[] = dtypes.filter((dtype) => dtype !== 'uint8');
/** What indices, sizes and positions come in. */
export const indexTypes: readonly DType[] = ['int32', 'int64'];

export function requireRank(shape: Shape, atLeast: number, atMost: number, fail: Fail, what = 'input'): void {
  if (shape.length < atLeast || shape.length > atMost) {
    const range =
      atLeast === atMost ? `rank ${atLeast}` : atMost >= 8 ? `rank ${atLeast} or more` : `rank ${atLeast} to ${atMost}`;
    fail('ERR_RANK', `${what}: expected ${range}, given rank ${shape.length} ${formatShape(shape)}`, {
      expected: [atLeast, atMost],
      actual: shape.length,
    });
  }
}

/** TensorRT's PaddingMode. */
export const paddingModes = ['explicit_round_down', 'explicit_round_up', 'same_upper', 'same_lower'] as const;
export type PaddingMode = (typeof paddingModes)[number];

/** Padding as PyTorch and TensorRT users write it. */
export interface PaddingOptions {
  /** Zeros added on both sides of each spatial axis. Default 0. */
  padding?: PerAxis;
  /** Zeros before each axis, where the two sides differ (TensorRT's pre-padding). */
  prePadding?: PerAxis;
  /** Zeros after each axis (TensorRT's post-padding). */
  postPadding?: PerAxis;
  /** TensorRT's padding mode; the `same_*` modes compute the padding and ignore the options above. Default `explicit_round_down`. */
  paddingMode?: PaddingMode;
}

export const window = wholeNumbers(1, 1, 3);
export const paddings = wholeNumbers(0, 1, 3);
export const paddingParams = { prePadding: paddings, postPadding: paddings, paddingMode: z.enum(paddingModes) };

/** The IR's form of padding options. */
export const resolvePadding = (options: PaddingOptions, rank: number) => ({
  prePadding: perAxis(options.prePadding ?? options.padding, rank, 0),
  postPadding: perAxis(options.postPadding ?? options.padding, rank, 0),
  paddingMode: options.paddingMode ?? ('explicit_round_down' as const),
});

/** What the caller calls them: TensorRT has two where `padding` is one. */
export const paddingNames = ({ padding, prePadding, postPadding }: { [K in keyof PaddingOptions]?: unknown }) =>
  padding === undefined
    ? undefined
    : {
        prePadding: prePadding === undefined ? 'padding' : 'prePadding',
        postPadding: postPadding === undefined ? 'padding' : 'postPadding',
      };

interface WindowParams {
  stride: readonly number[];
  prePadding: readonly number[];
  postPadding: readonly number[];
  paddingMode: PaddingMode;
}

/** Every per-axis list must have one entry per spatial axis. */
export function requirePerAxis<K extends string>(
  params: Readonly<Record<K, readonly number[]>>,
  names: readonly K[],
  axes: number,
  fail: Fail,
): void {
  for (const name of names) {
    const list = params[name];
    if (list.length !== axes)
      fail('ERR_PARAMETER', `${name}: expected one number or ${axes}, given [${list.join(', ')}]`, {
        expected: axes,
        actual: list.length,
      });
  }
}

/**
 * Output size of a sliding window along one axis, after TensorRT's PaddingMode:
 * explicit: `round((size + pre + post − extent) / stride) + 1`; same: `ceil(size / stride)`.
 * @throws ERR_SHAPE where the window is larger than the padded input
 */
export function windowSize(size: Dim, axis: number, extent: number, p: WindowParams, fail: Fail): Dim {
  const stride = p.stride[axis]!;
  if (p.paddingMode.startsWith('same')) return ceilDivDims(size, stride);
  const padded = addDims(size, p.prePadding[axis]! + p.postPadding[axis]!);
  const span = subDims(padded, extent);
  if (isStatic(span) && span < 0) {
    fail(
      'ERR_SHAPE',
      `the window spans ${extent} along spatial axis ${axis}, more than the padded input of ${String(padded)}`,
      { expected: `<= ${String(padded)}`, actual: extent },
    );
  }
  const divide = p.paddingMode === 'explicit_round_up' ? ceilDivDims : floorDivDims;
  return addDims(divide(span, stride), 1);
}

/** The size two broadcast axes have together; undefined where they do not fit. */
export function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (isStatic(a) && isStatic(b)) return undefined;
  return isStatic(a) ? a : isStatic(b) ? b : unknownDim('broadcast');
}

/** Broadcasts two shapes of equal rank. */
export function broadcastShapes(a: Shape, b: Shape, fail: Fail): Dim[] {
  return a.map((dim, i) => {
    const size = broadcastDim(dim, b[i]!);
    if (size === undefined)
      fail(
        'ERR_SHAPE',
        `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: axis ${i} has ${String(dim)} and ${String(b[i])}`,
        { expected: a, actual: b },
      );
    return size!;
  });
}
