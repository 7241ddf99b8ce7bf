import { cases } from '../../plans/all.js';
import { runTests } from './vitest.js';

// Runs on arm64, or in an emulator of it: see scripts/prebuild/arm64.mjs.

await import('./machine.js');
await import('../../weights/conversions.test.js');
await import('../../plans/plans.test.js');

const all = Object.keys(cases);
const given = process.argv.slice(2);
/** Every twelfth, so that each file of cases is in it. */
const sample = all.filter((_, i) => i % 12 === 0);
const wanted = new Set(given.includes('--all') ? all : given.length ? given : sample);
const plan = /^a plan is the one .* > (.*)$/;

const { passed, failed } = await runTests((name) => {
  const found = plan.exec(name)?.[1];
  return found === undefined || wanted.has(found);
});
console.log(`${wanted.size} of ${all.length} plans`);
console.log(`${passed} passed, ${failed} failed`);
// What crashed on purpose never ends.
process.exit(failed ? 1 : 0);
