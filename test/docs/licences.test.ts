import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { licencesPage } from '../../scripts/lib/licences-page.js';

const page = readFileSync(new URL('../../LICENSES.md', import.meta.url), 'utf8');

test('LICENSES.md is as npm run docs:licences makes it', () => {
  expect(page).toBe(licencesPage());
});

test('all of it may be used and passed on by anybody', () => {
  const licences = [...page.matchAll(/^\| \S+ \d\S* \| (.+?) \|/gm)].map(([, licence]) => licence);
  expect(licences.length).toBeGreaterThan(7);
  expect([...new Set(licences)].filter((one) => !['MIT', 'ISC', 'Apache-2.0', 'BSD-3-Clause'].includes(one!))).toEqual(
    [],
  );
});
