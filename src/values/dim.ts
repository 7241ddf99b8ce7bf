/**
 * Sizes that may be symbolic. A `Dim` is a non-negative integer or a string: a name given by the user (`'batch'`), or an
 * expression over such names (`'2*batch + 1'`, `'floor((h - 1) / 2) + 1'`). The form is canonical, so equal sizes are equal
 * strings.
 */
export type Dim = number | string;
/** Sizes along the axes: numbers, and names or expressions where dynamic. */
export type Shape = readonly Dim[];

/** Sizes of named dims. */
type Sizes = Readonly<Record<string, number>>;

/** A sum of products of atoms: product key (atoms joined by `*`, '' for the constant) → coefficient. */
type Poly = Map<string, number>;

interface Operation {
  op: 'floor' | 'ceil' | 'max' | 'min' | 'mod';
  args: readonly [Dim, Dim];
}

const operations = new Map<string, Operation>();
const polys = new Map<string, Poly>();

const identifier = /^[\p{L}_?][\p{L}\p{N}_.?:-]*$/u;
/** A valid dim name: a letter or `_`, then letters, digits, `_`, `.`, `:` or `-`. */
export const isDimName = (name: string): boolean => identifier.test(name) && !name.includes('?');

function poly(dim: Dim): Poly {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]]);
  const known = polys.get(dim);
  if (known) return known;
  const atom: Poly = new Map([[dim, 1]]);
  polys.set(dim, atom);
  return atom;
}

const degree = (key: string): number => (key === '' ? 0 : key.split('*').length);

function print(p: Poly): Dim {
  const terms = [...p].filter(([, c]) => c !== 0);
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]![0] === '') return terms[0]![1];
  terms.sort(([a], [b]) => degree(b) - degree(a) || (a < b ? -1 : 1));
  const text = terms
    .map(([key, c], i) => {
      const size = Math.abs(c);
      const body = key === '' ? `${size}` : size === 1 ? key : `${size}*${key}`;
      return i === 0 ? (c < 0 ? `-${body}` : body) : c < 0 ? ` - ${body}` : ` + ${body}`;
    })
    .join('');
  if (!polys.has(text)) polys.set(text, new Map(terms));
  return text;
}

export const isStatic = (dim: Dim): dim is number => typeof dim === 'number';
export const isStaticShape = (shape: Shape): shape is readonly number[] => shape.every(isStatic);

export function addDims(a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return a + b;
  const sum = new Map(poly(a));
  for (const [key, c] of poly(b)) sum.set(key, (sum.get(key) ?? 0) + c);
  return print(sum);
}

export function mulDims(a: Dim, b: Dim): Dim {
  // `+ 0` turns −0 into 0, here and below.
  if (isStatic(a) && isStatic(b)) return a * b + 0;
  const product: Poly = new Map();
  for (const [ka, ca] of poly(a)) {
    for (const [kb, cb] of poly(b)) {
      const key = [ka, kb]
        .flatMap((k) => (k === '' ? [] : splitAtoms(k)))
        .sort()
        .join('*');
      product.set(key, (product.get(key) ?? 0) + ca * cb);
    }
  }
  return print(product);
}

/** Splits a product key at the `*` outside parentheses. */
function splitAtoms(key: string): string[] {
  const atoms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < key.length; i++) {
    if (key[i] === '(') depth++;
    else if (key[i] === ')') depth--;
    else if (key[i] === '*' && depth === 0) {
      atoms.push(key.slice(start, i));
      start = i + 1;
    }
  }
  atoms.push(key.slice(start));
  return atoms;
}

export const subDims = (a: Dim, b: Dim): Dim => addDims(a, mulDims(b, -1));

/** The quotient if `b` divides `a` term by term, else undefined. */
function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined;
  if (a === b) return 1;
  if (isStatic(a) && isStatic(b)) return a % b === 0 ? a / b + 0 : undefined;
  if (isStatic(b)) {
    const terms = [...poly(a)];
    if (terms.some(([, c]) => c % b !== 0)) return undefined;
    return print(new Map(terms.map(([key, c]) => [key, c / b])));
  }
  const divisor = [...poly(b)];
  if (divisor.length !== 1) return undefined;
  const [keyB, cB] = divisor[0]!;
  const atomsB = splitAtoms(keyB);
  const quotient: Poly = new Map();
  for (const [key, c] of poly(a)) {
    const atoms = key === '' ? [] : splitAtoms(key);
    for (const atom of atomsB) {
      const at = atoms.indexOf(atom);
      if (at < 0) return undefined;
      atoms.splice(at, 1);
    }
    if (c % cB !== 0) return undefined;
    quotient.set(atoms.join('*'), c / cB);
  }
  return print(quotient);
}

const apply = {
  floor: (a: number, b: number) => Math.floor(a / b) + 0,
  ceil: (a: number, b: number) => Math.ceil(a / b) + 0,
  max: Math.max,
  min: Math.min,
  mod: (a: number, b: number) => (((a % b) + b) % b) + 0,
};

function operate(op: Operation['op'], a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return apply[op](a, b);
  const group = (d: Dim): string => (isStatic(d) || identifier.test(d) ? `${d}` : `(${d})`);
  const text =
    op === 'floor' || op === 'ceil'
      ? `${op}(${group(a)} / ${group(b)})`
      : op === 'mod'
        ? `mod(${a}, ${b})`
        : `${op}(${[`${a}`, `${b}`].sort().join(', ')})`;
  if (!operations.has(text)) operations.set(text, { op, args: [a, b] });
  return print(poly(text));
}

/** `⌊(a + k·b) / b⌋ = ⌊a / b⌋ + k`, and likewise for ceil. The part of the constant above −b and at most 0 stays inside. */
function divide(op: 'floor' | 'ceil', a: Dim, b: Dim): Dim {
  const exact = exactQuotient(a, b);
  if (exact !== undefined) return exact;
  const whole = isStatic(b) && b > 0 && !isStatic(a) ? Math.ceil((poly(a).get('') ?? 0) / b) : 0;
  return addDims(operate(op, subDims(a, mulDims(whole, b)), b), whole);
}

export const floorDivDims = (a: Dim, b: Dim): Dim => divide('floor', a, b);
export const ceilDivDims = (a: Dim, b: Dim): Dim => divide('ceil', a, b);
export const maxDims = (a: Dim, b: Dim): Dim => (a === b ? a : operate('max', a, b));
export const minDims = (a: Dim, b: Dim): Dim => (a === b ? a : operate('min', a, b));
export const modDims = (a: Dim, b: Dim): Dim => (exactQuotient(a, b) === undefined ? operate('mod', a, b) : 0);

/** The exact quotient of two sizes, symbolic or not; undefined unless it is known to be whole. */
export const divideExactly = exactQuotient;

/** The ratio of two sizes; undefined if it depends on their dims. */
export function ratioOfDims(a: Dim, b: Dim): number | undefined {
  if (isStatic(a) && isStatic(b)) return a / b;
  const [over, under] = [[...poly(a)], poly(b)];
  if (over.length === 0 || over.length !== under.size) return undefined;
  const [[first, top]] = over as [[string, number]];
  const bottom = under.get(first);
  if (bottom === undefined || over.some(([key, c]) => c * bottom !== (under.get(key) ?? 0) * top)) return undefined;
  return top / bottom;
}

/** The product of sizes. */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis]!;
  return count;
}

export const volume = (shape: Shape): Dim => shape.reduce(mulDims, 1);

let unknowns = 0;
/** A fresh symbol for a data-dependent size. */
export const unknownDim = (hint: string): string => `${hint}?${++unknowns}`;
/** Whether the size depends on data, so callers cannot name it. */
export const isUnknown = (dim: Dim): boolean => typeof dim === 'string' && dim.includes('?');

/** The structure of a dynamic dim: a name, an operation on two dims such as a quotient, or a sum of products. */
type DimStructure =
  | { kind: 'name' }
  | { kind: 'operation'; op: Operation['op']; args: readonly [Dim, Dim] }
  | { kind: 'sum'; terms: readonly { coefficient: number; factors: readonly string[] }[] };

export function structureOf(dim: string): DimStructure {
  const operation = operations.get(dim);
  if (operation) return { kind: 'operation', ...operation };
  const p = poly(dim);
  if (p.size === 1 && p.get(dim) === 1 && splitAtoms(dim).length === 1) return { kind: 'name' };
  const terms = [...p].map(([key, coefficient]) => ({ coefficient, factors: key === '' ? [] : splitAtoms(key) }));
  return { kind: 'sum', terms };
}

/** Whether a size is 0 or more for all sizes of its names, as far as its form tells. */
export function isNonNegative(dim: Dim): boolean {
  if (isStatic(dim)) return dim >= 0;
  const structure = structureOf(dim);
  if (structure.kind === 'name') return true;
  if (structure.kind === 'sum')
    return structure.terms.every(({ coefficient, factors }) => coefficient >= 0 && factors.every(isNonNegative));
  const { op, args } = structure;
  return op === 'max' ? args.some(isNonNegative) : args.every(isNonNegative);
}

export function isSameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Two dims that a layer needs to be equal; where it broadcasts, one of them may be 1 instead. */
export interface Meeting {
  dims: readonly [Dim, Dim];
  broadcasts: boolean;
}

let meetings: Meeting[] = [];

/** Called by inference: notes what only sizes can tell, for the profiles of a build. */
export function meet(a: Dim, b: Dim, broadcasts = false): void {
  if (a !== b && !(isStatic(a) && isStatic(b))) meetings.push({ dims: [a, b], broadcasts });
}

/** The meetings noted since the last call. */
export function takeMeetings(): readonly Meeting[] {
  const noted = meetings;
  if (noted.length > 0) meetings = [];
  return noted;
}

/** The value of `dim` for the given sizes; undefined if a name has none. */
export function evaluateDim(dim: Dim, sizes: Sizes): number | undefined {
  if (isStatic(dim)) return dim;
  const structure = structureOf(dim);
  if (structure.kind === 'name') return Object.hasOwn(sizes, dim) ? sizes[dim] : undefined;
  if (structure.kind === 'operation') {
    const [a, b] = structure.args.map((d) => evaluateDim(d, sizes));
    return a === undefined || b === undefined ? undefined : apply[structure.op](a, b);
  }
  let total = 0;
  for (const { coefficient, factors } of structure.terms) {
    let product = coefficient;
    for (const factor of factors) {
      const value = evaluateDim(factor, sizes);
      if (value === undefined) return undefined;
      product *= value;
    }
    total += product;
  }
  return total;
}

/**
 * The dim as `slope * name + offset`, with a slope other than 0; undefined if it is not linear in the name, or another name has
 * no size.
 */
export function linearIn(dim: Dim, name: string, sizes: Sizes): { slope: number; offset: number } | undefined {
  if (isStatic(dim)) return undefined;
  const structure = structureOf(dim);
  if (structure.kind === 'name') return dim === name ? { slope: 1, offset: 0 } : undefined;
  if (structure.kind === 'operation') return undefined;
  const sums = [0, 0];
  for (const { coefficient, factors } of structure.terms) {
    const others = factors.filter((factor) => factor !== name);
    const power = factors.length - others.length;
    if (power > 1 || others.some((factor) => dimNames(factor).includes(name))) return undefined;
    const values = others.map((factor) => evaluateDim(factor, sizes));
    if (values.includes(undefined)) return undefined;
    sums[power]! += (values as number[]).reduce((a, b) => a * b, coefficient);
  }
  const [offset, slope] = sums as [number, number];
  return slope === 0 ? undefined : { slope, offset };
}

type Range = readonly [least: number, most: number];
const hull = (values: readonly number[]): Range => [Math.min(...values), Math.max(...values)];
const corners = (a: Range, b: Range, apply: (a: number, b: number) => number): Range =>
  hull(a.flatMap((x) => b.map((y) => apply(x, y))));

/** Bounds of a dim where each name has a range: the closest ones if no name occurs twice. NaN where it divides by 0. */
export function rangeOfDim(dim: Dim, ranges: Readonly<Record<string, Range>>): Range {
  if (isStatic(dim)) return [dim, dim];
  const structure = structureOf(dim);
  if (structure.kind === 'name') return ranges[dim]!;
  if (structure.kind === 'operation') {
    const { op, args } = structure;
    const [a, b] = args.map((arg) => rangeOfDim(arg, ranges)) as [Range, Range];
    if (op === 'mod' && !(a[0] === a[1] && b[0] === b[1])) return b[0] > 0 ? [0, b[1] - 1] : [Number.NaN, Number.NaN];
    return corners(a, b, apply[op]);
  }
  let sum: Range = [0, 0];
  for (const { coefficient, factors } of structure.terms) {
    const product = factors
      .map((factor) => rangeOfDim(factor, ranges))
      .reduce((a, b) => corners(a, b, (x, y) => x * y), [coefficient, coefficient]);
    sum = [sum[0] + product[0], sum[1] + product[1]];
  }
  return sum;
}

/** Whether a dim is made of others. */
export const isExpression = (dim: Dim): dim is string =>
  typeof dim === 'string' && !identifier.test(dim) && structureOf(dim).kind !== 'name';

/** The names that occur in a dim. */
export function dimNames(dim: Dim): string[] {
  if (isStatic(dim)) return [];
  const structure = structureOf(dim);
  if (structure.kind === 'name') return [dim];
  const parts = structure.kind === 'operation' ? structure.args : structure.terms.flatMap(({ factors }) => factors);
  return [...new Set(parts.flatMap(dimNames))];
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;
