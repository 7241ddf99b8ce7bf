import { expectation, type SchemaIssue, show } from './wording.js';

export type { SchemaIssue } from './wording.js';

const isPlain = (value: object): boolean =>
  [Object.prototype, null].includes(Object.getPrototypeOf(value)) || Array.isArray(value);

/**
 * What schemas are to look at: zod counts enumerable properties that a script added to Object.prototype. Nothing is copied
 * where there are none.
 */
export function ownOnly<T>(value: T): T {
  for (const _ in Object.prototype) return withoutPrototype(value) as T;
  return value;
}

function withoutPrototype(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  if (Array.isArray(value)) return value.map(withoutPrototype);
  return Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutPrototype(entry)])),
  );
}

/** What a schema found wrong, as facts: the option, what was expected and what was given. */
export function issueFacts(
  issue: SchemaIssue,
  root: unknown,
): { option?: string; said: string; expected: string; actual: unknown } {
  let actual = root;
  for (const key of issue.path) actual = (actual as Record<PropertyKey, unknown> | undefined)?.[key];
  // Indices are left out, because one number may stand for a whole list.
  const keys = issue.path.filter((key) => typeof key === 'string');
  const expected = expectation(issue);
  return {
    option: keys.length > 0 ? keys.join('.') : undefined,
    said: `expected ${expected}, given ${show(actual)}`,
    expected,
    actual,
  };
}
