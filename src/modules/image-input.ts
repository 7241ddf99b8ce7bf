import { Network } from '../dsl/network.js';
import type { Tensor } from '../dsl/tensor.js';
import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { checkedFunction } from '../layers/calls/arguments.js';
import { floats } from '../layers/shared/dtypes.js';
import type { Dim } from '../values/dim.js';
import type { DType } from '../values/dtype.js';
import { noDim, readDim, uint8 } from '../values/spec.js';

/** Options of `imageInput`. */
export interface ImageInputOptions {
  /** Rows of pixels: a number, or a name if dynamic. */
  height: Dim;
  /** Pixels in a row: a number, or a name if dynamic. */
  width: Dim;
  /** Subtracted from values between 0 and 1: one number, or one per channel. Default 0. */
  mean?: number | readonly number[] | undefined;
  /** What the difference is divided by: one number above 0, or one per channel. Default 1. */
  std?: number | readonly number[] | undefined;
  /** Images in a batch. Default: the name `batch`, which makes it dynamic. */
  batch?: Dim | undefined;
  /** Bytes of a pixel: 1, 3 or 4. Default 3. */
  channels?: number | undefined;
  /** dtype of the result: float32, float16 or bfloat16. Default float32. */
  dtype?: DType | undefined;
}

const method = 'imageInput';
const counts = [1, 3, 4];

function perChannel(option: 'mean' | 'std', given: unknown, channels: number): number[] {
  const list = Array.isArray(given) ? (given as unknown[]) : Array<unknown>(channels).fill(given);
  const fits = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) && (option === 'mean' || value > 0);
  if (list.length === channels && list.every(fits)) return list as number[];
  const one = option === 'mean' ? 'a number' : 'a number above 0';
  return refuse(method, 'ERR_PARAMETER', `expected ${one}, or ${channels} of them, given ${show(given)}`, { option });
}

/** What float32 holds. */
function coefficients(values: number[]): Float32Array {
  const data = Float32Array.from(values);
  if (data.every(Number.isFinite)) return data;
  return refuse(method, 'ERR_PARAMETER', 'expected numbers whose quotient float32 holds', { options: ['mean', 'std'] });
}

/**
 * Adds the uint8 input `name` [batch, height, width, channels] to a network: images as decoders of files give them. The result
 * is [batch, channels, height, width] with `(x / 255 − mean) / std` of each channel, as torchvision's ToTensor and
 * Normalize compute it. It is computed in float32, then cast to `dtype`. TensorRT kinds: cast, shuffle, scale.
 *
 * @throws ERR_PARAMETER, ERR_INPUT; ERR_SHAPE where height, width or batch is no dim; ERR_NAME, ERR_DUPLICATE_NAME
 */
export function imageInput(net: Network, name: string, options: ImageInputOptions): Tensor;
export function imageInput(...args: [Network, string, ImageInputOptions]): Tensor {
  return recorded(...args);
}

const recorded = checkedFunction(method, (net: Network, name: string, options: ImageInputOptions): Tensor => {
  if (!(net instanceof Network)) refuse(method, 'ERR_INPUT', `expected a network, given ${show(net)}`, { value: net });
  const { height, width, mean = 0, std = 1, batch = 'batch', channels = 3, dtype = 'float32' } = options ?? {};
  if (!counts.includes(channels)) {
    refuse(method, 'ERR_PARAMETER', `expected ${counts.join(', ')}, given ${show(channels)}`, { option: 'channels' });
  }
  if (!floats.includes(dtype)) {
    refuse(method, 'ERR_PARAMETER', `expected ${floats.join(', ')}, given ${show(dtype)}`, { option: 'dtype' });
  }
  for (const [option, dim] of Object.entries({ height, width, batch })) {
    if (readDim(dim) === undefined) refuse(method, 'ERR_SHAPE', noDim(dim), { option, actual: dim });
  }
  const deviations = perChannel('std', std, channels);
  const means = perChannel('mean', mean, channels);
  const x = net
    .input(name, uint8(batch, height, width, channels))
    .cast('float32')
    .transpose([0, 3, 1, 2])
    .scale({
      scale: { shape: [channels], data: coefficients(deviations.map((d) => 1 / (255 * d))) },
      shift: { shape: [channels], data: coefficients(means.map((m, i) => (0 - m) / deviations[i]!)) },
      mode: 'channel',
    });
  return dtype === 'float32' ? x : x.cast(dtype);
});
