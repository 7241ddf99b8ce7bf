/** Sorted by name. */
export const entries = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * Plain data as text: JSON with sorted names, but for numbers that JSON lacks. Other data has another text. What is undefined is
 * absent.
 */
export function text(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${Array.from(value, text).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const given = entries(value as Readonly<Record<string, unknown>>).filter(([, one]) => one !== undefined);
  return `{${given.map(([key, one]) => `${JSON.stringify(key)}:${text(one)}`).join()}}`;
}
