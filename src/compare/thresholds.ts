import { show } from '../errors/error.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { isFloat } from '../values/dtype.js';

/** How far results may be apart. All that are given have to hold. */
export interface Thresholds {
  /** The largest difference of an element. */
  max?: number | undefined;
  /** The mean of the absolute differences. */
  mean?: number | undefined;
  /** The root mean square of the differences. */
  rms?: number | undefined;
  /** The largest difference of an element, as a share of the root mean square of A. */
  relative?: number | undefined;
  /** The least cosine similarity. */
  cosine?: number | undefined;
}

/** What a network's rounding errors grow with. */
export interface Depth {
  /** Layers that round, on the longest way to the output. */
  layers: number;
  /** Terms of all the sums on that way. */
  terms: number;
  /** Unit roundoff of the coarsest dtype on any way to the output. */
  roundoff: number;
}

/** Unit roundoffs: half the distance from 1 to the next number. TensorFloat-32 has 10 bits of mantissa. */
export const roundoffs: Readonly<Record<string, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  tf32: 2 ** -11,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
  float8e4m3: 2 ** -4,
  float8e5m2: 2 ** -3,
  float4e2m1: 2 ** -2,
  int8: 2 ** -8,
  int4: 2 ** -4,
};

/** Of results whose network is not known. */
export const unknownDepth = { layers: 64, terms: 65_536 } as const;

const lambda = 4;

/**
 * The difference to allow, as a share of the reference's root mean square: λ·(u·√layers + 2⁻²⁴·√terms), λ = 4.
 *
 * Rounding errors are treated as independent, so that n of them grow as √n, not as n: N. J. Higham and T. Mary, "A new approach to
 * probabilistic rounding error analysis" (SIAM J. Sci. Comput. 41, 2019), bounds the error of n operations by λ·√n·u with a
 * probability of at least 1 − 2·exp(−λ²/2), 0.9993 for λ = 4. Every layer rounds its output once to its dtype, u; sums are kept in
 * float32, as tensor cores and onnxruntime keep them. It is a rule of thumb: it knows nothing of the network's conditioning.
 */
export const toleranceOf = ({ layers, terms, roundoff }: Depth): number =>
  lambda * (roundoff * Math.sqrt(Math.max(1, layers)) + roundoffs.float32! * Math.sqrt(terms));

/** The thresholds of an output for which none are given: exact for integers and bool. */
export function defaultThresholds(dtypes: readonly string[], depth: Partial<Depth>): Thresholds {
  const floats = dtypes.filter(isFloat);
  if (floats.length === 0) return { max: 0 };
  const own = Math.max(...floats.map((dtype) => roundoffs[dtype] ?? 1));
  const { layers = unknownDepth.layers, terms = unknownDepth.terms, roundoff = 0 } = depth;
  return { relative: toleranceOf({ layers, terms, roundoff: Math.max(own, roundoff) }) };
}

export const thresholdNames = ['max', 'mean', 'rms', 'relative', 'cosine'] as const;

/** @throws ERR_PARAMETER */
export function checkThresholds(given: unknown, method: string, option: string): Thresholds {
  if (typeof given !== 'object' || given === null) {
    refuse(method, 'ERR_PARAMETER', `expected thresholds, given ${show(given)}`, { option, actual: given });
  }
  checkOptions(given, thresholdNames, method);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || (typeof value === 'number' && (name === 'cosine' ? Math.abs(value) <= 1 : value >= 0)))
      continue;
    const expected = name === 'cosine' ? 'a number from -1 to 1' : 'a number of at least 0';
    refuse(method, 'ERR_PARAMETER', `expected ${expected}, given ${show(value)}`, {
      option: `${option}.${name}`,
      actual: value,
    });
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
