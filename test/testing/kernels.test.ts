import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PluginTestReport } from '../../src/index.js';
import { compiling, prepare, runStandIn } from '../stand-in/harness.js';
import { outOfBounds, type Printed, race, withSanitizer } from './stand-in.js';

// The stand-ins of TensorRT, driver and NVRTC run a kernel as the function below.

const plugins = new URL('./plugins.js', import.meta.url).href;

/** y = x · factor. `wrong` is a statement that runs after it. */
const kernel = (wrong = '') => `
extern "C" int kernel_scale(Launch const& launch) {
  float const* const x = pointer<float>(launch, 0);
  float* const y = pointer<float>(launch, 1);
  float const factor = value<float>(launch, 2);
  int const n = value<int>(launch, 3);
  for (int i = 0; i < n; i++) y[i] = x[i] * factor;
  ${wrong};
  return 0;
}`;

interface Tested {
  code?: string;
  message?: string;
  report: PluginTestReport;
}

/** Tests the plugin in a process that has a GPU and a TensorRT, as far as it can tell. */
async function tested(options: { kernels?: string; changes?: string; options?: string; printed?: Printed } = {}) {
  const run = (sanitizer: string) =>
    runStandIn<Tested>(
      `import { scalePlugin } from ${JSON.stringify(plugins)};
      const options = {
        cases: [{ inputs: { x: [4, 37] } }], types: [{ x: 'float32' }], print: false,
        sanitizer: ${sanitizer}, ${options.options ?? ''}
      };
      const result = await api.testPlugin(scalePlugin({ ${options.changes ?? ''} }), options).then(
        (report) => ({ report }),
        ({ code, message, actual }) => ({ code, message, report: actual }),
      );
      if (!result.report) throw new Error(result.message);
      console.log(JSON.stringify(result));`,
      { kernels: options.kernels ?? kernel() },
    );
  const { printed } = options;
  return printed ? withSanitizer(printed, (path) => run(JSON.stringify(path))) : run('false');
}

const outcomes = (report: PluginTestReport) =>
  report.cases.map(({ checks }) => checks.map(({ what, passed }) => `${what} ${passed ? 'passed' : 'failed'}`));

beforeAll(() => prepare('10.6.0'), compiling);

describe('on a GPU', { timeout: 120_000 }, () => {
  test('kernels run alone and in an engine, at every edge', async () => {
    const { result, log } = await tested({ changes: 'tactics: [{ block: 64 }, { block: 128 }]' });
    const { report } = result;
    expect(report.skipped).toEqual([]);
    expect(report.failed).toBe(0);
    expect(report.cases.length).toBe(7);
    for (const one of outcomes(report)) {
      expect(one).toEqual([
        'decomposition passed',
        'kernel, tactic 0 passed',
        'kernel, tactic 1 passed',
        'TensorRT passed',
      ]);
    }
    expect(report.checks).toMatchObject([{ what: 'NVRTC, sm_90, scale<float>', passed: true }]);
    // One engine for all sizes.
    expect(log.filter(({ call }) => call === 'addPluginV3').length).toBeLessThanOrEqual(1);
    expect(log.some(({ kernel: name }) => name?.startsWith('scale'))).toBe(true);
  });

  test('a kernel that computes something else', async () => {
    const { result } = await tested({ kernels: kernel('if (n > 5) y[5] += 1') });
    expect(result.code).toBe('ERR_PLUGIN_TEST');
    expect(outcomes(result.report)[0]).toEqual(['decomposition passed', 'kernel failed', 'TensorRT failed']);
    const difference = /element \[0, 5\] is \S+, expected \S+ ± \S+ \(0.00001 of the rms, \S+\); 1 of 148 differ/;
    expect(result.message).toMatch(
      new RegExp(`case 0, x float32\\[4, 37\\]: kernel against reference\n.*${difference.source}`),
    );
  });

  test('a kernel that leaves an element out', async () => {
    const kernels = kernel().replace('i < n', 'i + 1 < n');
    const { result } = await tested({ kernels, options: 'edges: false' });
    expect(result.message).toMatch(/kernel against reference\n.*element \[3, 36\] is NaN/);
  });

  test('a kernel that fails: nothing more runs on that GPU', async () => {
    const { result } = await tested({ kernels: kernel('if (n == 148) return 700') });
    expect(result.message).toMatch(/case 0, x float32\[4, 37\]: kernel\n.*ERR_CUDA_CONTEXT_LOST: .*ILLEGAL_ADDRESS/);
    expect(result.report.failed).toBe(1);
    const why = expect.stringMatching(/the CUDA context was lost: kernel, case 0/);
    expect(result.report.skipped).toContainEqual({ what: 'kernel', why, count: 6 });
    expect(result.report.skipped).toContainEqual({ what: 'TensorRT', why, count: 7 });
  });

  test('a kernel that does not compile', async () => {
    const { result } = await tested({
      changes: 'cuda: "#error no such thing"',
      options: 'edges: false, backends: ["kernel"]',
    });
    expect(result.message).toMatch(/NVRTC, sm_90, scale<float>\n.*ERR_KERNEL.*no such thing/);
  });
});

test('shape inputs and sizes that the kernel computes', { timeout: 120_000 }, async () => {
  const { result } = await runStandIn<PluginTestReport>(
    `import { shapedPlugin } from ${JSON.stringify(plugins)};
    const cases = [[7], [9]].map((size) => ({ inputs: { x: [5] }, shapeInputs: { size } }));
    const report = await api.testPlugin(shapedPlugin(), { cases, edges: false, sanitizer: false, print: false }).catch(({ message, actual }) => ({ ...actual, message }));
    console.log(JSON.stringify(report));`,
    {
      kernels: `
extern "C" int kernel_shaped(Launch const& launch) {
  float const* const x = pointer<float>(launch, 0);
  float* const y = pointer<float>(launch, 1);
  float* const above = pointer<float>(launch, 2);
  int* const kept = pointer<int>(launch, 3);
  int const n = value<int>(launch, 4), size = value<int>(launch, 5);
  for (int i = 0; i < size; i++) y[i] = x[i % n];
  *kept = 0;
  for (int i = 0; i < n; i++) if (x[i] > 0) above[(*kept)++] = x[i];
  return 0;
}`,
    },
  );
  expect(result.failures).toEqual([]);
  expect(outcomes(result)).toEqual(Array(2).fill(['kernel passed', 'TensorRT passed']));
});

test('an input that is updated in place', { timeout: 120_000 }, async () => {
  const { result } = await runStandIn<PluginTestReport>(
    `import { updatingPlugin } from ${JSON.stringify(plugins)};
    const report = await api.testPlugin(updatingPlugin(), { cases: [{ inputs: { x: [5] } }], edges: false, sanitizer: false, print: false }).catch(({ message, actual }) => ({ ...actual, message }));
    console.log(JSON.stringify(report));`,
    {
      kernels: `
extern "C" int kernel_update(Launch const& launch) {
  for (int i = 0; i < value<int>(launch, 1); i++) pointer<float>(launch, 0)[i] += 1;
  return 0;
}`,
    },
  );
  expect(result.failures).toEqual([]);
  expect(outcomes(result)).toEqual([['kernel passed', 'TensorRT passed']]);
});

describe('under compute-sanitizer', { timeout: 120_000 }, () => {
  const cu = fileURLToPath(new URL('./store.cu', import.meta.url));
  const options = 'edges: false, backends: ["kernel"]';

  test('kernels run in a child process, all of them under both tools', async () => {
    const { result } = await tested({ printed: {}, options: 'backends: ["kernel"]' });
    expect(result.report.checks).toMatchObject([
      { what: 'NVRTC, sm_90, scale<float>', passed: true },
      { what: 'compute-sanitizer memcheck', passed: true },
      { what: 'compute-sanitizer racecheck', passed: true },
    ]);
    expect(result.report.skipped).toEqual([]);
  });

  test('an access out of bounds names the line, and shows it', async () => {
    const { result } = await tested({ printed: { memcheck: outOfBounds(cu, 4) }, options });
    expect(result.code).toBe('ERR_PLUGIN_TEST');
    expect(result.message).toContain(
      `Invalid __global__ write of size 4 bytes\n        at ${cu}:4 in store(const float *, float *, int)\n          4 | y[i] = x[i];\n`,
    );
    expect(result.message).toMatch(/by thread \(5,0,0\) in block \(1,0,0\), \S+ .* is out of bounds/);
    expect(result.message).toMatch(/in case 0, x float32\[4, 37\], tactic 0\n.*again: testPlugin\(/);
    expect(result.report.failed).toBe(1);
  });

  test('the case that was under way is the one', async () => {
    const { result } = await tested({
      kernels: kernel('if (n == 5) return 700'),
      printed: { memcheck: outOfBounds(cu, 4) },
      options:
        'edges: false, backends: [], cases: [{ inputs: { x: [3] } }, { inputs: { x: [5] } }, { inputs: { x: [7] } }]',
    });
    expect(result.message).toMatch(/in case 1, x float32\[5\], tactic 0/);
  });

  test('source that stands in the definition is shown from there', async () => {
    const printed = { memcheck: outOfBounds('Scale1.cu', 5) };
    const { result } = await tested({ printed, options });
    expect(result.message).toMatch(
      /at Scale1\.cu, the CUDA source in \S*plugins\.ts:\d+, line:5 in store\(.*\n.*5 \| int i = blockIdx\.x \* blockDim\.x \+ threadIdx\.x;/,
    );
  });

  test('a race names both lines; a warning does not fail', async () => {
    const { result } = await tested({ printed: { racecheck: race(cu, 2, 4) }, options });
    expect(result.message).toMatch(
      /Race reported between Write access and Read access\n.*Write access at .*store.cu:2 .*\n.*\n.*Read access at .*store.cu:4/,
    );
    const warned = await tested({
      printed: { racecheck: race(cu, 2, 4).replace('Error:', 'Warning:').replace('1 error, 0 w', '0 errors, 1 w') },
      options,
    });
    expect(warned.result.code).toBeUndefined();
    expect(warned.result.report.notes).toHaveLength(1);
    expect(warned.result.report.notes[0]).toMatch(/compute-sanitizer racecheck warns: Race reported/);
  });

  test('where it does not run, that is counted and said', async () => {
    const { result } = await tested({ printed: { idle: true }, options });
    expect(result.report.skipped).toMatchObject([
      { what: 'compute-sanitizer memcheck', why: expect.stringMatching(/ended with 0/), count: 1 },
      { what: 'compute-sanitizer racecheck', count: 1 },
    ]);
    expect(result.report.failed).toBe(0);
  });
});
