import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { root } from './paths.js';

// Figures of docs/why.md, drawn from what benchmarks stored: docs/gpu-bench.json, and the tables of docs/benchmarks.md.

interface Suite {
  head: string[];
  rows: string[][];
  gpu: string;
  library: string;
  date: string;
}

const { document } = parseHTML('<html></html>');
const bench = JSON.parse(readFileSync(join(root, 'docs/gpu-bench.json'), 'utf8')) as Record<string, Suite>;
const number = (text: string) => Number(text.replaceAll(',', '').replace('−', '-'));
/** `0.98 – 1.02` as two numbers. */
const range = (text: string) => text.split(' – ').map(number) as [number, number];

function suite(name: string): { rows: Record<string, string>[]; source: string } {
  const one = bench[name];
  if (!one) throw new Error(`docs/gpu-bench.json has no '${name}'`);
  const rows = one.rows.map((row) => Object.fromEntries(one.head.map((title, i) => [title, row[i] ?? ''])));
  return { rows, source: `${one.gpu.split(',')[0]}, ${one.library}, ${one.date.slice(0, 10)}` };
}

/** Rows of the table in docs/benchmarks.md that follows a heading, by the titles of its columns. */
function table(heading: string): string[][] {
  const page = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8');
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  if (!section) throw new Error(`docs/benchmarks.md has no section '${heading}'`);
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines
    .filter((line) => !/^\| -/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}

/** Colours of the theme, which has one set for light pages and one for dark. */
const ours = 'var(--plot-ours)';
const theirs = 'var(--plot-theirs)';

function figure(title: string, source: string, options: Plot.PlotOptions): string {
  const style = { fontSize: '13px', background: 'none', overflow: 'visible' };
  const drawn = Plot.plot({ width: 680, ...options, style, document: document as unknown as Document });
  const svg = drawn.outerHTML
    .replace(/<style>.*?<\/style>/gs, '')
    .replace('<svg', `<svg role="img" aria-label="${title}"`);
  return `<figure class="plot">\n<figcaption><strong>${title}</strong></figcaption>\n${svg}\n<figcaption>${source}</figcaption>\n</figure>`;
}

/** Bars of ours and others, with the value at the end of each. */
function bars(rows: { who: string; value: number; group: string; isOurs: boolean }[], label: string): Plot.PlotOptions {
  return {
    marginLeft: 175,
    marginRight: 60,
    height: 80 + rows.length * 30,
    marginBottom: 48,
    x: { label, labelOffset: 40, grid: true, labelAnchor: 'center', labelArrow: 'none', ticks: 6 },
    y: { label: null, domain: [...new Set(rows.map(({ who }) => who))] },
    fy: { label: null },
    marks: [
      Plot.barX(rows, { x: 'value', y: 'who', fy: 'group', fill: (row) => (row.isOurs ? ours : theirs) }),
      Plot.text(rows, {
        x: 'value',
        y: 'who',
        fy: 'group',
        text: ({ value }) => value.toLocaleString('en'),
        textAnchor: 'start',
        dx: 4,
      }),
      Plot.ruleX([0]),
    ],
  };
}

/** A line from the least ratio to the most, for each row. Left of 1, ours is faster. */
const ratios = (
  rows: { what: string; least: number; most: number; group?: string }[],
  label: string,
): Plot.PlotOptions => ({
  marginLeft: 250,
  marginRight: 70,
  height: 80 + rows.length * 24,
  marginBottom: 48,
  x: { label, labelOffset: 40, grid: true, labelAnchor: 'center', labelArrow: 'none', zero: true, ticks: 6 },
  y: { label: null, domain: [...new Set(rows.map(({ what }) => what))] },
  fy: { label: null },
  marks: [
    Plot.ruleX([1], { stroke: 'currentColor', strokeDasharray: '4 3' }),
    Plot.ruleY(rows, {
      x1: 'least',
      x2: 'most',
      y: 'what',
      ...(rows[0]?.group === undefined ? {} : { fy: 'group' }),
      stroke: ours,
      strokeWidth: 8,
      strokeLinecap: 'round',
    }),
  ],
});

export const plots: Readonly<Record<string, () => string>> = {
  gpt2() {
    const alternating = suite('gpt2');
    const rows = [...alternating.rows, ...suite('gpt2-torch').rows]
      .map((row) => ({
        who: row.who === 'ours' ? 'node-tensorrt' : row.who!,
        value: number(row['tokens/s']!),
        group: row.dtype!,
        isOurs: row.who === 'ours',
      }))
      .sort((a, b) => b.value - a.value);
    return figure('GPT-2 small, greedy, batch 1', alternating.source, bars(rows, 'tokens per second'));
  },

  latency() {
    const { rows, source } = suite('latency');
    const drawn = rows
      .filter((row) => row.network === 'ResNet-50' && row.dtype === 'float32')
      .map((row) => {
        const [least, most] = range(row['80 % of pairs']!);
        return { what: row.ours!, least, most, group: `batch ${row.batch}` };
      });
    return figure(
      'ResNet-50 in float32: the time of a run',
      source,
      ratios(drawn, 'node-tensorrt / C++ (80 % of 20 pairs of runs)'),
    );
  },

  cache() {
    const { rows, source } = suite('cache');
    const drawn = rows.flatMap((row) => [
      { who: 'built', value: number(row['built, s']!), group: row.network!, isOurs: false },
      { who: 'from the cache', value: number(row['from the cache, s']!), group: row.network!, isOurs: true },
    ]);
    return figure('From a file of weights to the first outputs', source, bars(drawn, 'seconds'));
  },

  recording() {
    const [head, ...rows] = table('recording');
    const drawn = rows.map((row) => {
      const [least, most] = range(row[1]!);
      return { what: row[0]!.replace(/,? ?\(as we do\)/, ''), least, most };
    });
    if (head?.[1] !== 'mixed layers') throw new Error('the first column of figures is no longer that of mixed layers');
    return figure(
      'Recording 1,000 layers and lowering them to TensorRT',
      'TensorRT-RTX 1.7.1, 2 cores, no GPU, 2026-11-21',
      ratios(
        drawn.map((row) => ({ ...row, what: row.what.replace('names layers and tensors, reads', 'names, reads') })),
        'node-tensorrt / Python (range of several runs)',
      ),
    );
  },

  weights() {
    const names = {
      'open a safetensors file of 2 GB and get every tensor': 'open 2 GB, get every tensor',
      'the same, and copy every tensor': 'the same, and copy every tensor',
      'float32 to float16': 'float32 to float16, 1 GB',
      'float32 to bfloat16': 'float32 to bfloat16, 1 GB',
    };
    const rows = table('weights').slice(1);
    const drawn = Object.entries(names).map(([begin, what]) => {
      const row = rows.find(([text]) => text!.startsWith(begin));
      if (!row) throw new Error(`the table of weights has no row '${begin}'`);
      const [least, most] = range(row[1]!);
      return { what, least, most };
    });
    return figure(
      'Reading and converting weights',
      '2 cores, 2026-11-21',
      ratios(drawn, 'node-tensorrt / Python (range of several runs)'),
    );
  },
};
