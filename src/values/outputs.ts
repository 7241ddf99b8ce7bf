import { show, TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { evaluateDim, formatShape } from './dim.js';
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
import type { InputType, ResolvedFeed } from './feeds.js';
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
export type ResolvedOutput = 'host' | 'device' | { array: TypedArray } | { tensor: PlacedTensor };

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
  const names = outputs.map(({ name }) => name);
  const places = new Map(Object.entries(given));
  for (const name of places.keys()) {
    if (names.includes(name)) continue;
    const hint = suggestion(name, names) || `; the outputs are ${names.map((one) => `'${one}'`).join(', ')}`;
    throw new TensorRTError('ERR_OUTPUT', `there is no output '${name}'${hint}`, { expected: names, actual: name });
  }
  return outputs.map((output) => resolve(output, places.get(output.name)));
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
export function knownShape(shape: InputType['shape'], sizes: Readonly<Record<string, number>>): number[] | undefined {
  const known = shape.map((dim) => evaluateDim(dim, sizes));
  return known.every((size) => size !== undefined) ? (known as number[]) : undefined;
}

/** Bytes that one place or feed takes. */
interface Region {
  what: string;
  memory: unknown;
  from: number;
  to: number;
}

const regionOf = (what: string, where: TypedArray | PlacedTensor): Region => {
  if (isPlaced(where) && !isOnHost(where)) return { what, memory: where[placed], from: 0, to: where.byteLength };
  const { buffer, byteOffset, byteLength } = isPlaced(where) ? where.data : where;
  return { what, memory: buffer, from: byteOffset, to: byteOffset + byteLength };
};

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
  const taken: (Region & { input?: string })[] = [];
  for (const [i, place] of places.entries()) {
    if (typeof place === 'string') continue;
    const { name, dtype, shape } = outputs[i]!;
    const where = 'array' in place ? place.array : place.tensor;
    const known = knownShape(shape, given.sizes);
    if (known) checkBytes(name, dtype, known, where.byteLength);
    if (taken.length === 0) {
      for (const { name, data, isOwn, placed: tensor } of given.feeds) {
        const region = regionOf(`input '${name}'`, tensor ?? data);
        const isWhole = given.transfer && !isOwn && !tensor;
        taken.push({ ...region, ...(isWhole && { from: 0, to: Number.POSITIVE_INFINITY }), input: name });
      }
    }
    const region = regionOf(`output '${name}'`, where);
    const other = taken.find(
      ({ memory, from, to, input }) =>
        memory === region.memory &&
        from < region.to &&
        region.from < to &&
        !(input !== undefined && 'tensor' in place && input === inPlace(name)),
    );
    if (other) fail(name, `its memory is also that of ${other.what}`);
    taken.push(region);
  }
}

/** @throws ERR_OUTPUT if a place is too short for a result */
export function checkBytes(name: string, dtype: DType, shape: readonly number[], bytes: number): void {
  const needed = byteLength(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
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
export const resultIn = (tensor: HostPlaced, shape: readonly number[]): Result => {
  const count = shape.reduce((a, b) => a * b, 1);
  return new Result(tensor.dtype, shape, part(tensor.data, byteLength(tensor.dtype, count)));
};

const part = (array: TypedArray, bytes: number): TypedArray => array.subarray(0, bytes / array.BYTES_PER_ELEMENT);
