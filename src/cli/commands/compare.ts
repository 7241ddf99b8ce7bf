import { Command, InvalidArgumentError, Option } from 'commander';
import type { Bisection } from '../../compare/bisection.js';
import { type CompareModelsOptions, compareModels, type ModelComparison } from '../../compare/models.js';
import type { OutputComparison } from '../../compare/results.js';
import { type Thresholds, thresholdNames } from '../../compare/thresholds.js';
import { formatShape } from '../../values/dim.js';
import { addBuildFlags, wholeNumber } from '../shared/build-flags.js';
import { type Dims, parseDims, parseProfile, sizesOf } from '../shared/dims.js';
import { addExamples, exitCodes, interruption, UsageError } from '../shared/exit.js';
import { inputHelp, parseInput, readInputs } from '../shared/inputs.js';
import { parseSet } from '../shared/model-file.js';
import {
  colors,
  errorColors,
  escapeForTerminal,
  figure,
  note,
  print,
  printJson,
  reserveOutput,
  table,
  withoutPlace,
} from '../shared/output.js';
import { type OpenedSide, openNamed, parseSide, sideHelp } from '../shared/side.js';
import { modelBuildOptions } from './build.js';

type Limits = Record<string, number>;

interface CompareArguments extends Record<string, unknown> {
  input?: string[];
  dims?: Dims;
  profile?: Dims[];
  set?: Record<string, string>;
  library?: string;
  device?: number;
  depth?: number;
  precision?: CompareModelsOptions['precision'];
  bisect?: boolean;
  json?: boolean;
  max?: Limits;
  mean?: Limits;
  rms?: Limits;
  relative?: Limits;
  cosine?: Limits;
}

/** For all outputs under the empty name. */
function parseLimit(text: string, before: Limits = {}): Limits {
  const at = text.lastIndexOf('=');
  const value = Number(text.slice(at + 1) || 'none');
  if (Number.isNaN(value)) throw new InvalidArgumentError('Expected a number, or output=number.');
  return { ...before, [at > 0 ? text.slice(0, at) : '']: value };
}

const number = (text: string): number => {
  const value = Number(text || 'none');
  if (!(value >= 0)) throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
};

/** `node-tensorrt compare A B` */
export function compareCommand(): Command {
  const command = new Command('compare')
    .description('run two models on the same inputs and compare their outputs; A is the reference')
    .argument('<a>', sideHelp)
    .argument('[b]', 'the same; where it is left out, A on the CPU backend is compared with A on TensorRT')
    .option('--input <name=source>', inputHelp, parseInput)
    .option('--dims <name=sizes>', 'sizes of dynamic dims, or ranges to build for: batch=8, batch=1:8:64', parseDims)
    .option('--profile <name=sizes>', 'a profile to build with; may be repeated', parseProfile)
    .option('--set <name=value>', 'an option of the modules; may be repeated', parseSet)
    .option('--max <limit>', 'largest difference of an element; limit, or output=limit, may be repeated', parseLimit)
    .option('--mean <limit>', 'largest mean of the differences', parseLimit)
    .option('--rms <limit>', 'largest root mean square of the differences', parseLimit)
    .option('--relative <limit>', "largest difference of an element as a share of A's root mean square", parseLimit)
    .option('--cosine <limit>', 'least cosine similarity', parseLimit)
    .option('--depth <layers>', 'layers to allow rounding errors for, where no limit is given', number)
    .addOption(
      new Option('--precision <dtype>', 'coarsest dtype that layers compute in, where no limit is given').choices([
        'float32',
        'tf32',
        'float16',
        'bfloat16',
        'float8e4m3',
        'float4e2m1',
        'int8',
        'int4',
      ]),
    )
    .option('--bisect', 'find the first layer that differs; both sides have to be modules')
    .option('--device <index>', 'GPU that runs engines', wholeNumber)
    .option('--json', 'print the comparison as one JSON object');
  addBuildFlags(command).action(withoutPlace(compare));
  return addExamples(
    command,
    [
      ['node-tensorrt compare model.ts', 'TensorRT beside the CPU backend, on random inputs'],
      [
        'node-tensorrt compare cpu:model.ts x.engine --input x=img.npy',
        'an engine beside the network it was built from',
      ],
      [
        'node-tensorrt compare reference.safetensors x.engine --input reference.safetensors --max 1e-3',
        'an engine beside stored outputs',
      ],
      ['node-tensorrt compare cpu:old.ts tensorrt:new.ts --no-tf32 --bisect', 'the first layer that differs'],
    ],
    'an output differs, or it failed',
  );
}

async function compare(a: string, b: string | undefined, given: CompareArguments): Promise<void> {
  if (given.json) reserveOutput();
  const names = b === undefined ? [`cpu:${a}`, `tensorrt:${a}`] : [a, b];
  const sides = names.map(parseSide);
  if (given.bisect && sides.some(({ kind }) => kind !== 'network')) {
    throw new UsageError('--bisect: expected two modules of networks: engines and stored outputs cannot be cut');
  }
  using interrupt = interruption();
  const { signal } = interrupt;
  const options = { ...modelBuildOptions(given), signal };
  const opened: OpenedSide[] = [];
  try {
    for (const side of sides) opened.push(await openNamed(side, { ...given, options }));
    const compared = await compareSides(opened, given, signal);
    signal.throwIfAborted();
    if (given.json) printJson(report(names, compared));
    else print(text(names, compared));
    if (!compared.agrees) process.exitCode = exitCodes.failed;
  } finally {
    for (const one of opened) one[Symbol.dispose]();
  }
}

async function compareSides(
  [a, b]: readonly OpenedSide[],
  given: CompareArguments,
  signal: AbortSignal,
): Promise<ModelComparison> {
  const inputs = new Map([...a!.inputs, ...b!.inputs].map((one) => [one.name, one]));
  const feeds = await readInputs(given.input ?? [], [...inputs.values()], sizesOf(given.dims));
  const { depth, precision, bisect } = given;
  return await compareModels(a!.side, b!.side, {
    feeds,
    ...thresholds(given),
    ...(depth !== undefined && { depth }),
    ...(precision !== undefined && { precision }),
    ...(bisect && { bisect }),
    onStep(what) {
      signal.throwIfAborted();
      if (bisect) note(errorColors.dim(`running ${escapeForTerminal(what)}`));
    },
  });
}

function thresholds(given: CompareArguments): Pick<CompareModelsOptions, 'thresholds' | 'outputThresholds'> {
  const byOutput = new Map<string, Thresholds>();
  for (const name of thresholdNames) {
    for (const [output, limit] of Object.entries(given[name] ?? {})) {
      byOutput.set(output, { ...byOutput.get(output), [name]: limit });
    }
  }
  const all = byOutput.get('');
  byOutput.delete('');
  return {
    ...(all && { thresholds: all }),
    ...(byOutput.size > 0 && { outputThresholds: Object.fromEntries(byOutput) }),
  };
}

const report = ([a, b]: readonly string[], { agrees, outputs, bisection }: ModelComparison) => ({
  a,
  b,
  agrees,
  outputs,
  ...(bisection && { bisection }),
});

const short = (value: number | undefined): string => (value === undefined ? '' : figure(Number(value.toPrecision(3))));

/** Of a terminal that has room for all figures. */
const wideEnough = 120;

function text([a, b]: readonly string[], { agrees, outputs, bisection }: ModelComparison): string {
  const isWide = (process.stdout.isTTY ? process.stdout.columns : wideEnough) >= wideEnough;
  const figures: [head: string, text: (one: OutputComparison) => string][] = [
    ['max', (one) => short(one.max)],
    ['mean', (one) => short(one.mean)],
    ['rms', (one) => short(one.rms)],
    ['relative', (one) => short(one.relative)],
    ['cosine', (one) => (one.cosine === undefined ? '' : figure(Number(one.cosine.toPrecision(7))))],
    ['median', (one) => short(one.quantiles?.p50)],
    ['99 %', (one) => short(one.quantiles?.p99)],
  ];
  const shown = isWide ? figures : figures.filter(([head]) => ['max', 'relative', 'cosine'].includes(head));
  const rows = outputs.map((one) => [
    one.output,
    ...(isWide ? [typeText(one)] : []),
    one.agrees ? 'agrees' : 'differs',
    ...shown.map(([, text]) => text(one)),
    limitText(one.thresholds),
  ]);
  const head = ['output', ...(isWide ? ['type'] : []), '', ...shown.map(([head]) => head), 'allowed'];
  const first = isWide ? 3 : 2;
  const lines = [
    `A: ${escapeForTerminal(a!)}`,
    `B: ${escapeForTerminal(b!)}`,
    '',
    table(head, rows, { breaks: [0, 1], right: shown.map((_, i) => first + i) }),
  ];
  for (const one of outputs) lines.push(...detailsOf(one, isWide ? [] : figures));
  if (bisection) lines.push('', ...bisectionText(bisection));
  lines.push('', agrees ? colors.green('All outputs agree.') : colors.red('The outputs differ.'));
  return lines.join('\n');
}

function typeText({ a, b }: OutputComparison): string {
  const shown = [a, b].flatMap((one) => (one ? [`${one.dtype}${formatShape(one.shape)}`] : []));
  return [...new Set(shown)].join(' | ');
}

const limitText = (limits: Thresholds): string =>
  Object.entries(limits)
    .map(([name, limit]) => `${name} ${short(limit)}`)
    .join(', ');

/** Why an output differs, what of it is not finite, and how many elements differ by how much. */
function detailsOf(
  one: OutputComparison,
  figures: readonly [head: string, text: (one: OutputComparison) => string][],
): string[] {
  const { output, agrees, reasons, notFinite, histogram } = one;
  const odd = (['a', 'b'] as const).flatMap((side) =>
    Object.entries(notFinite?.[side] ?? {}).map(
      ([kind, { count, first }]) =>
        `${side.toUpperCase()} has ${count} ${kindNames[kind]}, the first at [${first.join(', ')}]`,
    ),
  );
  const lines = [...reasons, ...odd].map((one) => `  ${escapeForTerminal(one)}`);
  if (!agrees && histogram) {
    if (figures.length > 0) lines.push(`  ${figures.map(([head, text]) => `${head} ${text(one)}`).join(', ')}`);
    lines.push(...histogramText(histogram));
  }
  return lines.length > 0 ? ['', `${escapeForTerminal(output)}:`, ...lines] : [];
}

const kindNames: Readonly<Record<string, string>> = {
  nan: 'NaN',
  infinity: 'Infinity',
  negativeInfinity: '-Infinity',
};

const widestBar = 30;

function histogramText(bars: NonNullable<OutputComparison['histogram']>): string[] {
  const most = Math.max(...bars.map(({ count }) => count));
  return bars.map(({ from, to, count }) => {
    const range = to === 0 ? 'equal' : `${from.toExponential()} to ${to.toExponential()}`;
    return `  ${range.padEnd(16)} ${String(count).padStart(10)} ${'▇'.repeat(Math.ceil((widestBar * count) / (most || 1)))}`;
  });
}

function bisectionText({ first, stretch, confirmed, vanished, method, outputs, notes, runs }: Bisection): string[] {
  const lines = [colors.bold('Bisection')];
  if (vanished) lines.push('The difference vanishes when all tensors are outputs, so the network was cut instead.');
  if (!first) lines.push('No layer was found that differs by itself.');
  else {
    const { name, kind, source, differences } = first;
    const at = source ? `, recorded at ${source.file}:${source.line}` : '';
    lines.push(escapeForTerminal(`The first layer that differs is ${kind} '${name}'${at}.`));
    if (stretch.length > 1) lines.push(escapeForTerminal(`It takes these layers together: ${stretch.join(', ')}`));
    for (const one of differences) {
      lines.push(escapeForTerminal(`  ${one.name}: A has ${JSON.stringify(one.a)}, B ${JSON.stringify(one.b)}`));
    }
    if (differences.length === 0 && stretch.length === 1) lines.push('  It is recorded alike in A and B.');
    for (const { output, reasons } of outputs)
      for (const reason of reasons) lines.push(escapeForTerminal(`  ${output}: ${reason}`));
    const how = method === 'marked' ? 'with all tensors as outputs' : 'by cutting the network';
    lines.push(
      `Found ${how}, in ${runs} runs${confirmed ? '; alone, fed with A’s tensors, it differs, too' : '; not confirmed alone'}.`,
    );
  }
  return [...lines, ...notes.map((one) => escapeForTerminal(`Note: ${one}`))];
}
