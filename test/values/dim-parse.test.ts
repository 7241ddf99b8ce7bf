import { expect, test } from 'vitest';
import {
  addDims,
  ceilDivDims,
  dimNames,
  evaluateDim,
  floorDivDims,
  maxDims,
  minDims,
  modDims,
  mulDims,
  subDims,
  unknownDim,
} from '../../src/values/dim.js';
import { parseDim } from '../../src/values/dim-parse.js';

const window = addDims(floorDivDims(subDims('h', 3), 2), 1);
const printed = [
  'batch',
  'a-b',
  'x.y:z_1',
  mulDims('b', 'a'),
  addDims(mulDims(2, 'n'), -1),
  window,
  mulDims(window, 'b'),
  maxDims(window, 'w'),
  minDims('a', addDims('b', 1)),
  modDims(addDims('a', 'b'), 3),
  ceilDivDims(mulDims('a', 'c'), addDims('b', 1)),
  unknownDim('rows'),
];

test.each(printed)('%s reads as it prints', (dim) => {
  expect(parseDim(String(dim))).toBe(dim);
});

test('an expression is brought to the form in which equal sizes are equal strings', () => {
  expect(parseDim('seq*batch')).toBe('batch*seq');
  expect(parseDim('(a + 1)*(b+2)')).toBe('a*b + 2*a + b + 2');
  expect(parseDim('a - b')).toBe(subDims('a', 'b'));
  expect(parseDim('-a + 2*a')).toBe('a');
  expect(parseDim('floor(4*n / 2)')).toBe('2*n');
  expect(parseDim(' 3 ')).toBe(3);
});

test.each([
  '',
  ' ',
  'a b',
  'a +',
  '(a',
  'a)',
  'floor(a)',
  'floor(a, 2)',
  'max(a / 2)',
  'a$',
  '2a',
  'a / 2',
  '1.5',
  'floor(a / 0)',
  'mod(3, 0)',
])('%j is no dim', (text) => {
  expect(parseDim(text)).toBeUndefined();
});

test('products of names have values and names', () => {
  const dim = parseDim('b*h')!;
  expect(evaluateDim(dim, { b: 2, h: 3 })).toBe(6);
  expect(evaluateDim(dim, { b: 2 })).toBeUndefined();
  expect(dimNames(dim)).toEqual(['b', 'h']);
  expect(evaluateDim(parseDim('b*floor((h - 3) / 2) + b')!, { b: 2, h: 8 })).toBe(6);
});
