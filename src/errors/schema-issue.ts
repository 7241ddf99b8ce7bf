import { expectation, type SchemaIssue, show } from './wording.js';

export type { SchemaIssue } from './wording.js';

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
