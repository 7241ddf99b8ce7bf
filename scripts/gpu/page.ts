// Renders docs/gpu-results.md from docs/gpu-results.json.
import { join } from 'node:path';
import { type Bench, benchText, readBench } from './bench.js';
import { type ByHand, type Figure, isStale, type Results, type Row, type Run, root, type Tier } from './results.js';

export const docsFile = join(root, 'docs', 'gpu-results.md');

const intro = `# Results on a GPU

\`npm run test:gpu -- --report\` writes what it finds into \`gpu-results.json\`, from which \`npm run docs:gpu\` renders this page; a test keeps
them equal. Each result is the newest of its suite and library. The letter is its run. † marks a result that is older than
the code it speaks of: \`src\`, \`native\` or the suite's own files have changed since.
`;

const float16 = `
## Float16

TensorRT 10.6 sums products of float16 in float16 unless \`useFp32Acc\` is set, which only matrix products have: \`bert\` and \`gpt2\` use it,
\`hrnet\` keeps its first stages in float32 and \`yolov8\` its backbone. \`engine.inspect()\` names the kernel, and with it the accumulator
(\`…f16f16_f16f32_f32…\`): test/gpu/inspect.test.ts compares the two.
`;

const notRun = `
## Not covered

- A kind that TensorRT 10.6 lacks runs as the layers that stand in for it, or is expected to be refused by the error that names the release
  which has it ([layers.md](layers.md)). Later releases have no kernels for an H200 in public archives: networks are made and compared
  there, and nothing is built.
- TensorRT-RTX runs no engine on compute capability 9.0.
`;

const layersFile = 'test/gpu/layers.test.ts';
const tiers: Record<Tier, string> = { run: 'built and run', networks: 'network made' };

/** A Markdown table; nothing if it would have no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

const section = (title: string, body: string) => (body ? `\n## ${title}\n\n${body}` : '');

const short = (commit: string) => commit.slice(0, 7);

/** A to Z, then AA. */
const letter = (index: number): string =>
  (index < 26 ? '' : letter(Math.floor(index / 26) - 1)) + String.fromCharCode(65 + (index % 26));

function number(value: Figure['value']): string {
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) < 0.01 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

function runsTable(runs: readonly (readonly [string, Run])[], letters: Map<string, string>): string {
  const rows = runs.map(([id, run]) => [
    letters.get(id)!,
    run.date.slice(0, 16).replace('T', ' '),
    `${short(run.commit)}${run.dirty ? ', changed' : ''}`,
    run.gpu,
    `${run.driver}, CUDA ${run.cuda}`,
    Object.entries(run.libraries)
      .map(([name, path]) => `${name} (\`${path}\`)`)
      .join(', '),
    `${run.os}, Node ${run.node}`,
    `\`${run.command}\``,
    `${run.seconds} s`,
  ]);
  return table(['run', 'date (UTC)', 'commit', 'GPU', 'driver', 'library', 'system', 'command', 'took'], rows);
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** Describes the counts of some rows. */
function counted(rows: readonly Row[]): string {
  const sum = (key: 'passed' | 'failed' | 'skipped' | 'unfinished') => rows.reduce((all, row) => all + row[key], 0);
  const rest = [
    [sum('failed'), 'failed'],
    [sum('skipped'), 'skipped'],
    [sum('unfinished'), 'not reached'],
  ] as const;
  return [`${sum('passed')} passed`, ...rest.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`)].join(', ');
}

const byLibrary = (rows: readonly Row[]) =>
  groupBy(rows, (row) => `${row.library || 'no library'}, ${tiers[row.tier]}`);

/** Totals per library, with what was read back from it. */
function totals(rows: readonly Row[], stale: ReadonlySet<Row>): string {
  return [...byLibrary(rows)]
    .map(([name, own]) => {
      const back = own.flatMap(({ readBack }) => readBack ?? []);
      const sum = (key: 'cases' | 'passed') => back.reduce((all, one) => all + one[key], 0);
      const readBack = back.length > 0 ? `; read back: ${sum('cases')} cases, ${sum('passed')} passed` : '';
      const old = own.filter((row) => stale.has(row)).length;
      const mark = old > 0 ? `; ${old} of ${own.length} suites †` : '';
      return `- ${name}: ${counted(own)}${readBack}${mark}\n`;
    })
    .join('');
}

export function page(results: Results, isOld: (row: Row) => boolean = isStale, bench: Bench = readBench()): string {
  const { rows, byHand } = results;
  const runs = Object.entries(results.runs);
  const letters = new Map(runs.map(([id], index) => [id, letter(index)]));
  const stale = new Set(rows.filter(isOld));
  const mark = (row: Row) => `${letters.get(row.run)}${stale.has(row) ? ' †' : ''}`;
  const cell = (row: Row | undefined) => (row ? `${counted([row])} ${mark(row)}` : '');

  const layers = rows.filter(({ file }) => file === layersFile);
  const columns = [...byLibrary(layers).keys()];
  const layerRows = [...groupBy(layers, ({ suite }) => suite)].map(([suite, own]) => {
    const named = new Map([...byLibrary(own)].map(([name, [row]]) => [name, row]));
    const differences = own.flatMap(({ figures }) => Object.values(figures ?? {}).map(({ value }) => Number(value)));
    return [
      suite,
      ...columns.map((name) => cell(named.get(name))),
      differences.length ? number(Math.max(...differences)) : '',
    ];
  });

  const others = rows.filter(({ file }) => file !== layersFile);
  const figures = others.flatMap((row) =>
    Object.entries(row.figures ?? {}).map(([name, { value, allowed }]) => {
      const limit = allowed === undefined ? '' : number(allowed);
      return [row.suite, name, number(value), limit, row.library, mark(row)];
    }),
  );
  const failures = [
    ...rows.flatMap((row) =>
      (row.failures ?? []).map((text) => `- ${row.suite}, ${row.library || 'no library'}, ${mark(row)}: ${text}\n`),
    ),
    ...runs.flatMap(([id, { errors }]) => errors.map((text) => `- ${letters.get(id)}: ${text}\n`)),
  ];
  return [
    intro,
    section('Runs', runsTable(runs, letters)),
    section('In all', totals(rows, stale)),
    section('Failures', failures.join('')),
    section('Figures', table(['suite', 'figure', 'value', 'allowed', 'library', 'run'], figures)),
    section('The runtime', benchIntro(benchText(bench, table))),
    section(
      'Suites',
      table(
        ['suite', 'library', 'tests'],
        others.map((row) => [row.suite, row.library, cell(row)]),
      ),
    ),
    section(
      'Layers and modules',
      layerRows.length ? layersIntro + table(['kind or module', ...columns, 'difference'], layerRows) : '',
    ),
    section('Recorded by hand', byHand.length ? handIntro + handTable(byHand) : ''),
    float16,
    notRun,
  ].join('');
}

const benchIntro = (text: string) =>
  text &&
  `Written by \`bench/gpu/run.sh\` ([benchmarks.md](benchmarks.md)), never by hand: \`npm run docs:gpu -- --bench gpu-bench.json\` merges its reports.

${text}`;

const layersIntro = `Every case of \`test/layers\` and \`test/modules\`. Built and run: the results are compared with PyTorch's or numpy's at the tolerances
of the CPU tier; the last column is the largest difference over what is allowed. Network made: TensorRT's dtypes and shapes are
compared with ours.

`;

const handIntro = `From before runs wrote their results: typed, older than the code (†), and gone once a run has replaced them. One NVIDIA H200, driver
580.159.04 (CUDA 13.0), Ubuntu 24.04, Node 20.20.2.

`;

const handTable = (rows: readonly ByHand[]) =>
  table(
    ['date', 'commit', 'library', 'command', 'result'],
    rows.map((row) => [
      row.date,
      row.commit,
      `${row.library}, ${tiers[row.tier]}`,
      `\`${row.command}\``,
      `${row.result} †`,
    ]),
  );
