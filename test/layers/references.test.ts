import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeElements } from '../../src/values/elements.js';
import { readFixture, type Stored } from './fixture.js';
import { type LayerCase, tolerances } from './harness.js';

/**
 * Cases that zeros or an input would pass for, and why: layers that change nothing there (one rank, a cast to the dtype that is
 * given, a loop without a turn, one element), and results that are zeros by definition. Everything else is a weak reference.
 */
const expected: Record<string, RegExp> = {
  attention: /^(size1: v|no_keys: zeros)$/,
  cast: /^(\w+)_\1: x$/,
  concatenation: /^(single|size0): a$/,
  creation: /^(zeros_like(_f16)?: zeros|tril_far: x|triu_far: zeros|meshgrid_one: x)$/,
  cumulative: /^size1: x$/,
  dist_collective: /: x$/,
  dynamic_quantize: /^mxfp8_powers: x$/,
  einsum: /^empty_sum: zeros$/,
  fill: /^zeros_/,
  identity: /: x$/,
  if_conditional: /^(shapes_differ_yes|untouched_yes|bool_yes|computed_negative): x$/,
  kv_cache_update: /^whole: update$/,
  loop: /^(count_zero|loop_in_if_no): h$/,
  matrix_multiply: /^empty_sum: zeros$/,
  nms: /^nothing: zeros$/,
  padding: /^nothing: x$/,
  scale: /^nothing: x$/,
  reduce: /^((sum|prod|max|min|mean)_rank0: x|(sum|max|min)_of0: zeros)$/,
  scatter: /^empty_(element|nd): x$/,
  shuffle: /^swap_same: x$/,
  slice: /^(rank0: x|expand_unknown: (x|like))$/,
  squeeze: /^none: x$/,
  unsqueeze: /^none: x$/,
  topk: /^argmax_rank0: zeros$/,
  'adaptive-max-pool': /^(one_7|two_same): x$/,
  axes: /^(repeat_none|roll_far|shuffle_one): x$/,
  division: /^trunc_i32: x$/,
  math: /^(lerp_(one|end): b|cumprod_one: x)$/,
  order: /^movedim_(none|same): x$/,
  pooling: /^(adaptive_same|size1): x$/,
  'rms-norm': /^zeros: (zeros|x)$/,
  statistics: /^(normalize_zero: (zeros|x)|(any_none|cosine_zero): zeros)$/,
};

/** Weak references that are left: other cases of the same kind tell the layer from these. */
const weak: Record<string, RegExp> = {
  activation: /^(rank0|size1): x$/,
  quantize: /^int8_back_bf16: x$/,
  reduce: /^prod_all: zeros$/,
  reverse_sequence: /^bool: x$/,
  scatter: /^(element|nd)_of_bool: x$/,
  select: /^(bool: [ab]|rank0: a)$/,
  unary: /^not_rank0: zeros$/,
};

const elements = ({ dtype, shape, data }: Stored) =>
  decodeElements(
    dtype,
    data,
    shape.reduce((a, b) => a * b, 1),
  );

/** Whether a run that gave `given` for `reference` would pass. */
function passes(given: ArrayLike<number>, reference: Stored, tolerance: LayerCase['tolerance']): boolean {
  const { atol, rtol } = tolerance ?? tolerances[reference.dtype] ?? { atol: 0, rtol: 0 };
  const theirs = elements(reference);
  return (
    given.length === theirs.length &&
    Array.from(theirs).every((b, i) => Object.is(given[i], b) || Math.abs(given[i]! - b) <= atol + rtol * Math.abs(b))
  );
}

/** What would pass in place of the layer: zeros, or one of the inputs under the shape of the output. */
function imposters(kind: string, area: 'layers' | 'modules', cases: readonly LayerCase[]): string[] {
  const fixture = readFixture(kind, area);
  return cases.flatMap(({ name, tolerance, refused }) => {
    const { inputs, outputs } = fixture.get(name)!;
    const filled = outputs.filter(({ data }) => data.length > 0);
    if (refused?.cpu || filled.length === 0) return [];
    const all = (give: (output: Stored) => ArrayLike<number>) =>
      filled.every((output) => passes(give(output), output, tolerance));
    const zeros = all(({ data }) => new Float64Array(data.length)) ? [`${name}: zeros`] : [];
    const fits = (value: Stored) =>
      filled.every(({ dtype, shape }) => dtype === value.dtype && String(shape) === String(value.shape));
    const input = Object.entries(inputs).filter(([, value]) => fits(value) && all(() => elements(value)));
    return [...zeros, ...input.map(([key]) => `${name}: ${key}`)];
  });
}

const kinds = (['layers', 'modules'] as const).flatMap((area) => {
  const folder = new URL(`../${area}/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cases.ts'));
  return files.map((file) => ({ area, kind: file.replace('.cases.ts', ''), url: new URL(file, folder).href }));
});

test.each(kinds)('$area/$kind: neither zeros nor an input would pass for a result', async ({ area, kind, url }) => {
  const { cases } = (await import(url)) as { cases: LayerCase[] };
  const found = imposters(kind, area, cases);
  expect(found.filter((one) => !expected[kind]?.test(one) && !weak[kind]?.test(one))).toEqual([]);
});
