import { describe, expect, test } from 'vitest';
import { type PluginTestReport, TensorRTError, testPlugin } from '../../src/index.js';
import { scalePlugin } from './plugins.js';

const quiet = { print: false } as const;
const cases = [{ inputs: { x: [4, 37] } }];
const types = [{ x: 'float32' }] as const;

/** The error of a test that fails. */
async function failure(run: Promise<unknown>): Promise<TensorRTError & { report: PluginTestReport }> {
  const error = await run.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(TensorRTError);
  expect(error.code).toBe('ERR_PLUGIN_TEST');
  return Object.assign(error, { report: error.actual });
}

const reasons = (report: PluginTestReport) => report.skipped.map(({ what, why }) => `${what}: ${why}`);

describe('a right plugin', () => {
  test('passes in every row of dtypes, at every edge', async () => {
    const report = await testPlugin(scalePlugin(), { cases, ...quiet });
    expect(report.failed).toBe(0);
    const at = (dtype: string) =>
      report.cases.filter(({ types }) => types.x === dtype).map(({ edge, shapes }) => [edge, shapes.x]);
    // The block has 128 threads.
    const expected = [
      [undefined, [4, 37]],
      ['0 in place of 4', [0, 37]],
      ['1 in place of 4', [1, 37]],
      ['129 in place of 4', [129, 37]],
      ['0 in place of 37', [4, 0]],
      ['1 in place of 37', [4, 1]],
      ['129 in place of 37', [4, 129]],
    ];
    expect(at('float32')).toEqual(expected);
    expect(at('float16')).toEqual(expected);
    for (const { checks } of report.cases) {
      expect(checks).toMatchObject([{ what: 'decomposition', against: 'reference', passed: true, differences: [] }]);
    }
    expect(report.passed).toBe(14 + report.checks.length);
    expect(report.lines).toHaveLength(1 + report.skipped.length);
    expect(report.lines[0]).toMatch(/^plugin 'Scale\d+': \d+ of \d+ checks passed, 0 failed, \d+ skipped \(seed 0\)$/);
  });

  test('says what could not be checked here, why, and how often', async () => {
    const lines: string[] = [];
    const report = await testPlugin(scalePlugin({ tactics: [{ block: 64 }, { block: 128 }] }), {
      cases,
      edges: false,
      print: (line) => lines.push(line),
    });
    const skipped = Object.fromEntries(report.skipped.map(({ what, why, count }) => [what, { why, count }]));
    expect(skipped.TensorRT).toEqual({ why: expect.stringMatching(/\S/), count: 2 });
    // Two rows of dtypes, two tactics.
    for (const what of ['kernel', 'compute-sanitizer memcheck', 'compute-sanitizer racecheck']) {
      expect(skipped[what], what).toEqual({ why: expect.stringMatching(/no GPU/), count: 4 });
    }
    expect(lines).toEqual(report.lines);
    for (const what of Object.keys(skipped)) expect(lines.join('\n')).toContain(`× ${what}: `);
  });

  test('of rules that refuse an edge: that is left out, and said', async () => {
    const plugin = scalePlugin({
      rule: ([rows]) => {
        if (rows === 1) throw new Error('x needs two rows');
      },
    });
    const report = await testPlugin(plugin, { cases, types, ...quiet });
    expect(report.failed).toBe(0);
    expect(report.cases.map(({ edge }) => edge)).not.toContain('1 in place of 4');
    expect(reasons(report)).toContainEqual(
      expect.stringMatching(/^case 0 with 1 in place of 4: the rules refuse it: .*x needs two rows/),
    );
  });

  test('without a reference is compared with nothing; without a decomposition, with less', async () => {
    const bare = await testPlugin(scalePlugin({ reference: 'none' }), { cases, edges: false, ...quiet });
    expect(reasons(bare)).toContain('reference: the definition has none');
    expect(bare.cases.flatMap(({ checks }) => checks)).toEqual([]);
    const lone = await testPlugin(scalePlugin({ decompose: 'none' }), { cases, edges: false, ...quiet });
    expect(reasons(lone)).toContain('decomposition: the definition has none');
  });
});

describe('a wrong plugin fails:', () => {
  test('a reference that is wrong in one element', async () => {
    const plugin = scalePlugin({
      reference: (x, factor) => Array.from(x, (one, i) => one * factor + (i === 40 ? 0.5 : 0)),
    });
    const { message, report } = await failure(testPlugin(plugin, { cases, edges: false, seed: 7, ...quiet }));
    expect(report).toMatchObject({ failed: 2, seed: 7 });
    const [check] = report.cases[0]!.checks;
    expect(check).toMatchObject({
      what: 'decomposition',
      against: 'reference',
      passed: false,
      differences: [{ output: 'y', wrong: 1, count: 148, worst: { index: [1, 3] } }],
    });
    const { got, wanted } = check!.differences[0]!.worst!;
    expect(Number(wanted) - Number(got)).toBeCloseTo(0.5, 4);
    expect(message).toMatch(/case 0, x float32\[4, 37\]: decomposition against reference\n/);
    expect(message).toMatch(
      /y float32\[4, 37\]: element \[1, 3\] is \S+, expected \S+ ± \S+ \(0.00001 of the rms, \S+\); 1 of 148 differ/,
    );
    expect(message).toMatch(/y float16\[4, 37\]: element \[1, 3\]/);
    expect(message).toMatch(
      /again: testPlugin\(Scale\d+, \{ seed: 7, edges: false, types: \[\{ x: 'float32' \}\], cases: \[\{ inputs: \{ x: \[4, 37\] \} \}\] \}\)/,
    );
  });

  test('a decomposition that computes something else', async () => {
    const { report } = await failure(testPlugin(scalePlugin({ decompose: 1.01 }), { cases, edges: false, ...quiet }));
    expect(report.cases.every(({ checks }) => checks[0]!.differences[0]!.wrong! > 100)).toBe(true);
  });

  test('a decomposition of another shape', async () => {
    const { message } = await failure(
      testPlugin(scalePlugin({ decompose: 'other shape' }), { cases, edges: false, ...quiet }),
    );
    expect(message).toMatch(/decomposition\n.*expected float32\[4, 37\].*given float32\[1, 4, 37\]/);
  });

  test('a reference that gives NaN for a number', async () => {
    const plugin = scalePlugin({
      reference: (x, factor) => Array.from(x, (one, i) => (i === 0 ? Number.NaN : one * factor)),
    });
    const { report } = await failure(testPlugin(plugin, { cases, edges: false, types, ...quiet }));
    expect(report.cases[0]!.checks[0]!.differences).toMatchObject([
      { wrong: 1, worst: { index: [0, 0], wanted: Number.NaN } },
    ]);
  });

  test('a reference that throws, or returns another shape', async () => {
    const throwing = scalePlugin({
      reference: () => {
        throw new Error('out of ideas');
      },
    });
    const { message, report } = await failure(testPlugin(throwing, { cases, edges: false, ...quiet }));
    expect(message).toMatch(/case 0, x float32\[4, 37\]: reference\n.*out of ideas/);
    expect(report.failed).toBe(2);
    const short = scalePlugin({ reference: (x) => Array.from(x).slice(1) });
    expect((await failure(testPlugin(short, { cases, edges: false, ...quiet }))).message).toMatch(
      /reference\n.*14[78]/,
    );
  });

  test('a case that the rules refuse', async () => {
    const { message } = await failure(testPlugin(scalePlugin({ ranks: { x: 3 } }), { cases, ...quiet }));
    expect(message).toMatch(/case 0, x float32\[4, 37\]: rules\n.*ERR_RANK.*expected rank 3, given rank 2/);
  });

  test('rules that launch no block for an output with elements, at an edge', async () => {
    const plugin = scalePlugin({ perBlock: 100 });
    const { message, report } = await failure(testPlugin(plugin, { cases, types, ...quiet }));
    expect(
      report.cases.filter(({ checks }) => checks.some(({ what }) => what === 'rules')).map(({ edge }) => edge),
    ).toEqual(['1 in place of 4', '1 in place of 37']);
    expect(message).toMatch(/rules\n.*launch\[0\] \(scale<float>\): grid: expected 1 to \d+ blocks along x, given 0/);
  });

  test('only what is wrong at an edge', async () => {
    const plugin = scalePlugin({
      reference: (x, factor) => Array.from(x, (one) => (x.length === 4 ? 0 : one * factor)),
    });
    const { report } = await failure(testPlugin(plugin, { cases, types, ...quiet }));
    const wrong = report.cases.filter(({ checks }) => checks.some(({ passed }) => !passed));
    expect(wrong.map(({ edge }) => edge)).toEqual(['1 in place of 37']);
  });
});

describe('options:', () => {
  test('a tolerance for all dtypes, or for some', async () => {
    const plugin = scalePlugin({ decompose: 1.01 });
    expect((await testPlugin(plugin, { cases, edges: false, tolerance: 0.1, ...quiet })).failed).toBe(0);
    const { report } = await failure(
      testPlugin(plugin, { cases, edges: false, tolerance: { float16: 0.1 }, ...quiet }),
    );
    expect(report.cases.map(({ types, checks }) => [types.x, checks[0]!.passed])).toEqual([
      ['float32', false],
      ['float16', true],
    ]);
  });

  test('the same seed gives the same inputs, another one others', async () => {
    const seen: number[][] = [];
    const plugin = scalePlugin({
      reference: (x, factor) => {
        seen.push(Array.from(x).slice(0, 3));
        return Array.from(x, (one) => one * factor);
      },
    });
    for (const seed of [3, 3, 4]) await testPlugin(plugin, { cases, edges: false, seed, types, ...quiet });
    const each = seen.length / 3;
    expect(seen[0]).toEqual(seen[each]);
    expect(seen[0]).not.toEqual(seen[2 * each]);
  });

  test('attributes, ranges, elements and names of a case', async () => {
    const seen: unknown[] = [];
    const plugin = scalePlugin({
      reference: (x, factor) => {
        seen.push([...Array.from(x), factor]);
        return Array.from(x, (one) => one * factor);
      },
    });
    const one = {
      name: 'by hand',
      inputs: { x: { shape: ['n'], data: [1, 2.5] } },
      attributes: { factor: 3 },
      sizes: { n: 2 },
    };
    const report = await testPlugin(plugin, { cases: [one], edges: false, types, ...quiet });
    expect(seen[0]).toEqual([1, 2.5, 3]);
    expect(report.cases).toMatchObject([{ name: 'by hand', shapes: { x: [2] } }]);
  });

  test('backends that are not wanted are neither run nor counted', async () => {
    const report = await testPlugin(scalePlugin(), { cases, backends: ['decomposition'], sanitizer: false, ...quiet });
    expect(reasons(report).filter((text) => /kernel|TensorRT|sanitizer/.test(text))).toEqual([]);
  });

  test.each([
    [{ cases: [] }, /cases: expected at least one case/],
    [{ cases, seeds: 1 }, /there is no option 'seeds'; did you mean seed/],
    [{ cases, seed: -1 }, /seed: expected a whole number/],
    [{ cases, tolerance: Number.NaN }, /tolerance: expected a share/],
    [{ cases, backends: ['gpu'] }, /backends: expected a list of decomposition, kernel, tensorrt/],
    [{ cases, types: [{ x: 'int8' }] }, /no row of the plugin's types has these dtypes/],
    [{ cases: [{ inputs: { z: [2] } }] }, /case 0: inputs: expected x, given z/],
    [{ cases: [{ inputs: { x: [2] }, shapeInputs: { k: 1 } }] }, /shapeInputs: expected none, given k/],
  ])('%j is refused', async (options, message) => {
    const error = await testPlugin(scalePlugin(), { ...quiet, ...options } as never).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_PARAMETER', message: expect.stringMatching(message) });
  });

  test('what is no plugin is refused', async () => {
    await expect(testPlugin({} as never, { cases: [] })).rejects.toMatchObject({ code: 'ERR_PLUGIN' });
  });
});

test('a plugin without reference and decomposition is compared with nothing, which is said', async () => {
  const report = await testPlugin(scalePlugin({ reference: 'none', decompose: 'none' }), {
    cases,
    types,
    edges: false,
    ...quiet,
  });
  expect(reasons(report)).toContain('comparison: the plugin has neither reference nor decompose');
});

test('sizes that no memory holds, and cases that cannot be read', async () => {
  const thrown = async (given: object) =>
    await testPlugin(scalePlugin(), { ...given, ...quiet } as never).then(
      () => undefined,
      (error) => [error.code, error.message.split('\n')[0]],
    );
  for (const size of [1e12, -1]) {
    expect(await thrown({ cases: [{ inputs: { x: [size] } }] })).toEqual([
      'ERR_PARAMETER',
      expect.stringContaining('expected sizes of 0 or more and at most 268435456 elements'),
    ]);
  }
  const cases = [
    {
      get inputs(): never {
        throw new Error('mine');
      },
    },
  ];
  expect(await thrown({ cases })).toEqual(['ERR_PARAMETER', expect.stringContaining('mine')]);
});
