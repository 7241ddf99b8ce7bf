import { expect, test } from 'vitest';
import { nearest, suggestion } from '../../src/errors/nearest.js';

test('names that leave half of each other as it is are near', () => {
  for (const [name, names, found] of [
    ['u', ['t'], []],
    ['u', ['t', 'mu'], ['mu']],
    ['ab', ['cd', 'ad'], ['ad']],
    ['abc', ['xyc'], []],
    ['wieght', ['weight', 'bias'], ['weight']],
    ['data', ['date', 'dta'], ['date', 'dta']],
    ['weight', ['conv.weight', 'bias'], ['conv.weight']],
  ] as const)
    expect([name, nearest(name, names)]).toEqual([name, found]);
  expect(suggestion('u', ['t'])).toBe('');
});
