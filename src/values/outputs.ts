import { show, TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { countOf, evaluateDim, formatShape, isStaticShape } from './dim.js';
import {
  byteLength,
  bytesOf,
  type DType,
  dtypeOf,
  type HalfArray,
  isGone,
  isTypedArray,
  type TypedArray,
  viewAs,
  withoutHalves,
} from './dtype.js';
import { carries } from './elements.js';
import type { InputType, ResolvedFeed } from './feed.js';
import { type HostPlaced, isOnHost, isPlaced, type PlacedTensor, placed } from './placed.js';
import { Result } from './result.js';
import { mappingOf } from './weight.js';

/**
 * Where an output goes: a new array (`'host'`), a new tensor on the GPU (`'device'`), the typed array of its dtype, or a tensor with
 * memory of its own. Arrays and tensors need at least the bytes of the result.
 */
export type OutputPlace = 'host' | 'device' | TypedArray | HalfArray | PlacedTensor;
/** One place for every output, or places by name. Default: `'host'`. */
export type OutputPlaces = 'device' | Readonly<Record<string, OutputPlace>>;

/** A checked place. */
export type ResolvedOutput =
  | 'host'
  | 'device'
  | { array: TypedArray; tensor?: undefined }
  | { tensor: PlacedTensor; array?: undefined };

function fail(name: string, message: string, facts: { expected?: unknown; actual?: unknown } = {}): never {
  throw new TensorRTError('ERR_OUTPUT', `output '${name}': ${message}`, facts);
}

/**
 * Checks where outputs are to go, in the order of `outputs`.
 * @throws ERR_OUTPUT
 */
export function resolveOutputs(outputs: readonly InputType[], given: unknown): ResolvedOutput[] {
  if (given === undefined) return outputs.map(() => 'host');
  if (given === 'device') return outputs.map(() => 'device');
  const isRecord = typeof given === 'object' && given !== null && !Array.isArray(given) && !ArrayBuffer.isView(given);
  if (!isRecord || isPlaced(given)) {
    throw new TensorRTError(
      'ERR_OUTPUT',
      `outputs: expected 'device', or an object with places by output name, given ${show(given)}`,
    );
  }
  const places: unknown[] = outputs.map(() => undefined);
  const names = Object.keys(given);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const index = outputs[i]?.name === name ? i : outputs.findIndex((output) => output.name === name);
    if (index < 0) unknownName(name, outputs);
    places[index] = (given as Record<string, unknown>)[name];
  }
  return outputs.map((output, i) => resolve(output, places[i]));
}

function unknownName(name: string, outputs: readonly InputType[]): never {
  const names = outputs.map((output) => output.name);
  const hint = suggestion(name, names) || `; the outputs are ${names.map((one) => `'${one}'`).join(', ')}`;
  throw new TensorRTError('ERR_OUTPUT', `there is no output '${name}'${hint}`, { expected: names, actual: name });
}

function resolve({ name, dtype }: InputType, place: unknown): ResolvedOutput {
  if (place === undefined || place === 'host') return 'host';
  if (place === 'device') return 'device';
  if (isPlaced(place)) {
    if (place.dtype !== dtype) {
      fail(name, `expected a tensor of ${dtype}, given ${place.dtype}`, { expected: dtype, actual: place.dtype });
    }
    if (isOnHost(place)) void place.data;
    return { tensor: place };
  }
  if (!isTypedArray(place)) {
    fail(name, `expected 'host', 'device', a typed array, a HostTensor or a DeviceTensor, given ${show(place)}`);
  }
  if (isGone(place)) fail(name, 'the array is detached: its buffer was transferred elsewhere, or shrank');
  const array = dtypeOf(place) === 'float16' && dtype !== 'float16' ? undefined : withoutHalves(place);
  if (!array || !carries(dtype, array)) {
    const carrier = viewAs(dtype, new Uint8Array(0)).constructor.name;
    fail(name, `${dtype} is written to a ${carrier}, given a ${place.constructor.name}`, {
      expected: carrier,
      actual: place.constructor.name,
    });
  }
  if (mappingOf(array)) fail(name, 'the array lies in a weight file, which is not written to');
  return { array };
}

/** The sizes of an output that are known before the run; undefined if one is not. */
export function knownShape(
  shape: InputType['shape'],
  sizes: Readonly<Record<string, number>>,
): readonly number[] | undefined {
  if (isStaticShape(shape)) return shape;
  const known = shape.map((dim) => evaluateDim(dim, sizes));
  return known.every((size) => size !== undefined) ? (known as number[]) : undefined;
}

/** Bytes that one place or feed takes. */
interface Region {
  name: string;
  isInput: boolean;
  memory: unknown;
  from: number;
  to: number;
}

function regionOf(name: string, isInput: boolean, array: TypedArray | undefined, tensor?: PlacedTensor): Region {
  if (tensor && !isOnHost(tensor)) return { name, isInput, memory: tensor[placed], from: 0, to: tensor.byteLength };
  const { buffer, byteOffset, byteLength } = tensor ? tensor.data : array!;
  return { name, isInput, memory: buffer, from: byteOffset, to: byteOffset + byteLength };
}

function regionOfFeed({ name, data, isOwn, placed: tensor }: ResolvedFeed, transfer: boolean | undefined): Region {
  const region = regionOf(name, true, data, tensor);
  if (!transfer || isOwn || tensor) return region;
  return { ...region, from: 0, to: Number.POSITIVE_INFINITY };
}

/**
 * Refuses places that are too short, as far as shapes are known, and memory that two outputs share, or an output and a feed.
 * @param given feeds, sizes of names, and whether the buffers of feeds are handed over
 * @param inPlace by output, the input that it may share a tensor with
 * @throws ERR_OUTPUT
 */
export function checkOutputMemory(
  outputs: readonly InputType[],
  places: readonly ResolvedOutput[],
  given: { feeds: readonly ResolvedFeed[]; sizes: Readonly<Record<string, number>>; transfer?: boolean },
  inPlace: (output: string) => string | undefined = () => undefined,
): void {
  let taken: Region[] | undefined;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (typeof place === 'string') continue;
    const { name, dtype, shape } = outputs[i]!;
    const { array, tensor } = place;
    const known = knownShape(shape, given.sizes);
    if (known) checkBytes(name, dtype, known, (array ?? tensor!).byteLength);
    taken ??= given.feeds.map((feed) => regionOfFeed(feed, given.transfer));
    const region = regionOf(name, false, array, tensor);
    for (const other of taken) {
      if (other.memory !== region.memory || other.from >= region.to || region.from >= other.to) continue;
      if (other.isInput && tensor && other.name === inPlace(name)) continue;
      fail(name, `its memory is also that of ${other.isInput ? 'input' : 'output'} '${other.name}'`);
    }
    taken.push(region);
  }
}

/** @throws ERR_OUTPUT if a place is too short for a result */
export function checkBytes(name: string, dtype: DType, shape: readonly number[], bytes: number): void {
  const needed = byteLength(dtype, countOf(shape));
  if (bytes >= needed) return;
  fail(name, `${dtype} ${formatShape(shape)} takes ${needed} bytes, given ${bytes}`, {
    expected: needed,
    actual: bytes,
  });
}

/**
 * Copies a result to the array that was given for it.
 * @returns a result over that array, exactly as long as the elements
 * @throws ERR_OUTPUT if the array is too short, or was detached
 */
export function writeResult(
  name: string,
  dtype: DType,
  shape: readonly number[],
  from: Uint8Array,
  to: TypedArray,
): Result {
  if (isGone(to)) fail(name, 'the array was detached before the run ended');
  checkBytes(name, dtype, shape, to.byteLength);
  bytesOf(to).set(from);
  return new Result(dtype, shape, part(to, from.byteLength));
}

/** A result over the memory of a tensor on the host. */
export const resultIn = (tensor: HostPlaced, shape: readonly number[]): Result =>
  new Result(tensor.dtype, shape, part(tensor.data, byteLength(tensor.dtype, countOf(shape))));

const part = (array: TypedArray, bytes: number): TypedArray => array.subarray(0, bytes / array.BYTES_PER_ELEMENT);
