import { dtypes } from '../../src/values/dtype.js';

/** A reproducible source of numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Container = Record<string, unknown> | unknown[];

interface Place {
  holder: Container;
  key: string;
  path: string;
}

function* placesIn(holder: Container, path = ''): Generator<Place> {
  for (const key of Object.keys(holder)) {
    yield { holder, key, path: `${path}.${key}` };
    const value = (holder as Record<string, unknown>)[key];
    if (typeof value === 'object' && value !== null) yield* placesIn(value as Container, `${path}.${key}`);
  }
}

const odd: readonly unknown[] = [
  null,
  undefined,
  true,
  -1,
  0,
  1,
  2,
  0.5,
  7,
  99,
  2 ** 31,
  2 ** 40,
  2 ** 53,
  2 ** 63,
  1e308,
  -(2 ** 31),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'x',
  '__proto__',
  'constructor',
  'n',
  '2*n',
  'n?0',
  'a?1',
  '(((',
  '9'.repeat(400),
  'float32',
  'int64',
  'int4',
  'bool',
  'AAAA',
  '\ud800',
  [],
  {},
  [0],
  [1, 2, 3],
  [2 ** 40, 2 ** 40, 0],
  [-1],
  ['n'],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1, 1],
  [[]],
  [null],
  { id: 0 },
];

const dims = [0, 1, 2, 3, 7, 100, 2 ** 31, 2 ** 40, 'n', 'm', '2*n', 'n + m', 'n?0', -1, 2 ** 52];

/** Another value of the same kind: what a schema cannot refuse. */
function another(
  value: unknown,
  { holder, key, path }: Place,
  places: readonly Place[],
  pick: <T>(list: readonly T[]) => T,
): unknown {
  if (key === 'dtype') return pick(dtypes);
  if (/\.shape\.\d+$/.test(path)) return pick(dims);
  if (key === 'shape') return Array.from({ length: pick([0, 1, 2, 3, 4, 5, 8]) }, () => pick(dims));
  const alike = places.flatMap((other) => {
    const given = (other.holder as Record<string, unknown>)[other.key];
    const isAlike = typeof given === typeof value && Array.isArray(given) === Array.isArray(value);
    return isAlike && (other.key === key || Array.isArray(holder) || typeof value !== 'object') ? [given] : [];
  });
  if (Array.isArray(value)) {
    const list = structuredClone(value);
    const at = Math.floor(list.length * pick([0, 0.25, 0.5, 0.75, 0.99]));
    const change = pick(['drop', 'double', 'swap', 'other', 'add']);
    if (change === 'drop') list.splice(at, 1);
    else if (change === 'double' && list.length > 0) list.splice(at, 0, structuredClone(list[at]));
    else if (change === 'swap') list.reverse();
    else if (change === 'add') list.push(...(structuredClone(pick(alike)) as unknown[]).slice(0, 1));
    else return structuredClone(pick(alike));
    return list;
  }
  if (typeof value === 'number')
    return pick([value + 1, value - 1, -value, 0, 1, 2 ** 31, 2 ** 40, ...(alike as number[])]);
  if (typeof value === 'boolean') return !value;
  return structuredClone(pick(alike));
}

/** Changes a JSON value in one to three places, and says where. */
export function mutate(json: Container, next: () => number): string {
  const said: string[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  for (let count = 1 + Math.floor(next() ** 3 * 3); count > 0; count--) {
    // Elements of weights and places in files are long, and no structure.
    const places = [...placesIn(json)].filter(({ path }) => !/\.source\b/.test(path));
    if (places.length === 0) return said.join();
    const { holder, key, path } = pick(places);
    const object = holder as Record<string, unknown>;
    const value = object[key];
    const kind = Math.floor(next() * 9);
    if (next() < 0.75 && value !== null && value !== undefined)
      object[key] = another(value, { holder, key, path }, places, pick);
    else if (kind <= 2) object[key] = structuredClone(pick(odd));
    else if (kind === 3) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete object[key];
    } else if (kind === 4) {
      if (Array.isArray(holder))
        holder.splice(Number(key), 0, pick([structuredClone(value), structuredClone(pick(odd))]));
      else object[pick(['extra', 'id', 'name', 'body', 'then', '__proto__x'])] = structuredClone(value);
    } else if (kind === 5 && typeof value === 'number') object[key] = value + pick([-1, 1, 2, -2, 1e6]);
    else if (kind === 6) object[key] = structuredClone(pick(places).holder);
    else if (kind === 7) {
      const other = pick(places);
      object[key] = structuredClone((other.holder as Record<string, unknown>)[other.key]);
    } else if (Array.isArray(value)) value.push(structuredClone(pick([...value, ...odd])));
    else object[key] = structuredClone(pick(odd));
    said.push(`${path} := ${show((holder as Record<string, unknown>)[key])}`);
  }
  return said.join(', ');
}

const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);
