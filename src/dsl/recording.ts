import type { z } from 'zod';
import type { Fail } from './define-layer.js';
import { formatShape, type Shape } from './dim.js';
import { show, TensorRTError } from './errors.js';
import { maxRank } from './spec.js';
import { type CheckedWeight, checkWeight } from './weight.js';

/** What layers without weights or bodies share. */
export const none: Record<string, never> = Object.freeze({});

/** A record with every value mapped. */
export function mapValues<T, R>(
  record: Readonly<Record<string, T>> | undefined,
  map: (value: T, key: string) => R,
): Record<string, R> {
  if (!record || record === none) return none;
  const mapped: Record<string, R> = {};
  for (const key in record) mapped[key] = map(record[key]!, key);
  return mapped;
}

/** The weights that are given, each checked. */
export function checkWeights(
  given: Readonly<Record<string, unknown>> | undefined,
  fail: Fail,
): Record<string, CheckedWeight> {
  if (!given) return none;
  const checked: Record<string, CheckedWeight> = {};
  for (const role in given) {
    const value = given[role];
    if (value === undefined || value === null) continue;
    try {
      checked[role] = checkWeight(value, role);
    } catch (error) {
      if (!(error instanceof TensorRTError)) throw error;
      fail(error.code, error.message, { expected: error.expected, actual: error.actual });
    }
  }
  return checked;
}

/** What stands before the last dot in the first weight's name that has one. */
export function commonPrefix(weights: Readonly<Record<string, CheckedWeight>>): string | undefined {
  for (const role in weights) {
    const { name } = weights[role]!;
    const dot = name?.lastIndexOf('.') ?? -1;
    if (dot >= 0) return name!.slice(0, dot);
  }
  return undefined;
}

/** Refuses a shape that no tensor can have. */
export function checkShape(shape: Shape, fail: Fail): void {
  if (shape.length > maxRank) {
    fail(
      'ERR_SHAPE',
      `TensorRT takes at most ${maxRank} dims, the result would have ${shape.length}: ${formatShape(shape)}`,
    );
  }
  for (const dim of shape) {
    if (typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0)) {
      fail('ERR_SHAPE', `the result would have the impossible shape ${formatShape(shape)}`);
    }
  }
}

/** What a schema found wrong, in the words of this package. */
export function describeIssue(issue: z.core.$ZodIssue, params: unknown): string {
  let given: unknown = params;
  for (const key of issue.path) given = (given as Record<PropertyKey, unknown> | undefined)?.[key];
  const expected = issue.message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');
  return issue.code === 'custom' ? issue.message : `${expected}, given ${show(given)}`;
}
