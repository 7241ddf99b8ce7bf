import { TensorRTError } from '../../errors/error.js';
import type { EngineIO } from '../../tensorrt/run/engine-io.js';
import { evaluateDim, formatShape } from '../../values/dim.js';
import { type DType, isFloat, type TypedArray } from '../../values/dtype.js';
import { encodeElements } from '../../values/elements.js';
import { UsageError } from './exit.js';

/** What is used of sharp, an optional peer: types of it must not be needed to compile. */
interface Sharp {
  rotate(): Sharp;
  removeAlpha(): Sharp;
  toColourspace(name: string): Sharp;
  resize(width: number, height: number, options: { fit: 'fill' }): Sharp;
  raw(): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array;
    info: { width: number; height: number; channels: number };
  }>;
}

export const isPicture = (path: string): boolean => /\.(png|jpe?g|webp|gif|avif|tiff?)$/i.test(path);

async function loadSharp(): Promise<(path: string) => Sharp> {
  const name: string = 'sharp';
  try {
    const module = (await import(name)) as { default: (path: string) => Sharp };
    return module.default;
  } catch (cause) {
    throw new TensorRTError(
      'ERR_PICTURE',
      `pictures are read by the package sharp: npm install sharp (${(cause as Error).message})`,
      {
        cause,
      },
    );
  }
}

interface Layout {
  channels: 1 | 3;
  /** Whether channels come first. */
  planes: boolean;
  height: number | undefined;
  width: number | undefined;
}

function layoutOf({ name, shape }: EngineIO, sizes: Readonly<Record<string, number>>): Layout {
  const known = shape.map((dim) => evaluateDim(dim, sizes));
  const [height, width] = [known.at(-2), known.at(-1)];
  const isColours = (size: number | undefined): size is 1 | 3 => size === 1 || size === 3;
  const rest = known.slice(0, -3).every((size) => size === undefined || size === 1);
  if (rest && known.length >= 3 && isColours(known.at(-3)))
    return { channels: known.at(-3) as 1 | 3, planes: true, height, width };
  if (rest && known.length >= 3 && isColours(known.at(-1)))
    return { channels: known.at(-1) as 1 | 3, planes: false, height: known.at(-3), width: known.at(-2) };
  throw new UsageError(
    `input '${name}' is ${formatShape(shape)}; a picture needs […, C, H, W] or […, H, W, C] with 1 or 3 channels, and sizes of 1 before`,
  );
}

/**
 * The pixels of a picture, turned upright as its EXIF data says, in sRGB or grey without alpha, stretched to the input's height and width. Integers are 0 to
 * 255, floats 0 to 1.
 * @throws UsageError if the input is none for a picture, ERR_PICTURE if it cannot be read or sharp is missing
 */
export async function readPicture(
  input: EngineIO,
  path: string,
  sizes: Readonly<Record<string, number>>,
): Promise<{ dtype: DType; shape: number[]; data: TypedArray }> {
  const { channels, planes, height, width } = layoutOf(input, sizes);
  const sharp = await loadSharp();
  const pixels = await decode(sharp(path), path, channels, width, height);
  const { info } = pixels;
  const values = planes ? inPlanes(pixels.data, channels) : Float64Array.from(pixels.data);
  const image = planes ? [channels, info.height, info.width] : [info.height, info.width, channels];
  const shape = [...input.shape.slice(0, -3).map(() => 1), ...image];
  const scaled = isFloat(input.dtype) ? values.map((value) => value / 255) : values;
  if (input.dtype === 'int8' || input.dtype === 'bool' || input.dtype === 'int4')
    throw new UsageError(`input '${input.name}' is ${input.dtype}, which does not hold pixels`);
  return { dtype: input.dtype, shape, data: encodeElements(input.dtype, scaled) };
}

async function decode(picture: Sharp, path: string, channels: number, width?: number, height?: number) {
  try {
    const upright = picture
      .rotate()
      .removeAlpha()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb');
    const sized = width && height ? upright.resize(width, height, { fit: 'fill' }) : upright;
    const made = await sized.raw().toBuffer({ resolveWithObject: true });
    if (made.info.channels !== channels) throw new Error(`it has ${made.info.channels} channels, expected ${channels}`);
    return made;
  } catch (cause) {
    throw new TensorRTError('ERR_PICTURE', `${path} cannot be read as a picture: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** From one pixel after the other to one channel after the other. */
function inPlanes(pixels: Uint8Array, channels: number): Float64Array {
  const count = pixels.length / channels;
  const planes = new Float64Array(pixels.length);
  for (let i = 0; i < count; i++) for (let c = 0; c < channels; c++) planes[c * count + i] = pixels[i * channels + c]!;
  return planes;
}
