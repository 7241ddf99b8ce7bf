import type { Catalogue } from './catalogue.js';
import type { MutantResult } from './runner.js';

/** The results of a run, or of a part of one. */
export interface Results {
  date: string;
  commit: string;
  library: string;
  results: MutantResult[];
}

export interface Known {
  equivalent: Readonly<Record<string, string>>;
  elsewhere: Readonly<Record<string, { runs: string; checkedBy: string }>>;
}

export interface Verdict {
  killed: MutantResult[];
  equivalent: (MutantResult & { reason: string })[];
  elsewhere: (MutantResult & { runs: string; checkedBy: string })[];
  survivors: MutantResult[];
  uncompilable: MutantResult[];
  /** Errors in the list of known mutants. */
  errors: string[];
}

/** Sorts results into the lists. */
export function judge(results: readonly MutantResult[], known: Known, all: Catalogue['all']): Verdict {
  const ids = new Set(all.map(({ id }) => id));
  const listed = [...Object.keys(known.equivalent), ...Object.keys(known.elsewhere)];
  const killed = results.filter(({ state }) => state === 'killed');
  const alive = results.filter(({ state }) => state === 'survived');
  return {
    killed,
    equivalent: alive.flatMap((one) =>
      known.equivalent[one.id] ? [{ ...one, reason: known.equivalent[one.id]! }] : [],
    ),
    elsewhere: alive.flatMap((one) => (known.elsewhere[one.id] ? [{ ...one, ...known.elsewhere[one.id]! }] : [])),
    survivors: alive.filter(({ id }) => !listed.includes(id)),
    uncompilable: results.filter(({ state }) => state === 'uncompilable'),
    errors: [
      ...listed.filter((id) => !ids.has(id)).map((id) => `known.ts lists '${id}', which is no mutant`),
      ...listed.filter((id, i) => listed.indexOf(id) !== i).map((id) => `known.ts lists '${id}' twice`),
      ...killed.filter(({ id }) => listed.includes(id)).map(({ id }) => `known.ts lists '${id}', which a test kills`),
    ],
  };
}

/** Joins the parts of a run. */
export function joinResults(parts: readonly Results[]): Results {
  const [first] = parts;
  if (!first) throw new Error('no results');
  for (const { commit, library } of parts)
    if (commit !== first.commit || library !== first.library)
      throw new Error(`parts of different runs: ${first.commit} on ${first.library}, ${commit} on ${library}`);
  const byId = new Map(parts.flatMap(({ results }) => results).map((one) => [one.id, one]));
  return {
    ...first,
    date: parts
      .map(({ date }) => date)
      .sort()
      .at(-1)!,
    results: [...byId.values()],
  };
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (id: string): string => `\`${cell(id)}\``;
const rows = (lines: readonly string[]): string => (lines.length ? lines.join('\n') : 'None.');
const table = (head: string, lines: readonly string[]): string =>
  lines.length ? `| ${head} |\n|${' --- |'.repeat(head.split('|').length)}\n${lines.join('\n')}` : 'None.';

/** docs/mutants.md. */
export function reportText({ date, commit, library, results }: Results, verdict: Verdict): string {
  const { killed, equivalent, elsewhere, survivors, uncompilable } = verdict;
  const tiers = new Map<string, number>();
  for (const one of killed)
    for (const tier of one.tiers.length ? one.tiers : [one.note ?? 'crash'])
      tiers.set(tier, (tiers.get(tier) ?? 0) + 1);
  const noticed = [...tiers].sort((a, b) => b[1] - a[1]).map(([tier, count]) => `${tier} ${count}`);
  const unexpected = [
    ...(survivors.length
      ? [`## Survivors\n\nNo test notices these.\n\n${rows(survivors.map(({ id }) => `- ${code(id)}`))}`]
      : []),
    ...(uncompilable.length
      ? [
          `## Not compiled\n\n${table(
            'mutant | compiler',
            uncompilable.map(({ id, failure }) => `| ${code(id)} | ${cell(failure ?? '')} |`),
          )}`,
        ]
      : []),
  ];
  return `${[
    '# Mutants',
    '`npm run mutants` wrote this file. It breaks the lowering, the build options or the CPU mappings in one place, compiles, and runs the tests of that kind; a test must fail.',
    `${date}, commit ${commit}, ${library}: ${results.length} mutants, ${killed.length} killed, ${equivalent.length} equivalent, ${elsewhere.length} reached by other releases only, ${survivors.length} survived, ${uncompilable.length} not compiled.`,
    `Noticed by (a mutant may be noticed by several): ${noticed.join(', ') || 'none'}.`,
    ...unexpected,
    '## Killed',
    table(
      'mutant | noticed by',
      killed.map(({ id, tiers, note }) => `| ${code(id)} | ${cell([...tiers, ...(note ? [note] : [])].join(', '))} |`),
    ),
    '## Equivalent',
    table(
      'mutant | why no test can notice it',
      equivalent.map(({ id, reason }) => `| ${code(id)} | ${cell(reason)} |`),
    ),
    '## Reached by other releases only',
    table(
      'mutant | release | checked by',
      elsewhere.map(({ id, runs, checkedBy }) => `| ${code(id)} | ${cell(runs)} | ${cell(checkedBy)} |`),
    ),
  ].join('\n\n')}\n`;
}
