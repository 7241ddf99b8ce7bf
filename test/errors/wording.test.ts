import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { issueFacts, type SchemaIssue } from '../../src/errors/schema-issue.js';
import { show } from '../../src/errors/wording.js';
import { TensorRTError } from '../../src/index.js';

describe('a message is made of the facts', () => {
  const source = { file: '/home/me/net.ts', line: 3, column: 1 };
  const weight = { role: 'weight', name: 'a.weight', file: '/w.safetensors', shape: [2, 3] };

  test.each<[string, ConstructorParameters<typeof TensorRTError>, string]>([
    ['a sentence alone', ['ERR_X', 'it is broken'], 'it is broken'],
    ['of a method', ['ERR_X', 'expected 1', { method: 'relu' }], 'relu: expected 1'],
    ['about an option', ['ERR_X', 'expected 1', { method: 'elu', option: 'alpha' }], 'elu: alpha: expected 1'],
    [
      'of a layer with a name',
      ['ERR_X', 'expected 1', { method: 'elu', layer: 'act', option: 'alpha' }],
      "elu 'act': alpha: expected 1",
    ],
    ['of a layer without a method', ['ERR_X', 'it failed', { layer: 'act' }], 'it failed'],
    [
      'about options that do not fit',
      ['ERR_X', 'expected two numbers', { method: 'fill', options: ['alpha', 'beta'] }],
      'fill: alpha and beta: expected two numbers',
    ],
    [
      'that speaks of its options itself',
      ['ERR_X', 'the weight is too large', { method: 'conv2d', involved: ['weight'] }],
      'conv2d: the weight is too large',
    ],
    [
      'with place, log and weights',
      ['ERR_X', 'no', { method: 'conv2d', source, log: ['one', 'two'], weights: [weight] }],
      "conv2d: no\n    recorded at /home/me/net.ts:3\n    TensorRT: one\n    TensorRT: two\n    weight: 'a.weight' of /w.safetensors [2, 3]",
    ],
  ])('%s', (_, facts, message) => {
    const error = new TensorRTError(...facts);
    expect(error.message).toBe(message);
    expect(error.stack).toContain(message);
  });

  test('long names and long values are cut off', () => {
    const { message } = new TensorRTError('ERR_X', 'y'.repeat(10_000), { method: 'm', layer: 'n'.repeat(1000) });
    expect(message).toMatch(/^m 'n{200}…': y+ …$/);
    expect(message.length).toBeLessThan(4100);
  });

  test('the options at fault are fields', () => {
    const fields = (facts: object) => {
      const { option, options } = new TensorRTError('ERR_X', 'no', facts);
      return { option, options };
    };
    expect(fields({ option: 'a' })).toEqual({ option: 'a' });
    expect(fields({ involved: ['a'] })).toEqual({ option: 'a' });
    expect(fields({ option: 'a', involved: ['b'] })).toEqual({ option: 'a', options: ['a', 'b'] });
    expect(fields({ options: ['a', 'b'] })).toEqual({ options: ['a', 'b'] });
    expect(fields({})).toEqual({});
  });

  test('the same error with other facts', () => {
    const error = new TensorRTError('ERR_X', 'no', { method: 'relu', source });
    expect(error.with({ source: undefined }).message).toBe('relu: no');
    expect(error.with({ option: 'name' }).message).toBe('relu: name: no\n    recorded at /home/me/net.ts:3');
  });
});

describe('what a schema finds wrong', () => {
  const odd = z.int().refine((v) => v % 2 === 1, { params: { expected: 'an odd number' } });

  test.each<[z.ZodType, unknown, string]>([
    [z.int(), 'a', "expected a number, given 'a'"],
    [z.int(), 1.5, 'expected a whole number, given 1.5'],
    [z.int().min(1), 0, 'expected 1 or more, given 0'],
    [z.number().positive(), 0, 'expected more than 0, given 0'],
    [z.int().max(5), 9, 'expected at most 5, given 9'],
    [z.number().lt(5), 5, 'expected less than 5, given 5'],
    [z.boolean(), 1, 'expected true or false, given 1'],
    [z.string().min(1), '', "expected at least 1 letter, given ''"],
    [z.enum(['a', 'b']), 'c', "expected one of a, b, given 'c'"],
    [z.literal(-1), 2, 'expected -1, given 2'],
    [z.array(z.int()), 3, 'expected a list, given 3'],
    [z.array(z.int()).min(1), [], 'expected at least 1 entry, given []'],
    [z.array(z.int()).max(1), [1, 2], 'expected at most 1 entry, given [ 1, 2 ]'],
    [z.array(z.int()).length(2), [1], 'expected 2 entries, given [ 1 ]'],
    [z.array(z.int()).length(2), [1, 2, 3], 'expected 2 entries, given [ 1, 2, 3 ]'],
    [z.union([z.literal(-1), z.int()]), 'a', "expected -1 or a number, given 'a'"],
    [z.instanceof(AbortSignal), 1, 'expected a value of type AbortSignal, given 1'],
    [odd, 2, 'expected an odd number, given 2'],
  ])('%#', (schema, value, said) => {
    const { error } = z.strictObject({ size: schema }).safeParse({ size: value });
    const facts = issueFacts(error!.issues[0] as SchemaIssue, { size: value });
    expect(facts).toMatchObject({ option: 'size', said, actual: value });
  });

  test('is named without indices, as one number may stand for a list', () => {
    const { error } = z.object({ a: z.object({ b: z.array(z.int()) }) }).safeParse({ a: { b: [1, 'x'] } });
    const facts = issueFacts(error!.issues[0] as SchemaIssue, { a: { b: [1, 'x'] } });
    expect(facts).toMatchObject({ option: 'a.b', said: "expected a number, given 'x'" });
  });
});

test('values are shown in one line', () => {
  expect(show(Array.from({ length: 30 }, (_, i) => i))).toBe('[ 0, 1, 2, 3, 4, 5, 6, 7, ... 22 more items ]');
});
