// Names of variables and functions.

const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield async of NaN Infinity ' +
    'Number Object Array Buffer URL Int8Array Uint8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array ' +
    'Float64Array BigInt64Array BigUint64Array'
  ).split(' '),
);

/** Whether a property can be written without quotes. */
export const isIdentifier = (text: string): boolean => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text);

/** A text as an identifier in camel case; empty if nothing of it can stand in one. */
export function camelCase(text: string): string {
  const words = text.split(/[^\p{ID_Continue}$]+|_+/u).filter((word) => word !== '');
  const joined = words
    .map((word, i) => (i === 0 ? word[0]!.toLowerCase() + word.slice(1) : word[0]!.toUpperCase() + word.slice(1)))
    .join('')
    .slice(0, 60);
  if (joined === '') return '';
  return isIdentifier(joined) ? joined : `_${joined}`;
}

/** The last part of a dotted name that is no number, with the numbers after it. */
export function lastPart(name: string): string {
  const parts = name.split('.');
  let at = parts.length - 1;
  while (at > 0 && /^\d+$/.test(parts[at]!)) at--;
  return parts.slice(at).join('_');
}

/** The identifiers of a function or of the module. */
export class Identifiers {
  readonly #taken: Set<string>;

  constructor(outer?: Identifiers) {
    this.#taken = new Set(outer ? outer.#taken : reserved);
  }

  take(name: string): void {
    this.#taken.add(name);
  }

  /** A new identifier that begins with this text. */
  make(text: string, fallback = 'value'): string {
    const base = camelCase(text) || fallback;
    let name = base;
    for (let n = 2; this.#taken.has(name); n++) name = /\d$/.test(base) ? `${base}_${n}` : `${base}${n}`;
    this.#taken.add(name);
    return name;
  }
}
