/** An object with these keys, as Object.fromEntries makes it. */
export function recordOf<T>(keys: readonly string[], values: readonly T[]): Record<string, T> {
  const record: Record<string, T> = {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key === '__proto__') Object.defineProperty(record, key, { value: values[i], ...open });
    else record[key] = values[i]!;
  }
  return record;
}

const open = { writable: true, enumerable: true, configurable: true };

/** Whether a value is an object that is no list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
