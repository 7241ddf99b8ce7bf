import { z } from 'zod';
import type { Fail } from '../../dsl/define-layer.js';
import { maxRank } from '../../values/spec.js';

/** Options of every layer method. */
export interface Named {
  /** Name of the layer; unique within its network and scope. Default: made from the weights' name or the kind. */
  name?: string | undefined;
}

const float32Max = 3.4028234663852886e38;

/** A float32 parameter: ±Infinity becomes the largest finite value; NaN is refused. */
export const float32Number = z.any().check((context) => {
  const value: unknown = context.value;
  if (typeof value === 'number' && !Number.isNaN(value))
    context.value = Math.fround(Math.min(float32Max, Math.max(-float32Max, value)));
  else context.issues.push({ code: 'custom', params: { expected: 'a number' }, input: value });
}) as z.ZodType<number, number>;

export const wholeNumber = z.int();

export const positive = z.int().min(1);

export const nonNegative = z.int().min(0);

/** A list of whole numbers from `least` up. The whole list is one check, because recording makes several for each layer. */
export const wholeNumbers = (least: number, shortest: number, longest: number) =>
  z.any().check((context) => {
    const list: unknown = context.value;
    const problem = (expected: string, path: number[] = []) =>
      context.issues.push({ code: 'custom', params: { expected }, input: list, path });
    if (!Array.isArray(list) || list.length < shortest || list.length > longest) {
      problem(`a list of ${shortest} to ${longest} whole numbers`);
      return;
    }
    for (let i = 0; i < list.length; i++) {
      const given: unknown = list[i];
      if (!Number.isSafeInteger(given) || (given as number) < least) {
        problem(`a whole number of ${least} or more`, [i]);
        return;
      }
    }
  }) as z.ZodType<number[], readonly number[]>;

/** One number for all axes, or one per axis. */
export type PerAxis = number | readonly number[];

/** Repeats a number for `rank` axes. A list is returned unchanged, and the layer checks its length. Anything else is left for the schema to refuse. */
export const perAxis = (value: PerAxis | undefined, rank: number, fallback: number): number[] =>
  Array.isArray(value) ? [...value] : repeated((value ?? fallback) as number, Math.min(rank, maxRank));

/** Same as `Array(count).fill(value)`, but faster in V8. */
function repeated(value: number, count: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < count; i++) list.push(value);
  return list;
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
      fail('ERR_PARAMETER', `expected one number or ${axes}, given [${list.join(', ')}]`, {
        option: name,
        expected: axes,
        actual: list.length,
      });
  }
}
