import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TensorRTError } from '../../src/errors/error.js';
import { compileKernels } from '../../src/plugin/compile.js';
import { argumentMismatch, kernelParameters } from '../../src/plugin/cubin.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { ownCache } from './nvrtc-here.js';

const dir = temporaryFolder();
const cuda = `struct Pair { char a; double b; };
__global__ void many(char a, void* b, short c, double d, Pair e, bool f, long long g, unsigned char h, float i) {}
__global__ void none() {}
__global__ void two(float* x, int n) { x[n] = 1; }
`;
let cubins: Map<number, Uint8Array>;
let lowered: readonly string[];
beforeAll(async () => {
  const request = { name: 'Many', cuda: { source: cuda }, options: [], kernels: ['many', 'none', 'two'], launches: [] };
  const options = { env: await ownCache(join(dir, 'cache')), driver: null };
  const compiled = await compileKernels(request, [80, 90, 120], options);
  cubins = new Map(compiled.cubins.map(({ capability, data }) => [capability, data]));
  lowered = compiled.lowered;
});

describe.each([80, 90, 120])('sm_%i', (capability) => {
  test('has the parameters by their offsets and sizes in C', () => {
    const found = kernelParameters(cubins.get(capability)!);
    expect([...found.keys()].sort()).toEqual([...lowered].sort());
    const [many, none, two] = lowered.map((name) => found.get(name)!.map(({ offset, size }) => [offset, size]));
    expect(many).toEqual([
      [0, 1],
      [8, 8],
      [16, 2],
      [24, 8],
      [32, 16],
      [48, 1],
      [56, 8],
      [64, 1],
      [68, 4],
    ]);
    expect(none).toEqual([]);
    expect(two).toEqual([
      [0, 8],
      [8, 4],
    ]);
  });
});

test('reads a view into a larger buffer', () => {
  const cubin = cubins.get(90)!;
  const around = new Uint8Array(cubin.length + 100);
  around.set(cubin, 37);
  expect(kernelParameters(around.subarray(37, 37 + cubin.length))).toEqual(kernelParameters(cubin));
});

describe('what is no cubin is refused:', () => {
  const refusal = (bytes: Uint8Array): TensorRTError | undefined => {
    try {
      kernelParameters(bytes);
      return undefined;
    } catch (error) {
      return error as TensorRTError;
    }
  };
  test.each([
    ['nothing', () => new Uint8Array(0)],
    ['text', () => Buffer.from('a kernel, they say'.repeat(10))],
    ['a program for the CPU', () => readFileSync(process.execPath).subarray(0, 10_000)],
  ])('%s', (_, make) => {
    expect(refusal(make())).toMatchObject({ code: 'ERR_KERNEL', message: expect.stringContaining('expected a cubin') });
  });

  test('every truncation', () => {
    const cubin = cubins.get(90)!;
    for (let length = 0; length < cubin.length; length += 61)
      expect(refusal(cubin.subarray(0, length))?.code).toBe('ERR_KERNEL');
  });

  test('an entry that is longer than its section', () => {
    const cubin = Buffer.from(cubins.get(90)!);
    const at = cubin.indexOf(Buffer.from([4, 0x17, 12, 0]));
    expect(at).toBeGreaterThan(0);
    cubin.writeUInt16LE(0xffff, at + 2);
    expect(refusal(cubin)).toMatchObject({ code: 'ERR_KERNEL', message: expect.stringContaining('ends too early') });
  });

  test('any other byte is read or refused, and nothing else is thrown', () => {
    const cubin = cubins.get(90)!;
    let refused = 0;
    for (let at = 0; at < cubin.length; at += 3) {
      for (const value of [0, 0xff]) {
        const changed = Uint8Array.from(cubin);
        changed[at] = value;
        const error = refusal(changed);
        if (error) {
          refused++;
          expect(error.code).toBe('ERR_KERNEL');
        }
      }
    }
    expect(refused).toBeGreaterThan(10);
  });
});

describe('arguments', () => {
  const parameters = [
    { offset: 0, size: 8 },
    { offset: 8, size: 4 },
  ];
  const given = (...sizes: number[]) => sizes.map((size, i) => ({ name: `a${i}`, size }));
  test.each([
    [[8, 4], undefined],
    [[8, 8], 'kernel k: argument 2, a1, has 8 bytes, and the parameter 4 bytes'],
    [[1, 4], 'kernel k: argument 1, a0, has 1 byte, and the parameter 8 bytes'],
    [[8], 'kernel k takes 2 arguments, given 1 (a0)'],
    [[], 'kernel k takes 2 arguments, given 0'],
    [
      [4, 8, 4],
      'kernel k takes 2 arguments, given 3 (a0, a1, a2); argument 1, a0, has 4 bytes, and the parameter 8 bytes',
    ],
  ])('of sizes %j', (sizes, message) => {
    expect(argumentMismatch('k', given(...sizes), parameters)).toBe(message);
  });
});
