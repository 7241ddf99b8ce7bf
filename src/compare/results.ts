import { publicMethod } from '../errors/boundary.js';
import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { formatShape } from '../values/dim.js';
import type { Weight, WeightDType } from '../weights/index.js';
import { type Differences, differencesOf } from './statistics.js';
import { type ComparedResults, elementsOf, readTensor } from './tensors.js';
import { checkThresholds, type Depth, defaultThresholds, roundoffs, type Thresholds } from './thresholds.js';

/** The dtypes whose rounding a comparison allows for. */
export type ComparedPrecision =
  | 'float32'
  | 'tf32'
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3'
  | 'float4e2m1'
  | 'int8'
  | 'int4';

/** Options of `compareResults`. */
export interface CompareResultsOptions {
  /** For all outputs. Default: by dtype and depth, see docs/comparing.md; integers and bool have to be equal. */
  thresholds?: Thresholds | undefined;
  /** For single outputs, in place of `thresholds`. */
  outputThresholds?: Readonly<Record<string, Thresholds>> | undefined;
  /** Layers on the longest way to an output. Default 64. */
  depth?: number | undefined;
  /** The coarsest dtype in which layers compute. Default: that of the output. */
  precision?: ComparedPrecision | undefined;
}

/** What an output is on one side. */
export interface ComparedType {
  /** Its dtype. */
  dtype: WeightDType;
  /** Its sizes. */
  shape: readonly number[];
}

/** How an output of A and B differs. */
export interface OutputComparison extends Partial<Differences> {
  /** Name of the output. */
  output: string;
  /** Whether all differences are within the limits. */
  agrees: boolean;
  /** Why it does not agree, in words; empty if it does. */
  reasons: string[];
  /** Absent where A has no such output. */
  a?: ComparedType | undefined;
  /** Absent where B has no such output. */
  b?: ComparedType | undefined;
  /** What was allowed. */
  thresholds: Thresholds;
}

/** What `compareResults` found. */
export interface Comparison {
  /** Whether every output agrees. */
  agrees: boolean;
  /** One entry for every output of A or B. */
  outputs: OutputComparison[];
}

/** @internal */
export const compareOptionNames = ['thresholds', 'outputThresholds', 'depth', 'precision'] as const;

interface Checked {
  thresholdsOf(output: string): Thresholds | undefined;
  depth: Partial<Depth>;
}

/** @internal @throws ERR_PARAMETER */
export function readCompareOptions(options: CompareResultsOptions, method: string): Checked {
  const { thresholds, outputThresholds = {}, depth, precision } = options;
  const all = thresholds === undefined ? undefined : checkThresholds(thresholds, method, 'thresholds');
  if (typeof outputThresholds !== 'object' || outputThresholds === null) {
    refuse(method, 'ERR_PARAMETER', `expected thresholds by output, given ${show(outputThresholds)}`, {
      option: 'outputThresholds',
    });
  }
  const single = new Map(
    Object.entries(outputThresholds).map(([name, one]) => [
      name,
      checkThresholds(one, method, `outputThresholds.${name}`),
    ]),
  );
  if (depth !== undefined && !(Number.isFinite(depth) && depth >= 1)) {
    refuse(method, 'ERR_PARAMETER', `expected a number of layers, given ${show(depth)}`, { option: 'depth' });
  }
  if (precision !== undefined && !Object.hasOwn(roundoffs, precision)) {
    refuse(method, 'ERR_PARAMETER', `expected one of ${Object.keys(roundoffs).join(', ')}, given ${show(precision)}`, {
      option: 'precision',
    });
  }
  return {
    thresholdsOf: (output) => single.get(output) ?? all,
    depth: {
      ...(depth !== undefined && { layers: depth }),
      ...(precision !== undefined && { roundoff: roundoffs[precision]! }),
    },
  };
}

/**
 * Compares outputs by name: dtype and shape, and every element. A is the reference. Float outputs may have different dtypes: the
 * coarser one counts. NaN equals NaN and an infinity itself, and both are reported; NaN or an infinity on one side alone never agrees.
 * @throws ERR_INPUT if something is no tensor, ERR_PARAMETER, and what reading weights throws
 * @function
 */
export const compareResults = publicMethod(
  'compareResults',
  (a: ComparedResults, b: ComparedResults, options: CompareResultsOptions = {}): Comparison => {
    checkOptions(options, compareOptionNames, 'compareResults');
    const { thresholdsOf, depth } = readCompareOptions(options, 'compareResults');
    return compareAll(a, b, (output, dtypes) => thresholdsOf(output) ?? defaultThresholds(dtypes, depth));
  },
);

/** @internal `allowed`: by output and the dtypes of both sides. */
export function compareAll(
  a: ComparedResults,
  b: ComparedResults,
  allowed: (output: string, dtypes: readonly string[]) => Thresholds,
): Comparison {
  for (const [side, results] of Object.entries({ a, b })) {
    if (typeof results !== 'object' || results === null) {
      refuse('compareResults', 'ERR_INPUT', `expected results by output, given ${show(results)}`, { option: side });
    }
  }
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const outputs = Array.from(names, (output): OutputComparison => {
    const [x, y] = [a, b].map((side) => (Object.hasOwn(side, output) ? readTensor(output, side[output]) : undefined));
    const thresholds = allowed(
      output,
      [x, y].flatMap((one) => one?.dtype ?? []),
    );
    return compareOutput(output, x, y, thresholds);
  });
  return { agrees: outputs.every(({ agrees }) => agrees), outputs };
}

const typeOf = ({ dtype, shape }: Weight): ComparedType => ({ dtype, shape });

function compareOutput(
  output: string,
  a: Weight | undefined,
  b: Weight | undefined,
  thresholds: Thresholds,
): OutputComparison {
  const sides = { ...(a && { a: typeOf(a) }), ...(b && { b: typeOf(b) }) };
  const differ = (reason: string) => ({ output, agrees: false, reasons: [reason], ...sides, thresholds });
  if (!a || !b) return differ(`only ${a ? 'A' : 'B'} has it`);
  if (a.shape.length !== b.shape.length || a.shape.some((size, i) => size !== b.shape[i])) {
    return differ(`A is ${formatShape(a.shape)}, B is ${formatShape(b.shape)}`);
  }
  const found = differencesOf(...elementsOf(a, b), a.shape);
  const reasons = reasonsFor(found, thresholds);
  return { output, agrees: reasons.length === 0, reasons, ...sides, ...found, thresholds };
}

const figure = (value: number): string => String(Number(value.toPrecision(3)));
/** As many digits as float32 has. */
const element = (value: number | bigint): string =>
  typeof value === 'bigint' ? String(value) : String(Number(value.toPrecision(9)));

function reasonsFor(found: Differences, thresholds: Thresholds): string[] {
  const reasons: string[] = [];
  if (found.firstOdd) {
    const { index, a, b } = found.firstOdd;
    reasons.push(
      `${found.oddPairs} of ${found.elements} elements are not finite on one side: A has ${element(a)}, B ${element(b)} at [${index.join(', ')}]`,
    );
  }
  const where = found.worst
    ? ` at [${found.worst.index.join(', ')}]: A has ${element(found.worst.a)}, B ${element(found.worst.b)}`
    : '';
  for (const name of ['max', 'mean', 'rms'] as const) {
    const limit = thresholds[name];
    if (limit === undefined || found[name] <= limit) continue;
    reasons.push(`${name} is ${figure(found[name])}, allowed is ${figure(limit)}${name === 'max' ? where : ''}`);
  }
  const { relative, cosine } = thresholds;
  if (relative !== undefined && !(found.relative !== undefined && found.relative <= relative)) {
    const is =
      found.relative === undefined
        ? 'A is all zeros'
        : `the largest difference is ${figure(found.relative)} of A's rms`;
    reasons.push(`${is}, allowed is ${figure(relative)}${where}`);
  }
  if (cosine !== undefined && !(found.cosine !== undefined && found.cosine >= cosine)) {
    reasons.push(
      `cosine is ${found.cosine === undefined ? 'undefined' : figure(found.cosine)}, at least ${figure(cosine)} is expected`,
    );
  }
  return reasons;
}
