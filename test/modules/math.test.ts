import { expect, test } from 'vitest';
import { bool, float16, float32, int8, int32, network } from '../../src/index.js';
import { expectRefusal, oneInput, testLayer } from '../layers/harness.js';
import { cases } from './math.cases.js';

testLayer('math', cases, 'modules');

test('integers are refused, and the name given is that of the result', () => {
  for (const method of ['rsqrt', 'log2', 'isfinite'] as const) {
    expectRefusal(() => network('i', { x: int32(2) })[method](), 'ERR_DTYPE', /int32/);
    expect(oneInput(2)[method]({ name: 'result' }).name).toBe('result');
  }
  expectRefusal(() => network('i', { x: int32(2) }).log1p(), 'ERR_DTYPE', /int32/);
  expect(oneInput(2).log1p({ name: 'result' }).name).toBe('result');
});

test('operands that do not fit are refused', () => {
  const net = network('mixed', { x: float32(2), h: float16(2), i: int32(2), y: float32(3), b: bool(2), t: int8(2) });
  const [x, h, i, y, b, t] = net.inputs;
  expectRefusal(() => x!.atan2(h!), 'ERR_DTYPE', /^atan2.*float32 and float16/);
  expectRefusal(() => x!.atan2(y!), 'ERR_SHAPE', /^atan2.*do not broadcast/);
  expectRefusal(() => x!.atan2(oneInput(2)), 'ERR_FOREIGN_TENSOR');
  expectRefusal(() => x!.lerp(h!, 0.5), 'ERR_DTYPE', /^lerp.*float32 and float16/);
  expectRefusal(() => x!.lerp(x!, h!), 'ERR_DTYPE', /^lerp.*float32 and float16/);
  expectRefusal(() => x!.lerp(x!, 'a' as never), 'ERR_INPUT', /^lerp/);
  expectRefusal(() => i!.lerp(i!, 1), 'ERR_DTYPE', /^lerp.*int32/);
  expectRefusal(() => x!.lerp(y!, 0.5), 'ERR_SHAPE', /^lerp.*do not broadcast/);
  for (const one of [b!, t!])
    expectRefusal(() => one.cumprod(), 'ERR_DTYPE', /^cumprod: expected floats, int32 or int64/);
  expectRefusal(() => x!.cumprod({ axis: 1 }), 'ERR_AXIS', /^cumprod: .*given 1/);
  expectRefusal(() => oneInput().cumprod(), 'ERR_RANK', /^cumprod/);
  for (const named of [x!.atan2(2, { name: 'a' }), x!.lerp(2, 0.5, { name: 'b' }), x!.cumprod({ name: 'c' })])
    expect(named.name).toMatch(/^[abc]$/);
});
