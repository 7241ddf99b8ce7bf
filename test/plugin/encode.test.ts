import { describe, expect, test } from 'vitest';
import { encodeRecipe, recipeTypes } from '../../src/plugin/encode.js';
import {
  type FieldType,
  fieldTypes,
  floatTypes,
  integerTypes,
  operations,
  type Recipe,
} from '../../src/plugin/recipe.js';
import { randomRecipe } from './random-recipes.js';

const head = { name: 'Näme', version: '1', packageVersion: '0.1.0', lowered: ['_Z1k'], timing: 'abc' };

/** Reads the bytes as the format says, without the encoder's code. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const step = <T>(size: number, read: (at: number) => T): T => {
    const value = read(at);
    at += size;
    return value;
  };
  const u8 = () => step(1, (i) => view.getUint8(i));
  const u32 = () => step(4, (i) => view.getUint32(i, true));
  const text = () => {
    const size = u32();
    return step(size, (i) => new TextDecoder().decode(bytes.subarray(i, i + size)));
  };
  const list = <T>(read: () => T): T[] => Array.from({ length: u32() }, read);
  const dtype = () => recipeTypes[u8()]!;
  const fieldType = () => {
    const value = u8();
    return Object.keys(fieldTypes).find((key) => fieldTypes[key as FieldType] === value)!;
  };
  const pointer = () => {
    const to = ['input', 'output', 'workspace'][u8()]!;
    return to === 'workspace' ? { to, offset: u32() } : { to, index: u32() };
  };
  const three = () => [u32(), u32(), u32()];
  const argument = () => {
    const kind = ['pointer', 'integer', 'float', 'floatOf', 'attribute'][u8()]!;
    if (kind === 'pointer') return { kind, pointer: pointer() };
    if (kind === 'integer') return { kind, type: integerTypes[u8()], expression: u32() };
    if (kind === 'float') return { kind, type: floatTypes[u8()], value: step(8, (i) => view.getFloat64(i, true)) };
    if (kind === 'floatOf') return { kind, type: floatTypes[u8()], expression: u32() };
    return { kind, attribute: u32() };
  };
  const expression = () => {
    const op = u8();
    if (op === 0) return { op: 'constant', value: step(8, (i) => view.getBigInt64(i, true)) };
    if (op === 1) return { op: 'dim', input: u32(), axis: u32() };
    if (op === 2) return { op: 'value', input: u32(), element: u32() };
    if (op === 3) return { op: 'size', output: u32(), opt: u32(), upper: u32() };
    return { op: operations[op - 4], a: u32(), b: u32() };
  };
  const launch = () =>
    u8() === 1
      ? { kind: 'fill', target: pointer(), byte: u8(), bytes: u32() }
      : { kind: 'launch', kernel: u32(), grid: three(), block: three(), sharedMemory: u32(), args: list(argument) };
  const magic = step(4, (i) => new TextDecoder().decode(bytes.subarray(i, i + 4)));
  const format = u32();
  const [name, version, packageVersion] = [text(), text(), text()];
  const inputs = list(() => ({ name: text(), dtype: dtype(), rank: u8(), isShape: u8() === 1 }));
  const attributes = list(() => ({ name: text(), type: fieldType() }));
  const expressions = list(expression);
  const outputs = list(() => ({
    name: text(),
    dtype: dtype(),
    alias: step(4, (i) => view.getInt32(i, true)),
    isSize: u8() === 1,
    dims: list(u32),
  }));
  const workspace = u32();
  const kernels = list(() => [text(), text()]);
  const tactics = list(() => list(launch));
  const timing = text();
  expect(at).toBe(bytes.length);
  return {
    magic,
    format,
    name,
    version,
    packageVersion,
    inputs,
    attributes,
    expressions,
    outputs,
    workspace,
    kernels,
    tactics,
    timing,
  };
}

test.each(Array.from({ length: 50 }, (_, seed) => [seed]))('random recipe %i comes back from its bytes', (seed) => {
  const { recipe } = randomRecipe(seed);
  const { kernels, ...others } = recipe;
  const { lowered, ...names } = head;
  expect(decode(encodeRecipe(recipe, head))).toEqual({
    magic: 'NTRP',
    format: 1,
    ...names,
    ...others,
    kernels: [[kernels[0], lowered[0]]],
  });
});

const least: Recipe = {
  inputs: [{ name: 'x', dtype: 'float16', rank: 2, isShape: false }],
  outputs: [{ name: 'y', dtype: 'bool', dims: [0], alias: 0, isSize: false }],
  attributes: [{ name: 'e', type: 'bfloat16' }],
  expressions: [
    { op: 'dim', input: 0, axis: 1 },
    { op: 'constant', value: -2n },
    { op: 'ceilDiv', a: 0, b: 1 },
  ],
  workspace: 1,
  kernels: ['k'],
  tactics: [[{ kind: 'fill', target: { to: 'output', index: 0 }, byte: 255, bytes: 2 }]],
};

test('the bytes, one by one', () => {
  const hex = Buffer.from(
    encodeRecipe(least, { name: 'N', version: '1', packageVersion: '2', lowered: ['l'], timing: '' }),
  ).toString('hex');
  expect(hex).toBe(
    [
      '4e54525001000000',
      '010000004e',
      '0100000031',
      '0100000032',
      '01000000',
      '0100000078',
      '01',
      '02',
      '00',
      '01000000',
      '0100000065',
      '09',
      '03000000',
      '01',
      '00000000',
      '01000000',
      '00',
      'feffffffffffffff',
      '0c',
      '00000000',
      '01000000',
      '01000000',
      '0100000079',
      '09',
      '00000000',
      '00',
      '01000000',
      '00000000',
      '01000000',
      '01000000',
      '010000006b',
      '010000006c',
      '01000000',
      '01000000',
      '01',
      '01',
      '00000000',
      'ff',
      '02000000',
      '00000000',
    ].join(''),
  );
});

describe('numbers of names', () => {
  test('are those of the format', () => {
    expect(recipeTypes).toEqual([
      'float32',
      'float16',
      'bfloat16',
      'float8e4m3',
      'int64',
      'int32',
      'int8',
      'int4',
      'uint8',
      'bool',
    ]);
    expect(integerTypes).toEqual(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bool']);
    expect(floatTypes).toEqual(['float16', 'bfloat16', 'float32', 'float64']);
    expect(operations).toEqual(['sum', 'prod', 'max', 'min', 'sub', 'equal', 'less', 'floorDiv', 'ceilDiv']);
  });

  test('one without a number is refused', () => {
    const odd = { ...least, inputs: [{ ...least.inputs[0]!, dtype: 'float4e2m1' as const }] };
    expect(() => encodeRecipe(odd, { ...head, lowered: ['l'] })).toThrow(/'float4e2m1' has no number/);
    expect(() => encodeRecipe(least, { ...head, lowered: [] })).toThrow(/1 kernels have 0 lowered names/);
  });
});
