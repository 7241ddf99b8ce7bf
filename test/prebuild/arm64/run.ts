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

const noCollectives = "NVIDIA's library for arm64 refuses the layer: not supported in this configuration";
const otherNames =
  "NVIDIA's library for arm64 names a fused kernel in another order (MoveLtMul, on x86-64 MoveMulLt); what it was told is the same";
/** Cases whose plans differ for reasons of NVIDIA's library. */
const excepted: Readonly<Record<string, string>> = {
  dist_collective: noCollectives,
  dist_collective_sizes: noCollectives,
  activation: otherNames,
  activation_names: otherNames,
  parametric_relu: otherNames,
};

const { passed, failed, skipped, unexpected } = await runTests(
  (name) => {
    const found = plan.exec(name)?.[1];
    return found === undefined || wanted.has(found);
  },
  (name) => excepted[plan.exec(name)?.[1] ?? ''],
);
console.log(`${wanted.size} of ${all.length} plans`);
console.log(`${passed} passed, ${failed + unexpected} failed, ${skipped} skipped`);
// What crashed on purpose never ends.
process.exit(failed + unexpected ? 1 : 0);
