import { expect, test } from 'vitest';
import { bool, float32, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './division.cases.js';

testLayer('division', cases, 'modules');

test('operands that do not fit are refused, and the name given is that of the result', () => {
  const net = network('mixed', { x: float32(2), i: int32(2), b: bool(2), y: float32(3) });
  const [x, i, b, y] = net.inputs;
  for (const method of ['fmod', 'remainder', 'mod', 'floorDiv'] as const) {
    expectRefusal(() => x![method](i!), 'ERR_DTYPE', new RegExp(`^${method}.*float32 and int32`));
    expectRefusal(() => x![method](y!), 'ERR_SHAPE', /do not broadcast/);
    expectRefusal(() => b![method](b!), 'ERR_DTYPE', /bool/);
    expectRefusal(() => i![method](0.5), 'ERR_VALUE', /whole number/);
    expectRefusal(() => x![method](oneInput(2)), 'ERR_FOREIGN_TENSOR');
    expect(x![method](0.3, { name: `${method} of x` }).name).toBe(`${method} of x`);
    expect(i![method](3, { name: `${method} of i` }).name).toBe(`${method} of i`);
  }
  expect(i!.trueDivide(3, { name: 'ratio' }).name).toBe('ratio');
  expect(x!.trunc({ name: 'cut' }).name).toBe('cut');
});
