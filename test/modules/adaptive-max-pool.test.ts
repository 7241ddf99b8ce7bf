import { expect, test } from 'vitest';
import { bool, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './adaptive-max-pool.cases.js';

testLayer('adaptive-max-pool', cases, 'modules');

test('what does not fit is refused', () => {
  const x = oneInput(2, 3, 4, 6);
  expectRefusal(() => oneInput(4).adaptiveMaxPool1d(), 'ERR_RANK', /^adaptiveMaxPool1d: expected rank 3/);
  expectRefusal(() => x.adaptiveMaxPool1d(), 'ERR_RANK', /given/);
  expectRefusal(() => x.adaptiveMaxPool2d({ outputSize: 0 }), 'ERR_PARAMETER', /outputSize: .*given 0/);
  expectRefusal(() => x.adaptiveMaxPool2d({ outputSize: [1, 2, 3] }), 'ERR_PARAMETER', /one number or 2/);
  expectRefusal(() => x.adaptiveMaxPool2d({ outputSize: [1.5, 2] }), 'ERR_PARAMETER', /outputSize/);
  expectRefusal(() => oneInput(2, 3, 0, 6).adaptiveMaxPool2d({ outputSize: 2 }), 'ERR_SHAPE', /sizes from 1/);
  const flags = network('flags', { x: bool(1, 1, 5, 5) }).tensor();
  expectRefusal(() => flags.adaptiveMaxPool2d({ outputSize: 2 }), 'ERR_DTYPE', /bool/);
});

test('windows of equal size are pooled, and the name is that of the result', () => {
  const kinds = (size: number) => {
    const x = oneInput(1, 3, 8, 8);
    expect(x.adaptiveMaxPool2d({ outputSize: size, name: 'result' }).name).toBe('result');
    return x.network.graph.nodes.map(({ kind }) => kind);
  };
  expect(kinds(4)).toEqual(['pooling']);
  expect(kinds(8)).toEqual(['identity']);
  expect(kinds(3)).toContain('gather');
});
