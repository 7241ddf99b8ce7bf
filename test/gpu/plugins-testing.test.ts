import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { definePlugin, TensorRTError, testPlugin } from '../../src/index.js';
import { findSanitizer } from '../../src/testing/sanitizer.js';
import { scalePlugin } from '../testing/plugins.js';
import { describeGpu } from './support.js';

const kernel = (name: string) => new URL(`./kernels/${name}.cu`, import.meta.url);

/** `FILE:LINE` of the line that ends in a comment. */
function placeOf(name: string, comment: string): string {
  const file = fileURLToPath(kernel(name));
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((text) => text.endsWith(`// ${comment}`));
  expect(line, comment).toBeGreaterThanOrEqual(0);
  return `${file}:${line + 1}`;
}

const outOfBounds = definePlugin({
  name: 'OutOfBounds',
  version: '1',
  inputs: ['x'],
  types: [
    { x: 'float32', y: 'float32' },
    { x: 'int32', y: 'int32' },
  ],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: kernel('out-of-bounds'),
  launch: ({ x, y, int32, ceilDiv }) => [
    { kernel: 'copy', template: [x.dtype], grid: ceilDiv(x.size, 128), block: 128, args: [x, y, int32(x.size)] },
  ],
  reference: ({ x }) => ({ y: x }),
});

const race = definePlugin({
  name: 'Race',
  version: '1',
  inputs: ['x'],
  ranks: { x: 1 },
  types: [{ x: 'float32', y: 'float32' }],
  outputs: ({ x }) => ({ y: x.shape }),
  cuda: kernel('race'),
  launch: ({ x, y, int32 }) => [{ kernel: 'reverse', grid: 1, block: 64, args: [x, y, int32(x.size)] }],
  reference: ({ x }) => ({ y: { shape: x.shape, data: (x.data as Float32Array).toReversed() } }),
});

/** The message of a test that fails. */
async function failure(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    (report) => report,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(TensorRTError);
  expect((error as TensorRTError).code).toBe('ERR_PLUGIN_TEST');
  return (error as Error).message;
}

const found = await findSanitizer();
/** Tests that need compute-sanitizer. */
const sanitized = test.skipIf('why' in found);

describeGpu('testPlugin', () => {
  test('a right plugin passes in all ways; what is left out is compute-sanitizer alone, where it is not found', async () => {
    const report = await testPlugin(scalePlugin({ tactics: [{ block: 64 }, { block: 256 }] }), {
      cases: [{ inputs: { x: ['n', 37] }, sizes: { n: 4 } }],
    });
    expect(report.failed).toBe(0);
    expect(report.skipped.filter(({ what }) => !what.startsWith('compute-sanitizer'))).toEqual([]);
    for (const { checks } of report.cases) {
      expect(checks.map(({ what }) => what)).toEqual([
        'decomposition',
        'kernel, tactic 0',
        'kernel, tactic 1',
        'TensorRT',
      ]);
    }
  });

  test('a kernel that is wrong is found alone and in an engine', async () => {
    const cuda = `
      #include <cuda_fp16.h>
      template <typename T> __global__ void scale(const T* x, T* y, float factor, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = T(float(x[i]) * factor + (i == 40));
      }`;
    const options = { cases: [{ inputs: { x: [4, 37] } }], edges: false, sanitizer: false } as const;
    const message = await failure(testPlugin(scalePlugin({ cuda }), options));
    for (const dtype of ['float32', 'float16']) {
      const difference = `y ${dtype}\\[4, 37\\]: element \\[1, 3\\] is \\S+, expected .*; 1 of 148 differ`;
      expect(message).toMatch(new RegExp(`kernel against reference\\n\\s*${difference}`));
      expect(message).toMatch(new RegExp(`TensorRT against reference\\n\\s*${difference}`));
    }
  });

  test('an element that no kernel writes is NaN', async () => {
    const cuda = `
      #include <cuda_fp16.h>
      template <typename T> __global__ void scale(const T* x, T* y, float factor, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i + 1 < n) y[i] = T(float(x[i]) * factor);
      }`;
    const options = {
      cases: [{ inputs: { x: [4, 37] } }],
      edges: false,
      sanitizer: false,
      backends: ['kernel'],
    } as const;
    expect(await failure(testPlugin(scalePlugin({ cuda }), options))).toMatch(/element \[3, 36\] is NaN/);
  });

  {
    const alone = { edges: false, backends: [] } as const;

    sanitized('under compute-sanitizer, a right plugin passes both tools', async () => {
      const report = await testPlugin(scalePlugin(), { cases: [{ inputs: { x: [4, 37] } }], ...alone });
      expect(report.skipped).toEqual([]);
      expect(report.checks.filter(({ what }) => what.startsWith('compute-sanitizer'))).toMatchObject([
        { what: 'compute-sanitizer memcheck', passed: true },
        { what: 'compute-sanitizer racecheck', passed: true },
      ]);
    });

    sanitized('under compute-sanitizer, a write out of bounds names the line', async () => {
      const cases = [{ inputs: { x: [37] } }];
      const message = await failure(testPlugin(outOfBounds, { cases, types: [{ x: 'float32' }], ...alone }));
      expect(message).toMatch(/compute-sanitizer memcheck\n\s*Invalid __global__ write of size 4 bytes\n/);
      expect(message).toContain(`at ${placeOf('out-of-bounds', 'out of bounds')} in `);
      expect(message).toMatch(/6 \| if \(i == n - 1\) y\[n\] = x\[i\]; {2}\/\/ out of bounds/);
      expect(message).toMatch(/in case 0, x float32\[37\], tactic 0/);
    });

    sanitized('under compute-sanitizer, of several launches, the one that shows it', async () => {
      const message = await failure(
        testPlugin(outOfBounds, { cases: [{ inputs: { x: [0] } }, { inputs: { x: [5] } }], ...alone }),
      );
      expect(message).toMatch(/in case 1, x float32\[5\], tactic 0/);
    });

    sanitized('under compute-sanitizer, a race names both lines', async () => {
      const message = await failure(testPlugin(race, { cases: [{ inputs: { x: [64] } }], ...alone }));
      expect(message).toMatch(/compute-sanitizer racecheck\n\s*Race reported between Write access and Read access\n/);
      expect(message).toContain(`Write access at ${placeOf('race', 'written')} in `);
      expect(message).toContain(`Read access at ${placeOf('race', 'read')} in `);
    });
  }
});
