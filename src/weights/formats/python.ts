/** A value of a pickle. Lists are arrays, dictionaries are maps; nothing else of Python exists here. */
export type PyValue = PyScalar | Uint8Array | PyValue[] | PyTuple | PyDict | PySet | PyName | PyOpaque | PyObject;

type PyScalar = null | boolean | number | bigint | string;

/** A tuple: its items cannot change. */
export class PyTuple {
  constructor(readonly items: readonly PyValue[]) {}
}

export class PyDict {
  readonly map = new Map<PyScalar, PyValue>();
  /** Items whose keys are tuples, by the keys as Python prints them. */
  readonly byTuple = new Map<string, PyValue>();

  /** @returns whether Python allows such a key; items whose keys have no text form are left out */
  set(key: PyValue, value: PyValue): boolean {
    if (!isObject(key)) this.map.set(key, value);
    else {
      if (!hashable(key, { left: maxKeyItems })) return false;
      const text = key instanceof PyTuple ? tupleText(key, { left: maxKeyItems }) : undefined;
      if (text !== undefined) this.byTuple.set(text, value);
    }
    return true;
  }

  /** Keys as Python's `str` writes them, with their values. */
  *entries(): Iterable<[string, PyValue]> {
    for (const [key, value] of this.map) yield [scalarText(key), value];
    yield* this.byTuple;
  }
}

export class PySet {}

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
  value !== null && typeof value === 'object';

// Keys may be built to grow without end out of shared tuples.
const maxKeyItems = 64;
const maxKeyText = 1000;

/** Whether Python accepts it as a key. Looks into tuples only as far as keys are read. */
function hashable(key: PyValue, budget: { left: number }): boolean {
  if (Array.isArray(key) || key instanceof PyDict || key instanceof PySet) return false;
  if (!(key instanceof PyTuple)) return true;
  for (const item of key.items) {
    if (--budget.left < 0) return true;
    if (!hashable(item, budget)) return false;
  }
  return true;
}

/** `(1, 'a')`; undefined if the tuple is large, or holds anything but strings and numbers. */
function tupleText(tuple: PyTuple, budget: { left: number }): string | undefined {
  const parts: string[] = [];
  for (const item of tuple.items) {
    if (--budget.left < 0) return undefined;
    const part = item instanceof PyTuple ? tupleText(item, budget) : isObject(item) ? undefined : itemText(item);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(', ')})`;
}

function itemText(item: PyScalar): string | undefined {
  if (typeof item !== 'string') return scalarText(item);
  return item.length <= maxKeyText ? quoted(item) : undefined;
}

const quoted = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
};

const scalarText = (value: PyScalar): string =>
  value === null ? 'None' : typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
