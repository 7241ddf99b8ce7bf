import { expect, test } from 'vitest';
import { machine } from '../../src/machine/processor.js';

const code = (...words: number[]) => {
  const bytes = Buffer.alloc(32);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word >>> 0, 4 * i);
  });
  return bytes;
};
const padded = (...bytes: number[]) => Buffer.concat([Buffer.from(bytes), Buffer.alloc(32)]);

// As gcc and clang write `int f(void) { return 10701; }` and 100600 at -O2 and -O0, and with control-flow protection.
test('constants of x86-64', () => {
  const { returned } = machine('x64');
  expect(returned(padded(0xb8, 0xcd, 0x29, 0, 0, 0xc3))).toBe(10701);
  expect(returned(padded(0xf3, 0x0f, 0x1e, 0xfa, 0xb8, 0xf8, 0x88, 1, 0, 0xc3))).toBe(100600);
  expect(returned(padded(0x55, 0x48, 0x89, 0xe5, 0xb8, 0xcd, 0x29, 0, 0, 0x5d, 0xc3))).toBe(10701);
  expect(returned(padded(0xb8, 0xcd, 0x29, 0, 0, 0x90))).toBe(null);
});

test('constants of arm64', () => {
  const { returned } = machine('arm64');
  expect(returned(code(0x528539a0, 0xd65f03c0))).toBe(10701);
  expect(returned(code(0x52911f00, 0x72a00020, 0xd65f03c0))).toBe(100600);
  expect(returned(code(0xd503245f, 0x528539a0, 0xd65f03c0))).toBe(10701);
  // Another register, and a call in place of the return.
  expect(returned(code(0x528539a1, 0xd65f03c0))).toBe(null);
  expect(returned(code(0x528539a0, 0x94000000))).toBe(null);
});

test('folders are named after this processor', () => {
  expect(machine('arm64').triplet).toBe('aarch64-linux-gnu');
  expect(machine().name).toBe({ x64: 'x86-64', arm64: 'arm64' }[process.arch as string]);
});
