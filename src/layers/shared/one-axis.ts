import { Tensor, type TensorSource } from '../../dsl/tensor.js';
import { refuse } from '../../errors/refusal.js';
import { formatShape } from '../../values/dim.js';
import { isWeightLike, type WeightLike, withShape } from '../../values/weight.js';
import type { Named, PerAxis } from './parameters.js';
import { withAddedAxis } from './spatial-text.js';
import { recordSqueeze, recordUnsqueeze } from './unit-axes.js';

// TensorRT's windows have two or three axes. A window with a single axis gets another of size 1 in front.

/** Window parameters for the added axis. */
const units = {
  kernel: 1,
  stride: 1,
  dilation: 1,
  padding: 0,
  prePadding: 0,
  postPadding: 0,
  outputPadding: 0,
} as const;

function withUnitAxis<T extends object>(options: T, method: string): T {
  const wide = { ...options } as Record<string, unknown>;
  for (const [what, unit] of Object.entries(units)) {
    const given = wide[what] as PerAxis | string | undefined;
    if (given === undefined || typeof given === 'string') continue;
    const list = [given].flat();
    if (list.length !== 1) {
      refuse(method, 'ERR_PARAMETER', `expected one number, given [${list.join(', ')}]`, {
        option: what,
        actual: given,
      });
    }
    wide[what] = [unit, list[0]];
  }
  return wide as T;
}

/** Applies a layer for [batch, channels, height, width] to a [batch, channels, length] tensor. */
export function overOneAxis<T extends Named>(
  self: TensorSource,
  method: string,
  options: T,
  apply: (x: Tensor, options: T) => Tensor,
): Tensor {
  const x = self.tensor();
  if (x.rank !== 3) {
    refuse(method, 'ERR_RANK', `expected rank 3 [batch, channels, length], given ${x}`, {
      expected: 3,
      actual: x.rank,
    });
  }
  const wide = { ...withUnitAxis(options, method), name: undefined };
  const y = withAddedAxis(() => apply(recordUnsqueeze(x, [2], method), wide));
  return recordSqueeze(y, [2], method, { name: options.name });
}

/** Known kernels in their expanded shape, so that a kernel used twice is stored once. */
const widened = new WeakMap<WeightLike, WeightLike>();

/** `overOneAxis` for a layer with a kernel. */
export const kernelOverOneAxis = <T extends Named & { weight: WeightLike | Tensor }>(
  self: TensorSource,
  method: string,
  options: T,
  apply: (x: Tensor, options: T) => Tensor,
): Tensor => overOneAxis(self, method, { ...options, weight: kernelOfOneAxis(options.weight, method) }, apply);

/** A kernel [a, b, length] as [a, b, 1, length]. What is no kernel is left for the layer to refuse. */
function kernelOfOneAxis<T extends WeightLike | Tensor>(weight: T, method: string): T {
  const given: WeightLike | Tensor = weight;
  if (!(given instanceof Tensor) && !isWeightLike(given)) return weight;
  if (given.shape.length !== 3) {
    const { shape } = given;
    refuse(method, 'ERR_RANK', `expected rank 3, given rank ${shape.length} ${formatShape(shape)}`, {
      option: 'weight',
      expected: 3,
      actual: shape.length,
    });
  }
  if (given instanceof Tensor) return recordUnsqueeze(given, [2], method) as T;
  const before = widened.get(given);
  if (before) return before as T;
  const [a, b, length] = given.shape as [number, number, number];
  const wide = withShape(given, [a, b, 1, length]);
  widened.set(given, wide);
  return wide as T;
}
