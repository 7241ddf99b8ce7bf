import { formatShape } from './dim.js';
import {
  bits,
  copyOfBytes,
  type DType,
  type HalfArray,
  isGone,
  isHalfArray,
  isTypedArray,
  type TypedArray,
  viewAs,
  withoutHalves,
} from './dtype.js';
import { carries, encodeElements, isScalar, type Scalar } from './elements.js';
import {
  describe,
  type Feed,
  fail,
  given,
  type InputType,
  type ParsedFeed,
  type ShapedFeed,
  withArticle,
} from './feed.js';
import { isOnHost, isPlaced, type PlacedTensor } from './placed.js';
import { checkMapping, mappingOf } from './weight.js';

/** Checks the elements of a feed. @throws ERR_FEED */
export function parseFeed(input: InputType, feed: Feed): ParsedFeed {
  if (isScalar(feed)) return parseNumbers(input, [feed], undefined);
  if (Array.isArray(feed)) return parseNumbers(input, feed, undefined);
  if (isTypedArray(feed)) return parseArray(input, feed, true, undefined);
  if (isPlaced(feed)) return parsePlaced(input, feed);
  if (typeof feed !== 'object' || feed === null || !('data' in feed)) {
    return fail(
      input,
      `expected a typed array, a list of numbers or { shape, data } for ${describe(input)}, given ${given(feed)}`,
    );
  }
  const { dtype, shape, data } = feed;
  if (dtype !== undefined && dtype !== input.dtype) {
    fail(input, `expected ${input.dtype}, given ${String(dtype)}${conversion(input.dtype, feed)}`, {
      expected: input.dtype,
      actual: dtype,
    });
  }
  const valid = shape === undefined || (Array.isArray(shape) && shape.every((d) => Number.isSafeInteger(d) && d >= 0));
  if (!valid) {
    fail(input, `expected a shape of whole numbers, given ${Array.isArray(shape) ? formatShape(shape) : given(shape)}`);
  }
  if (Array.isArray(data)) return parseNumbers(input, data, shape);
  if (!isTypedArray(data)) fail(input, `expected a typed array or a list of numbers as data, given ${given(data)}`);
  return parseArray(input, data, dtype === undefined, shape);
}

const nothing = new Uint8Array(0);

function parsePlaced(input: InputType, placed: PlacedTensor): ParsedFeed {
  const { dtype, shape } = placed;
  if (dtype !== input.dtype) {
    fail(input, `expected a tensor of ${input.dtype}, given ${dtype}`, { expected: input.dtype, actual: dtype });
  }
  if (isOnHost(placed)) return parseArray(input, placed.data, false, shape, placed);
  return { input, data: nothing, isOwn: true, placed, counts: [], shape, sizes: undefined };
}

/** How to feed elements of another dtype. */
function conversion(dtype: DType, feed: ShapedFeed): string {
  const { as, toFloat32 } = feed as { as?: unknown; toFloat32?: unknown };
  if (typeof as === 'function') return `; convert the weight with .as('${dtype}')`;
  if (rounds(dtype) && feed.data instanceof Float32Array)
    return `; give { shape, data } without dtype, and the elements are rounded to ${dtype}`;
  if (dtype === 'float32' || rounds(dtype)) {
    if (typeof toFloat32 === 'function') return '; give { shape, data: result.toFloat32() }';
  }
  return '';
}

/** Whether a Float32Array stands for the dtype too. */
const rounds = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';

function parseNumbers(input: InputType, values: readonly unknown[], shape: readonly number[] | undefined): ParsedFeed {
  const odd = values.findIndex((value) => !isScalar(value));
  if (odd >= 0) {
    if (values.some(Array.isArray)) refuseNested(input, values);
    fail(input, `element ${odd}: expected a number, given ${given(values[odd])}`);
  }
  const data = encodeElements(input.dtype, values as Scalar[], (_, message) => fail(input, message));
  return { input, data, isOwn: true, placed: undefined, counts: [values.length], shape, sizes: undefined };
}

/** Says how to give the elements of lists in a list, where they have a shape. */
function refuseNested(input: InputType, values: readonly unknown[]): never {
  const shape: number[] = [];
  let flat = values;
  let isEven = true;
  for (; isEven && flat.some(Array.isArray); flat = flat.flat(1)) {
    const length = (flat[0] as { length?: number } | undefined)?.length;
    isEven = flat.every((one) => Array.isArray(one) && one.length === length);
    shape.push(flat.length / shape.reduce((a, b) => a * b, 1));
  }
  if (!isEven || !flat.every(isScalar))
    return fail(input, 'expected one flat list of numbers, given lists in a list, which differ in length or depth');
  shape.push(flat.length / shape.reduce((a, b) => a * b, 1));
  const how = `{ shape: ${formatShape(shape)}, data: values.flat(${shape.length > 2 ? shape.length - 1 : ''}) }`;
  return fail(input, `expected one flat list of numbers, given lists in a list; give them as ${how}`);
}

/** The typed arrays that carry a dtype, for messages. */
const travels = (dtype: DType): string =>
  `${viewAs(dtype, new Uint8Array(0)).constructor.name}${rounds(dtype) ? ' of bits' : bits[dtype] === 4 ? ' (packed)' : ''}`;

const converted: Partial<Record<DType, string>> = {
  float32: 'Float32Array.from(data)',
  float16: 'Float32Array.from(data)',
  bfloat16: 'Float32Array.from(data)',
  int64: 'BigInt64Array.from(data, BigInt)',
  int32: 'Int32Array.from(data)',
};

function parseArray(
  input: InputType,
  array: TypedArray | HalfArray,
  mayRound: boolean,
  shape: readonly number[] | undefined,
  placed?: PlacedTensor,
): ParsedFeed {
  const { dtype } = input;
  if (isGone(array)) fail(input, 'the array is detached: its buffer was transferred elsewhere, or shrank');
  const data = asElements(dtype, array, mayRound);
  if (!data) {
    const hint =
      rounds(dtype) && array instanceof Float32Array
        ? `; leave out dtype, and the elements are rounded to ${dtype}`
        : converted[dtype]
          ? `; convert it with ${converted[dtype]}${mayRound || !rounds(dtype) ? '' : ', and leave out dtype'}`
          : '';
    fail(
      input,
      `expected ${withArticle(travels(dtype))} for ${dtype}, given ${withArticle(array.constructor.name)}${hint}`,
      {
        expected: dtype,
        actual: array.constructor.name,
      },
    );
  }
  if (dtype === 'bool') {
    const odd = (data as Uint8Array).findIndex((value) => value > 1);
    if (odd >= 0) fail(input, `element ${odd}: expected 0 or 1 for bool, given ${data[odd]}`);
  }
  const counts = bits[dtype] === 4 ? [data.length * 2, data.length * 2 - 1].filter((n) => n >= 0) : [data.length];
  return { input, data, isOwn: data.buffer !== array.buffer, placed, counts, shape, sizes: undefined };
}

/** The elements, in the typed array of their dtype; a copy if they are converted, or another thread or process has them too. */
function asElements(dtype: DType, given: TypedArray | HalfArray, mayRound: boolean): TypedArray | undefined {
  const mapping = mappingOf(given);
  if (mayRound && rounds(dtype) && given instanceof Float32Array) {
    const rounded = encodeElements(dtype, given);
    checkMapping(mapping);
    return rounded;
  }
  // A Float16Array is no bfloat16, though both travel as 16 bits.
  const array = isHalfArray(given) && dtype !== 'float16' ? undefined : withoutHalves(given);
  const fits = array && (carries(dtype, array) || (dtype === 'uint8' && array instanceof Uint8ClampedArray));
  if (!fits) return undefined;
  if (!mapping && array.buffer instanceof ArrayBuffer) {
    return array instanceof Uint8ClampedArray ? new Uint8Array(array.buffer, array.byteOffset, array.length) : array;
  }
  const copy = viewAs(dtype, copyOfBytes(array));
  checkMapping(mapping);
  return copy;
}
