import { type Dim, floorDivDims, isStatic, mulDims, unknownDim } from '../../values/dim.js';

/** The number of trailing axes that a mode can resize. */
export const resizableAxes = { nearest: 8, linear: 3, cubic: 2 } as const;

const bits = new Float32Array(1);
const whole = new Int32Array(bits.buffer);

/** The positive float32 `steps` representable numbers away. */
function moved(value: number, steps: number): number {
  bits[0] = value;
  whole[0] = whole[0]! + steps;
  return bits[0]!;
}

/** `⌊size · scale⌋` in float32, as TensorRT computes it; symbolic if the scale is a short binary fraction. */
export function scaledDim(dim: Dim, scale: number): Dim {
  if (isStatic(dim)) return Math.floor(Math.fround(dim * scale));
  const parts = [1, 2, 4, 8, 16, 32, 64].find((n) => Number.isInteger(scale * n));
  return parts ? floorDivDims(mulDims(dim, scale * parts), parts) : unknownDim('resize');
}

/**
 * The numbers by which an axis may grow in PyTorch without its factor counting: it looks at the sizes alone. `plain` is mode
 * nearest, not nearest-exact; there it does so for images up to `smallImage`, height and width in sum.
 */
export const factorless = (mode: 'nearest' | 'linear' | 'cubic', plain: boolean, rank: number): readonly number[] =>
  mode === 'linear' ? [1] : mode === 'nearest' && plain && rank === 4 ? [1, 2] : [];

export const smallImage = 128;

/**
 * Whether PyTorch repeats each element `times` times in mode nearest. It multiplies by the float32 nearest to 1 / times: where
 * that is less, as for 41, it repeats some once more, and others once less.
 */
export const growsExactly = (times: number): boolean => Number.isInteger(times) && Math.fround(1 / times) * times >= 1;

/**
 * The float32 nearest to `scale` for which `⌊from · scale⌋` is `to` in float32 and in exact arithmetic: TensorRT and
 * onnxruntime use either.
 */
export function steadyScale(from: number, to: number, scale: number): number {
  let steady = Math.fround(scale);
  if (from === 0 || !Number.isFinite(steady)) return steady;
  while (from * steady < to) steady = moved(steady, 1);
  while (Math.fround(from * steady) >= to + 1) steady = moved(steady, -1);
  return steady;
}

/**
 * A steady scale that picks PyTorch's elements in mode nearest, whether positions are divided by it or multiplied by its
 * inverse. Where there is none: the nearest.
 */
export function nearestScale(from: number, to: number, factor: number, center: 0 | 0.5): number {
  const inverse = Math.fround(1 / factor);
  const steady = steadyScale(from, to, factor);
  const picks = (scale: number): boolean => {
    if (steadyScale(from, to, scale) !== scale) return false;
    const ratio = Math.fround(1 / scale);
    for (let i = 0; i < to; i++) {
      const at = i + center;
      const wanted = Math.min(Math.floor(Math.fround(at * inverse)), from - 1);
      for (const position of [at / scale, at * ratio])
        if (Math.min(Math.floor(Math.fround(position)), from - 1) !== wanted) return false;
    }
    return true;
  };
  for (const steps of [0, -1, 1, -2, 2, -3, 3, -4, 4]) {
    const scale = moved(steady, steps);
    if (picks(scale)) return scale;
  }
  return steady;
}
