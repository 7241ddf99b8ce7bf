import { readdirSync } from 'node:fs';
import type { PlanCases } from './case.js';

const folder = new URL('cases/', import.meta.url);
// scripts/prebuild/arm64.mjs runs them compiled.
const files = readdirSync(folder).filter((file) => /\.[jt]s$/.test(file));

/** Every case by its name. */
export const cases: PlanCases = {};
for (const file of files.sort()) {
  const { cases: some } = (await import(new URL(file, folder).href)) as { cases: PlanCases };
  for (const [name, one] of Object.entries(some)) {
    if (name in cases) throw new Error(`two cases are called ${name}`);
    cases[name] = one;
  }
}
