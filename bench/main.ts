import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// `npm run bench`: runs every benchmark in turn, next to what people use today, and prints ratios within one run.
// `npm run bench recording` runs that one.

const all = ['recording', 'weights', 'weights-build', 'isolate', 'plugins', 'calls', 'gpu'];
/** Of those that are not in the file of their name. */
const files: Readonly<Record<string, string>> = { calls: 'run-calls' };
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark '${unknown.join("', '")}'; there are ${all.join(', ')}`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n${name}`);
  const file = fileURLToPath(new URL(`${files[name] ?? name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
