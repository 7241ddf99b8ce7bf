import { canonicalText, PyFloat, type PyScalar, scalarText, stringText } from './python-scalar.js';
import { charactersPerStep, type Work } from './work.js';

/** A value of a pickle. Lists are arrays; nothing else of Python exists here. */
export type PyValue = PyScalar | PyValue[] | PyTuple | PyDict | PySet | PyPlain | PyName | PyOpaque | PyObject;

/** What a tuple is as a key. */
interface TupleKey {
  /** Equal for what Python finds equal. */
  readonly text: string;
  /** As Python prints it. */
  readonly name: string;
  /** Those of tuples in it, too. */
  readonly items: number;
}

// Keys may be built to grow without end out of shared tuples.
const maxKeyItems = 64;
const maxKeyText = 1000;
/** Characters of a string's text that take a step to make. */
const quotedPerStep = 2;

/** A tuple: its items cannot change. */
export class PyTuple {
  #key: TupleKey | 'unnamed' | 'unhashable' | undefined;

  constructor(readonly items: readonly PyValue[]) {}

  /** Otherwise why it has none: it holds more than strings and numbers, or is large; or Python does not allow it. */
  key(work: Work): TupleKey | 'unnamed' | 'unhashable' {
    this.#key ??= this.#makeKey(work);
    return this.#key;
  }

  #makeKey(work: Work): TupleKey | 'unnamed' | 'unhashable' {
    const texts: string[] = [];
    const names: string[] = [];
    let unnamed = false;
    let count = 0;
    for (const item of this.items) {
      // What lies further is not looked at: the key is too large to be named.
      if (++count > maxKeyItems) return 'unnamed';
      if (item instanceof PyTuple) {
        const inner = item.key(work);
        if (inner === 'unhashable') return inner;
        if (inner === 'unnamed') unnamed = true;
        else {
          count += inner.items;
          texts.push(inner.text);
          names.push(inner.name);
        }
      } else if (typeof item === 'string' && item.length <= maxKeyText) {
        work.spend(item.length / quotedPerStep);
        const text = stringText(item);
        texts.push(text);
        names.push(text);
      } else if (typeof item === 'string' || isObject(item)) {
        if (!isHashable(item)) return 'unhashable';
        unnamed = true;
      } else {
        texts.push(canonicalText(item));
        names.push(scalarText(item));
      }
    }
    if (unnamed || count > maxKeyItems) return 'unnamed';
    const [text, name] = [tupleText(texts), tupleText(names)];
    // Before anything makes them whole.
    work.spend((text.length + name.length) / charactersPerStep);
    return { text, name, items: count };
  }
}

const tupleText = (parts: readonly string[]): string =>
  parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(', ')})`;

export const emptyTuple = new PyTuple([]);

/** A number or bool as a key; `name` is Python's text of the first of those that are equal. */
class PyNumber {
  constructor(readonly name: string) {}
}

/**
 * What a key is told apart by: the string, or the first of equal tuples or numbers. V8 hashes numbers without a seed, so that
 * a file could make them collide; texts and objects it cannot.
 */
type Key = string | null | PyTuple | PyNumber;

const stepsPerDict = 24;
const stepsPerItem = 2;
/** Most items of a dictionary. */
const mostItems = 2 ** 20;

export class PyDict {
  // Made with the first item: most dictionaries of hostile files are empty.
  #map: Map<Key, PyValue> | undefined;
  #numbers: Map<string, PyNumber> | undefined;
  #tuples: Map<string, PyTuple> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  has(key: string): boolean {
    return this.#map?.has(key) ?? false;
  }

  /**
   * As in Python, equal keys are one (`1`, `1.0`, `True`): it has the first one's name and the last one's value.
   * @returns why it cannot be set; items whose keys have no text form are left out
   */
  set(key: PyValue, value: PyValue, work: Work): string | undefined {
    if (isObject(key)) {
      if (key === longText) return 'a key of more than 1 MiB';
      if (!(key instanceof PyTuple)) return isHashable(key) ? undefined : unhashable;
      const known = key.key(work);
      if (known === 'unhashable') return unhashable;
      if (known === 'unnamed') return undefined;
      this.#tuples ??= new Map();
      const first = this.#tuples.get(known.text) ?? key;
      if (first === key) this.#tuples.set(known.text, key);
      return this.#put(first, value, work);
    }
    if (key === null || typeof key === 'string') return this.#put(key, value, work);
    const text = canonicalText(key);
    work.spend(text.length / charactersPerStep);
    this.#numbers ??= new Map();
    const known = this.#numbers.get(text);
    const number = known ?? new PyNumber(scalarText(key));
    if (!known) this.#numbers.set(text, number);
    return this.#put(number, value, work);
  }

  #put(key: Key, value: PyValue, work: Work): string | undefined {
    work.spend(this.#map ? stepsPerItem : stepsPerDict);
    this.#map ??= new Map();
    this.#map.set(key, value);
    return this.#map.size > mostItems ? `a dictionary of more than ${mostItems} items` : undefined;
  }

  /** Keys as Python's `str` writes them, with their values. */
  *entries(work: Work): Iterable<[string, PyValue]> {
    for (const [key, value] of this.#map ?? []) {
      // Scalars need no name.
      if (!isObject(value)) {
        yield ['', value];
        continue;
      }
      if (key instanceof PyTuple) yield [(key.key(work) as { name: string }).name, value];
      else yield [key instanceof PyNumber ? key.name : (key ?? 'None'), value];
    }
  }

  /** The items as they are. */
  *[Symbol.iterator](): Iterator<[Key, PyValue]> {
    yield* this.#map ?? [];
  }
}

const unhashable = 'a list, dictionary or set as a key';

export class PySet {}

/** What holds no tensor and has no text: bytes, frozen sets, devices. */
export class PyPlain {}
export const plain = new PyPlain();
/** A string that is too long to be read. */
export const longText = new PyPlain();

/** A global by its name only: no module is ever imported. */
export class PyName {
  constructor(readonly name: string) {}
}

/** An object of a class, or the result of a call, that is not on the list. Only its name is kept. */
export class PyOpaque {
  /** Its state looked like that of a torch.nn.Module. */
  isModule = false;
  constructor(readonly name: string) {}
}

/** Base of what a caller's `reduce` or `persistent` returns. */
export class PyObject {}

export const isObject = (value: PyValue | undefined): value is Exclude<PyValue, PyScalar> =>
  value !== null && typeof value === 'object' && !(value instanceof PyFloat);

const isHashable = (key: PyValue): boolean => !(Array.isArray(key) || key instanceof PyDict || key instanceof PySet);
