import { describe, expect, test } from 'vitest';
import {
  addDims,
  ceilDivDims,
  type Dim,
  dimNames,
  divideExactly,
  evaluateDim,
  floorDivDims,
  isUnknown,
  maxDims,
  minDims,
  modDims,
  mulDims,
  subDims,
  unknownDim,
  volume,
} from '../../src/values/dim.js';
import { random } from './random.js';

type Binary = (a: Dim, b: Dim) => Dim;

/** Each operation on dims, and the same on numbers. */
const operations: [name: string, symbolic: Binary, numeric: (a: number, b: number) => number][] = [
  ['+', addDims, (a, b) => a + b],
  ['-', subDims, (a, b) => a - b],
  ['*', mulDims, (a, b) => a * b],
  ['floor', floorDivDims, (a, b) => Math.floor(a / b)],
  ['ceil', ceilDivDims, (a, b) => Math.ceil(a / b)],
  ['max', maxDims, Math.max],
  ['min', minDims, Math.min],
  ['mod', modDims, (a, b) => a - b * Math.floor(a / b)],
];
const ring = operations.slice(0, 3);
const names = ['n', 'h', 'w', 'seq-len'];

/** A random expression as a dim and as a function of the names' sizes; divisors are positive numbers. */
function expression(
  next: () => number,
  depth: number,
  among = operations,
): [Dim, (sizes: Record<string, number>) => number] {
  const whole = (below: number) => Math.floor(next() * below);
  if (depth === 0 || next() < 0.2) {
    if (next() < 0.5) {
      const value = whole(7);
      return [value, () => value];
    }
    const name = names[whole(names.length)]!;
    return [name, (sizes) => sizes[name]!];
  }
  const [op, symbolic, numeric] = among[whole(among.length)]!;
  const [a, numberOf] = expression(next, depth - 1, among);
  if (['floor', 'ceil', 'mod'].includes(op)) {
    const divisor = 1 + whole(5);
    return [symbolic(a, divisor), (sizes) => numeric(numberOf(sizes), divisor)];
  }
  const [b, otherOf] = expression(next, depth - 1, among);
  return [symbolic(a, b), (sizes) => numeric(numberOf(sizes), otherOf(sizes))];
}

const sizes = (next: () => number) => Object.fromEntries(names.map((name) => [name, Math.floor(next() * 40)]));

describe('dims', () => {
  test('2,000 random expressions evaluate as numbers do', () => {
    const next = random(1);
    for (let i = 0; i < 2000; i++) {
      const [dim, value] = expression(next, 4);
      for (let k = 0; k < 3; k++) {
        const at = sizes(next);
        expect(evaluateDim(dim, at), `${dim} at ${JSON.stringify(at)}`).toBe(value(at) + 0);
      }
    }
  });

  test('sums and products are canonical: 1,000 rearranged expressions give the same dim', () => {
    const next = random(2);
    for (let i = 0; i < 1000; i++) {
      const [[a], [b], [c]] = [expression(next, 3, ring), expression(next, 3, ring), expression(next, 3, ring)];
      expect(addDims(a, b)).toBe(addDims(b, a));
      expect(addDims(addDims(a, b), c)).toBe(addDims(a, addDims(b, c)));
      expect(mulDims(a, b)).toBe(mulDims(b, a));
      expect(mulDims(mulDims(a, b), c)).toBe(mulDims(a, mulDims(b, c)));
      expect(mulDims(a, addDims(b, c))).toBe(addDims(mulDims(a, b), mulDims(a, c)));
      expect(subDims(addDims(a, b), b)).toBe(a);
      expect(subDims(a, a)).toBe(0);
    }
  });

  test('different polynomials are different dims', () => {
    // Two of low degree that agree at as many points as these are one polynomial.
    const next = random(3);
    const points = Array.from({ length: 60 }, () => sizes(next));
    const seen = new Map<string, Dim>();
    for (let i = 0; i < 1000; i++) {
      const [dim, value] = expression(next, 3, ring);
      const key = points.map(value).join();
      expect(dim).toBe(seen.get(key) ?? dim);
      seen.set(key, dim);
    }
    expect(new Set(seen.values()).size).toBe(seen.size);
  });

  test('a product divided by a factor gives the other, exactly', () => {
    const next = random(4);
    for (let i = 0; i < 500; i++) {
      const [a] = expression(next, 3, ring);
      const factors: Dim[] = [1 + Math.floor(next() * 6), names[Math.floor(next() * names.length)]!, mulDims('n', 3)];
      for (const factor of factors) {
        const product = mulDims(a, factor);
        expect(divideExactly(product, factor), `${product} / ${factor}`).toBe(a);
        expect(floorDivDims(product, factor)).toBe(a);
        expect(ceilDivDims(product, factor)).toBe(a);
        expect(modDims(product, factor)).toBe(0);
      }
    }
  });

  test('whole parts of a quotient go outside: expressions that differ by them give the same dim', () => {
    expect(addDims(floorDivDims(subDims('h', 2), 2), 1)).toBe(floorDivDims('h', 2));
    expect(addDims(floorDivDims(subDims('h', 3), 2), 1)).toBe('floor((h - 1) / 2)');
    expect(ceilDivDims(addDims('h', 3), 3)).toBe('ceil(h / 3) + 1');
    const next = random(5);
    const whole = (below: number) => Math.floor(next() * below);
    for (let i = 0; i < 1000; i++) {
      const [a, value] = expression(next, 3);
      const [b, k, c] = [1 + whole(6), whole(21) - 10, whole(21) - 10];
      for (const [op, symbolic, numeric] of operations.filter(([op]) => op === 'floor' || op === 'ceil')) {
        const quotient = symbolic(addDims(a, c), b);
        expect(symbolic(addDims(a, c + k * b), b), `${op}((${a} + ${c} + ${k} * ${b}) / ${b})`).toBe(
          addDims(quotient, k),
        );
        for (let n = 0; n < 3; n++) {
          const at = sizes(next);
          expect(evaluateDim(quotient, at), `${quotient} at ${JSON.stringify(at)}`).toBe(numeric(value(at) + c, b) + 0);
        }
      }
    }
  });

  test('what does not divide is left undivided', () => {
    expect(divideExactly(7, 2)).toBeUndefined();
    expect(divideExactly('n', 2)).toBeUndefined();
    expect(divideExactly(addDims(mulDims('n', 2), 1), 2)).toBeUndefined();
    expect(divideExactly('n', 'h')).toBeUndefined();
    expect(divideExactly('n', 0)).toBeUndefined();
    expect(divideExactly(addDims('n', 1), addDims('n', 1))).toBe(1);
  });

  test('are printed as people write them', () => {
    expect(addDims(mulDims('batch', 2), 1)).toBe('2*batch + 1');
    expect(addDims(floorDivDims(subDims('h', 1), 2), 1)).toBe('floor((h - 1) / 2) + 1');
    expect(subDims(0, 'n')).toBe('-n');
    expect(mulDims('w', 'h')).toBe('h*w');
    expect(maxDims('w', 'h')).toBe(maxDims('h', 'w'));
    expect(subDims('a-b', 'a')).not.toBe(subDims('a', 'a-b'));
    expect(volume(['n', 3, 'n'])).toBe('3*n*n');
    expect(volume([])).toBe(1);
  });

  test('stay unevaluated while a name has no size', () => {
    const dim = addDims(mulDims('n', 'h'), floorDivDims('w', 2));
    expect(evaluateDim(dim, { n: 1, h: 2 })).toBeUndefined();
    expect(evaluateDim(dim, { n: 1, h: 2, w: 5 })).toBe(4);
    expect(dimNames(dim).sort()).toEqual(['h', 'n', 'w']);
    expect(evaluateDim('toString', {})).toBeUndefined();
    expect(evaluateDim('__proto__', {})).toBeUndefined();
  });

  test('sizes that only the data tells are like no other', () => {
    const [a, b] = [unknownDim('nonZero'), unknownDim('nonZero')];
    expect(a).not.toBe(b);
    expect(isUnknown(mulDims(a, 2))).toBe(true);
    expect(isUnknown('n')).toBe(false);
  });
});
