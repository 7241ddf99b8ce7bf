import { show, TensorRTError } from '../../errors/error.js';
import type { DType } from '../../values/dtype.js';

/** The JSON of TensorRT's inspector, as far as it is known. */
export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** Dims as TensorRT writes them: a list, or as text between brackets or with `x` between. */
export function dimsOf(value: unknown): number[] | undefined {
  if (Array.isArray(value)) return value.every((one) => typeof one === 'number') ? value : undefined;
  const text = textOf(value);
  const found = text?.match(/-?\d+/g);
  return text !== undefined && /^[\s\d,x()[\]-]*$/.test(text) ? (found ?? []).map(Number) : undefined;
}

/** The names of dtypes in the inspector's sentences (`Row major linear FP16 format`) and fields (`Half`). */
const dtypeNames: readonly (readonly [RegExp, DType])[] = [
  [/\b(bf16|bfloat16|bfloat|brain)\b/i, 'bfloat16'],
  [/\b(fp16|half|float16)\b/i, 'float16'],
  [/\b(fp8|f8e4m3|e4m3|float8e4m3)\b/i, 'float8e4m3'],
  [/\b(fp4|f4e2m1|e2m1)\b/i, 'float4e2m1'],
  [/\b(e8m0)\b/i, 'float8e8m0'],
  [/\b(int64|i64)\b/i, 'int64'],
  [/\b(int32|i32)\b/i, 'int32'],
  [/\b(int8|i8)\b/i, 'int8'],
  [/\b(int4|i4)\b/i, 'int4'],
  [/\b(uint8|u8)\b/i, 'uint8'],
  [/\b(bool|boolean)\b/i, 'bool'],
  [/\b(fp32|float|float32|tf32)\b/i, 'float32'],
];

/** The dtype that a text names; undefined if it names none. */
export const dtypeIn = (text: string | undefined): DType | undefined =>
  text === undefined ? undefined : dtypeNames.find(([pattern]) => pattern.test(text))?.[1];

/** @throws ERR_ENGINE_INFORMATION */
export function refuseInformation(said: string, given: unknown, cause?: unknown): never {
  throw new TensorRTError('ERR_ENGINE_INFORMATION', `describeEngine: ${said}, given ${show(given)}`, {
    actual: given,
    cause,
  });
}
