// npm run mutants: breaks the lowering, the build options and the CPU mappings in one place at a time, and runs the tests of that kind.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { findTensorRT } from '../../src/index.js';
import { catalogue, type Mutant } from './catalogue.js';
import * as known from './known.js';
import { joinResults, judge, type Results, reportText } from './report.js';
import { baseline, type MutantResult, Runner } from './runner.js';
import { type Step, stepKey, TestTable } from './tests.js';
import { commitOf, removeStale, Workspace } from './workspace.js';

interface Options {
  only?: RegExp;
  all?: true;
  list?: true;
  jobs: number;
  json?: string;
  shard?: [number, number];
  from?: string[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const reportPath = join(root, 'docs', 'mutants.md');

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return number;
}

function shard(text: string): [number, number] {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!of || Number(index) < 1 || Number(index) > Number(of)) throw new InvalidArgumentError('expected i/n, e.g. 1/3.');
  return [Number(index), Number(of)];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError('expected a regular expression.');
  }
}

const options: Options = new Command('mutants')
  .description('Breaks the code one place at a time and runs the tests that should notice.')
  .option('--only <pattern>', 'run only mutants whose id matches, out of all', pattern)
  .option('--all', 'run every mutant, not a few per file')
  .option('--list', 'print the ids and stop')
  .option('--jobs <n>', 'number of copies of the tree to work in', count, Math.max(1, Math.floor(cpus().length / 2)))
  .option('--json <file>', 'write the results to a file')
  .option('--shard <i/n>', 'run one of n parts', shard)
  .option('--from <files...>', 'run nothing; write the report from results that --json wrote')
  .parse()
  .opts();

const { all, chosen } = catalogue(root);
const say = (text: string) => process.stderr.write(`${text}\n`);

function selected(): Mutant[] {
  const { only, shard } = options;
  const list = only ? all.filter(({ id }) => only.test(id)) : options.all ? all : chosen;
  return shard ? list.filter((_, i) => i % shard[1] === shard[0] - 1) : list;
}

/** Keeps the mutants of a file together, so that one file is compiled between them, not two. */
function byTarget(mutants: readonly Mutant[]): Mutant[][] {
  const groups = new Map<string, Mutant[]>();
  for (const mutant of mutants) groups.set(mutant.target.path, [...(groups.get(mutant.target.path) ?? []), mutant]);
  return [...groups.values()];
}

const uniqueSteps = (mutants: readonly Mutant[], table: TestTable): Step[] => [
  ...new Map(mutants.flatMap((one) => table.stepsFor(one)).map((step) => [stepKey(step), step])).values(),
];

const colors = { killed: pc.green, survived: pc.red, uncompilable: pc.yellow } as const;

async function run(mutants: readonly Mutant[]): Promise<MutantResult[]> {
  removeStale();
  const table = new TestTable(root);
  const queue = byTarget(mutants);
  const workspaces = Array.from({ length: Math.min(options.jobs, queue.length) }, () => new Workspace(root));
  try {
    say(`compiling ${workspaces.length === 1 ? 'a copy' : `${workspaces.length} copies`} in ${workspaces[0]!.root} …`);
    for (const workspace of workspaces) await workspace.compileAll();
    say('running the tests of the unbroken tree …');
    const limits = await baseline(workspaces[0]!, uniqueSteps(mutants, table), say);
    const results: MutantResult[] = [];
    await Promise.all(
      workspaces.map(async (workspace) => {
        const runner = new Runner(workspace, table, limits);
        let last: Mutant | undefined;
        for (let group = queue.shift(); group; group = queue.shift()) {
          for (const mutant of group) {
            const result = await runner.run(mutant);
            results.push(result);
            last = mutant;
            const by = [...result.tiers, ...(result.note ? [result.note] : [])].join(', ');
            const at = String(results.length).padStart(String(mutants.length).length);
            say(
              `[${at}/${mutants.length}] ${colors[result.state](result.state.padEnd(8))} ${mutant.id}${by && ` (${by})`} ${result.seconds} s`,
            );
          }
        }
        if (last) await runner.finish(last);
      }),
    );
    const order = new Map(mutants.map(({ id }, i) => [id, i]));
    return results.sort((a, b) => order.get(a.id)! - order.get(b.id)!);
  } finally {
    for (const workspace of workspaces) workspace.dispose();
  }
}

async function libraryName(): Promise<string> {
  const found = (await findTensorRT()).find((one) => one.usableFor.build);
  return found ? `${found.flavor === 'rtx1' ? 'TensorRT-RTX' : 'TensorRT'} ${found.version}` : 'no TensorRT';
}

const readResults = (path: string): Results => JSON.parse(readFileSync(path, 'utf8'));

async function main(): Promise<void> {
  const mutants = selected();
  if (options.list) {
    for (const { id } of mutants) console.log(id);
    return;
  }
  if (mutants.length === 0 && !options.from) throw new Error('no mutant has such an id: --list prints them');
  const commit = commitOf(root);
  const results: Results = options.from
    ? joinResults(options.from.map(readResults))
    : {
        date: new Date().toISOString().slice(0, 10),
        commit,
        library: await libraryName(),
        results: await run(mutants),
      };
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);

  const verdict = judge(results.results, known, all);
  const done = new Set(results.results.map(({ id }) => id));
  const missing = chosen.filter(({ id }) => !done.has(id));
  if (missing.length === 0) writeFileSync(reportPath, reportText(results, verdict));
  else if (options.from) throw new Error(`${missing.length} mutants were not run, the first is '${missing[0]!.id}'`);

  const { killed, equivalent, elsewhere, survivors, uncompilable, errors } = verdict;
  for (const { id } of survivors) say(pc.red(`SURVIVED: ${id}`));
  for (const { id, failure } of uncompilable) say(pc.yellow(`does not compile: ${id}: ${failure}`));
  for (const error of errors) say(pc.red(error));
  say(
    `${killed.length} killed, ${equivalent.length} equivalent, ${elsewhere.length} reached by other releases only, ${survivors.length} survived, ${uncompilable.length} not compiled`,
  );
  if (survivors.length + uncompilable.length + errors.length) process.exitCode = 1;
}

// A signal ends the process through its exit handlers, which remove the copies.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => process.exit(code));

await main().catch((error: Error) => {
  say(pc.red(error.message));
  process.exitCode = 1;
});
