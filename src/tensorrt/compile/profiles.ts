import type { IRNamed } from '../../dsl/ir.js';
import type { RecordedNode } from '../../dsl/network.js';
import { meetingsOf } from '../../dsl/recording.js';
import type { Snapshot } from '../../dsl/snapshot.js';
import { locate } from '../../errors/call-site.js';
import { show, TensorRTError } from '../../errors/error.js';
import { nearest } from '../../errors/nearest.js';
import type { ProfilePoint } from '../../plugin/check-profiles.js';
import { dimNames, evaluateDim, formatShape, rangeOfDim } from '../../values/dim.js';

/** A size, or an element of an input; one per element, in row-major order, where the input has several. */
export type ProfileBound = number | readonly number[];

/**
 * One optimization profile, `[min, opt, max]` by name, or one number where all three are the same.
 * - Every dynamic dim that has a name: `batch: [1, 8, 64]`. Ranges of expressions follow from those of their names.
 * - Every int32 or int64 input from whose elements TensorRT computes shapes (sizes of a reshape, slice, resize or fill, k of
 *   topk, a loop's count where outputs are collected): `k: [1, 5, 10]` for one element, else a list per
 *   bound: `sizes: [[1, 1], [8, 8], [64, 64]]`. For an input whose elements decide no shape a range has no effect.
 */
export type Profile = Readonly<Record<string, ProfileRange | undefined>>;

/** The list is of three; its type is not that strict, so that a profile may come from a `const`. */
export type ProfileRange =
  | number
  | readonly [min: ProfileBound, opt: ProfileBound, max: ProfileBound]
  | readonly ProfileBound[];

/** Shapes of an input, or its elements where `values` is set. */
export interface InputRange {
  min: number[];
  opt: number[];
  max: number[];
  values?: true;
}

/** What the addon makes a profile of, by input. `dim`: the input could be a shape tensor, and a dim has its name. */
export type ResolvedProfile = Record<string, InputRange | { dim: true }>;

const bounds = ['min', 'opt', 'max'] as const;
const most = { int32: 2 ** 31 - 1, int64: Number.MAX_SAFE_INTEGER };
const defaultRange = [1, 8, 64] as const;

const rangeOf = (profile: Profile, name: string): ProfileRange | undefined =>
  Object.hasOwn(profile, name) ? profile[name] : undefined;

/** Whether TensorRT could compute shapes from an input's elements. */
const mayDecideShapes = ({ dtype, shape }: IRNamed): boolean =>
  (dtype === 'int32' || dtype === 'int64') && shape.every((dim) => typeof dim === 'number');

/**
 * The profiles by input: whole shapes of those with dynamic dims, and ranges of elements.
 * @throws ERR_PROFILE where a dim is missing, a name unknown or ambiguous, a range of another length or not min ≤ opt ≤ max,
 *   or sizes of opt contradict each other;
 *   ERR_BUILD_OPTION where a size is out of range
 */
export function resolveProfiles(
  { inputs, nodes }: Pick<Snapshot, 'inputs' | 'nodes'>,
  profiles: readonly Profile[] | undefined,
): ResolvedProfile[] {
  const names = namesIn(inputs);
  if (names.length === 0 && !profiles) return [];
  const given = profiles ?? [Object.fromEntries(names.map((name) => [name, defaultRange]))];
  const resolved = given.map((profile, index) => resolveProfile(inputs, names, profile, `profiles[${index}]`));
  for (const [index, profile] of (profiles ?? []).entries())
    requireAgreement(nodes, names, profile, `profiles[${index}]`);
  return resolved.some((profile) => Object.keys(profile).length > 0) ? resolved : [];
}

/** The sizes of the dynamic dims at min, opt and max of each profile, and the elements of inputs that have ranges. */
export function pointsOf(
  { inputs }: Pick<Snapshot, 'inputs'>,
  profiles: readonly Profile[] | undefined,
  resolved: readonly ResolvedProfile[],
): ProfilePoint[] {
  const names = namesIn(inputs);
  const given = profiles ?? [Object.fromEntries(names.map((name) => [name, defaultRange]))];
  return given.flatMap((profile, index) =>
    bounds.map((bound, at) => ({
      where: names.length > 0 || profiles ? `profiles[${index}].${bound}` : '',
      sizes: Object.fromEntries(names.map((name) => [name, three(rangeOf(profile, name)!)[at] as number])),
      elements: new Map(
        inputs.flatMap(({ id, name }) => {
          const range = resolved[index]?.[name];
          return range && 'values' in range ? [[id, range[bound]]] : [];
        }),
      ),
    })),
  );
}

const namesIn = (inputs: readonly Pick<IRNamed, 'shape'>[]): string[] => [
  ...new Set(inputs.flatMap((input) => input.shape.flatMap(dimNames))),
];

/**
 * What a build without profiles assumes, in words; undefined if it assumes nothing.
 * @param give how its user says the sizes of these dims; default: as the API has it
 */
export function defaultRanges(
  inputs: readonly Pick<IRNamed, 'shape'>[],
  give: (names: readonly string[]) => string = inApi,
): string | undefined {
  const names = namesIn(inputs);
  if (names.length === 0) return undefined;
  const [min, opt, max] = defaultRange;
  return `no profiles were given, so ${names.join(', ')} may be ${min} to ${max}, tuned for ${opt}; for other sizes, give ${give(names)}`;
}

const inApi = (names: readonly string[]): string =>
  `profiles: [{ ${names.map((name) => `${/^\w+$/.test(name) ? name : show(name)}: [min, opt, max]`).join(', ')} }]`;

/** The ranges of an input's elements, by profile. */
export const elementRanges = (profiles: readonly ResolvedProfile[], name: string): Omit<InputRange, 'values'>[] =>
  profiles.flatMap((profile) => {
    const range = profile[name];
    return range && 'values' in range ? [{ min: range.min, opt: range.opt, max: range.max }] : [];
  });

function resolveProfile(
  inputs: readonly IRNamed[],
  names: readonly string[],
  profile: Profile,
  where: string,
): ResolvedProfile {
  const candidates = new Map(inputs.filter(mayDecideShapes).map((input) => [input.name, input]));
  for (const [name, range] of Object.entries(profile)) {
    if (range === undefined) continue;
    if (!names.includes(name) && !candidates.has(name)) unknown(name, inputs, names, [...candidates.keys()], where);
  }
  const sizes = names.map((name) => {
    const range = rangeOf(profile, name);
    if (range === undefined) {
      fail(where, `dim '${name}' is missing; expected [min, opt, max] for each of ${names.join(', ')}`);
    }
    return [name, sizesOf(name, range, candidates.has(name), where)] as const;
  });
  const shapes = inputs
    .filter((input) => input.shape.some((dim) => typeof dim === 'string'))
    .map((input) => {
      return [input.name, shapesOf(input, sizes, where)] as const;
    });
  const elements = [...candidates].flatMap(([name, input]): [string, ResolvedProfile[string]][] => {
    if (names.includes(name)) return [[name, { dim: true }]];
    const range = rangeOf(profile, name);
    return range === undefined ? [] : [[name, elementsOf(input, range, where)]];
  });
  return Object.fromEntries([...shapes, ...elements]);
}

/** The bounds of an input's shape. Those of an expression follow from the ranges of its names; sizes below 0 are none. */
function shapesOf(
  { name, shape }: IRNamed,
  sizes: readonly (readonly [string, number[]])[],
  where: string,
): InputRange {
  const opts = Object.fromEntries(sizes.map(([dim, range]) => [dim, range[1]!]));
  const ranges = Object.fromEntries(sizes.map(([dim, range]) => [dim, [range[0]!, range[2]!] as const]));
  const axes = shape.map((dim) => {
    const [min, max] = rangeOfDim(dim, ranges);
    const opt = evaluateDim(dim, opts)!;
    const isSize = (size: number) => size >= 0 && size <= most.int32;
    if (!isSize(opt) || !isSize(max) || Number.isNaN(min)) {
      const [at, which] = isSize(opt) ? [max, 'max'] : [opt, 'opt'];
      const names = dimNames(dim).map((one) => `${one}: [${sizes.find(([known]) => known === one)![1].join(', ')}]`);
      const fault = `'${dim}' of input '${name}' is ${at} at ${which} where ${names.join(', ')}`;
      fail(where, `${fault}; expected a size from 0 to ${most.int32}`, { actual: at });
    }
    return { min: Math.max(0, min), opt, max };
  });
  return { min: axes.map(({ min }) => min), opt: axes.map(({ opt }) => opt), max: axes.map(({ max }) => max) };
}

/**
 * At opt, dims that a layer needs to be equal are. At min and max they need not: of `total`, `past` and `tokens`, each may have a
 * range of its own.
 */
function requireAgreement(
  nodes: readonly RecordedNode[],
  names: readonly string[],
  profile: Profile,
  where: string,
): void {
  const opt = Object.fromEntries(names.map((name) => [name, three(profile[name]!)[1] as number]));
  for (const node of nodes) {
    for (const { dims, broadcasts } of meetingsOf(node)) {
      const [a, b] = dims.map((dim) => evaluateDim(dim, opt));
      if (a === undefined || b === undefined || a === b || (broadcasts && (a === 1 || b === 1))) continue;
      const [one, other] = dims.map((dim, i) => (typeof dim === 'number' ? dim : `'${dim}', which is ${[a, b][i]}`));
      throw new TensorRTError(
        'ERR_PROFILE',
        `opt contradicts ${node.kind} '${node.name}', where ${one}, meets ${other}`,
        {
          option: where,
          layer: node.name,
          kind: node.kind,
          source: locate(node.callSite),
          expected: a,
          actual: b,
        },
      );
    }
  }
}

function fail(where: string, message: string, facts: { expected?: unknown; actual?: unknown } = {}): never {
  throw new TensorRTError('ERR_PROFILE', message, { option: where, ...facts });
}

function unknown(
  name: string,
  inputs: readonly IRNamed[],
  dims: readonly string[],
  candidates: readonly string[],
  where: string,
): never {
  const input = inputs.find((one) => one.name === name);
  if (input) {
    fail(
      where,
      `input '${name}' is ${input.dtype} ${formatShape(input.shape)}; a range of elements is for int32 or int64 of fixed shape, the dynamic dims are ${dims.join(', ') || 'none'}`,
    );
  }
  const close = nearest(name, [...dims, ...candidates]).map((one) => `'${one}'`);
  const hint = close.length > 0 ? `; did you mean ${close.join(' or ')}?` : '';
  const others = candidates.length > 0 ? `, and ranges of elements may be given for ${candidates.join(', ')}` : '';
  fail(where, `the network has no dynamic dim '${name}'; it has ${dims.join(', ') || 'none'}${others}${hint}`, {
    expected: [...dims, ...candidates],
    actual: name,
  });
}

/** The three bounds as given; a number stands for all of them. */
const three = (range: ProfileRange): readonly ProfileBound[] =>
  typeof range === 'number' ? [range, range, range] : range;

function sizesOf(name: string, range: ProfileRange, alsoInput: boolean, where: string): number[] {
  const sizes = three(range);
  if (sizes.some((size) => typeof size !== 'number')) {
    const why = alsoInput ? `; input '${name}' has the name of a dim: rename one of them` : '';
    fail(where, `dim '${name}' takes [min, opt, max], given ${show(range)}${why}`);
  }
  const [min, opt, max] = sizes as [number, number, number];
  const odd = [min, opt, max].find((size) => size < 0 || size > most.int32);
  if (odd !== undefined) {
    throw new TensorRTError('ERR_BUILD_OPTION', `expected sizes from 0 to ${most.int32}, given ${odd}`, {
      method: 'build options',
      option: `${where}.${name}`,
      actual: odd,
    });
  }
  if (!(min <= opt && opt <= max)) {
    fail(where, `'${name}' must be [min, opt, max] in rising order, given [${min}, ${opt}, ${max}]`);
  }
  return [min, opt, max];
}

function elementsOf({ name, dtype, shape }: IRNamed, range: ProfileRange, where: string): InputRange {
  const count = (shape as number[]).reduce((a, b) => a * b, 1);
  const [min, opt, max] = three(range).map((bound, i) => {
    const list = typeof bound === 'number' ? [bound] : [...bound];
    const fits = list.length === count && (shape.length > 0 || typeof bound === 'number');
    if (!fits) {
      const expected = shape.length === 0 ? 'a number' : `a list of ${count}`;
      fail(
        where,
        `${bounds[i]} of input '${name}' must be ${expected}, one for each element of ${dtype} ${formatShape(shape)}, given ${show(bound)}`,
        { expected: shape, actual: bound },
      );
    }
    const odd = list.find((value) => Math.abs(value) > most[dtype as keyof typeof most]);
    if (odd !== undefined) fail(where, `${bounds[i]} of input '${name}' has ${odd}, which is no ${dtype}`);
    return list;
  }) as [number[], number[], number[]];
  const at = min.findIndex((value, i) => value > opt[i]! || opt[i]! > max[i]!);
  if (at >= 0) {
    const which = shape.length === 0 ? '' : `element ${at} of `;
    fail(
      where,
      `${which}'${name}' must be [min, opt, max] in rising order, given [${min[at]}, ${opt[at]}, ${max[at]}]`,
    );
  }
  return { min, opt, max, values: true };
}
