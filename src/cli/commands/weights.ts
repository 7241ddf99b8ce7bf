import { constants } from 'node:os';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { TensorRTError } from '../../errors/error.js';
import { isFloat } from '../../values/dtype.js';
import {
  difference,
  loadWeights,
  type Overflow,
  saveSafetensors,
  statistics,
  type Weight,
  type WeightDType,
  type WeightStatistics,
  type Weights,
  weightDTypes,
} from '../../weights/index.js';
import { columns, endWithReader, escapeForTerminal, figure, print, size, withoutPlace } from '../shared/output.js';

const tensorCount = (count: number): string => (count === 1 ? '1 tensor' : `${count} tensors`);

/** `node-tensorrt weights ls|cat|convert|diff`. */
export function weightsCommand(): Command {
  const weights = new Command('weights').description(
    'inspect, convert and compare weight files: safetensors (also sharded), npy, npz, PyTorch checkpoints, .wts',
  );
  weights
    .command('ls')
    .description('list the names, dtypes, shapes and sizes of the tensors')
    .argument('<file>', 'a weight file')
    .option('-f, --filter <pattern>', 'only names that match; * stands for anything')
    .option('-s, --stats', 'also min, max, mean and the number of NaN')
    .option('--json', 'as JSON')
    .action(withoutPlace(list));
  weights
    .command('cat')
    .description('print the elements of a tensor')
    .argument('<file>', 'a weight file')
    .argument('<name>', 'the name of a tensor in it')
    .option('-n, --limit <count>', 'print at most this many elements', wholeNumber, 100)
    .option('--json', 'as JSON')
    .action(withoutPlace(cat));
  weights
    .command('convert')
    .description('write tensors as safetensors')
    .argument('<file>', 'the weight file to convert')
    .argument('<output>', 'a .safetensors file')
    .addOption(new Option('-d, --dtype <dtype>', 'convert float tensors to it').choices(writable))
    .addOption(
      new Option('--overflow <rule>', 'what to do with an element that the dtype cannot hold')
        .choices(['refuse', 'infinity'])
        .default('refuse'),
    )
    .option('-f, --filter <pattern>', 'only names of <file> that match; * stands for anything')
    .option('-r, --rename <from=to>', 'replace leading or trailing parts of names; may be repeated', renaming, {})
    .option('--json', 'as JSON')
    .action(withoutPlace(convert));
  weights
    .command('diff')
    .description('compare two files; exits with 1 if they differ, 2 if they cannot be compared')
    .argument('<file>', 'a weight file')
    .argument('<other>', 'the weight file to compare it with')
    .option('-f, --filter <pattern>', 'only names that match; * stands for anything')
    .option('-t, --tolerance <value>', 'largest absolute difference to ignore', tolerance, 0)
    .option('--json', 'as JSON')
    .option(
      '-r, --rename <from=to>',
      'replace leading or trailing parts of names in both; may be repeated',
      renaming,
      {},
    )
    .action(tryDiff);
  return weights;
}

// Dtypes that safetensors can hold and `as` can convert to.
const writable = weightDTypes.filter((dtype) => !['int4', 'float4e2m1', 'float8e8m0'].includes(dtype));

interface ListOptions {
  filter?: string;
  stats?: boolean;
  json?: boolean;
}

async function list(file: string, options: ListOptions): Promise<void> {
  using weights = await loadWeights(file);
  const rows = matching(weights, options.filter).map((name) => {
    const { dtype, fileDType, shape, byteLength } = weights.info(name);
    const stats: Partial<WeightStatistics> = dtype && options.stats ? statistics(weights.get(name)) : {};
    return { name, dtype: dtype ?? fileDType, shape, bytes: byteLength ?? null, ...stats };
  });
  if (options.json)
    return print(JSON.stringify({ file, metadata: Object.fromEntries(weights.metadata), tensors: rows }, null, 2));
  const head = ['name', 'dtype', 'shape', 'bytes', ...(options.stats ? ['min', 'max', 'mean', 'NaN'] : [])];
  const table: (string | number)[][] = [head];
  for (const row of rows) {
    const cells = [
      escapeForTerminal(row.name),
      escapeForTerminal(shortened(row.dtype)),
      `[${row.shape.join(', ')}]`,
      row.bytes ?? '?',
    ];
    const stats = options.stats ? [figure(row.min), figure(row.max), figure(row.mean), row.nan ?? ''] : [];
    table.push([...cells, ...stats]);
  }
  const bytes = size(rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0));
  if (options.filter === undefined || rows.length) {
    print(columns(table));
    print(`${tensorCount(rows.length)}, ${bytes}`);
  } else print(`none of ${tensorCount(weights.size)} matches '${escapeForTerminal(options.filter)}'`);
}

/** The dtype of a structured array can be pages long. */
const shortened = (dtype: string): string => (dtype.length > 40 ? `${dtype.slice(0, 39)}…` : dtype);

async function cat(file: string, name: string, options: { limit: number; json?: boolean }): Promise<void> {
  using weights = await loadWeights(file);
  const weight = weights.get(name);
  const shown = Math.min(options.limit, weight.size);
  const values = elements(weight, shown);
  if (options.json) {
    const { dtype, shape } = weight;
    return print(JSON.stringify({ name, dtype, shape, elements: weight.size, values: values.map(jsonValue) }));
  }
  print(`${weight.dtype} [${weight.shape.join(', ')}]`);
  print(values.join(' '));
  if (shown < weight.size) print(`… ${weight.size - shown} more`);
}

interface ConvertOptions {
  dtype?: WeightDType;
  overflow: Overflow;
  filter?: string;
  rename: Record<string, string>;
  json?: boolean;
}

async function convert(file: string, output: string, options: ConvertOptions): Promise<void> {
  if (!output.endsWith('.safetensors')) {
    throw new TensorRTError(
      'ERR_WEIGHTS_FILE',
      `convert writes safetensors: expected an output that ends in .safetensors, given ${output}`,
    );
  }
  using source = await loadWeights(file);
  const { readable, others } = sorted(source, options.filter);
  if (readable.size === 0) {
    throw new TensorRTError('ERR_WEIGHTS_NAME', `${file} has no tensors to convert${matchText(options.filter)}`);
  }
  const renamed = source.rename((name) => (readable.has(name) ? name : undefined)).rename(options.rename);
  const tensors = new Map<string, Weight>();
  for (const name of renamed.names()) {
    const weight = renamed.get(name);
    tensors.set(
      name,
      options.dtype && isFloat(weight.dtype) ? weight.converting(options.dtype, options.overflow) : weight,
    );
  }
  warnOfIdle(options.rename, [...readable]);
  // The bar's own graceful exit would leave a partial file behind.
  const bar =
    process.stderr.isTTY && !options.json ? new SingleBar({ format: barFormat, gracefulExit: false }) : undefined;
  let started = false;
  let signal: NodeJS.Signals | undefined;
  const interrupt = (given: NodeJS.Signals): void => {
    signal = given;
  };
  const progress = (written: number, total: number): void => {
    if (signal) throw new TensorRTError('ERR_ABORTED', `${output} was not written: ended by ${signal}`);
    if (!started) bar?.start(total, written);
    else bar?.update(written);
    started = true;
  };
  for (const name of stops) process.on(name, interrupt);
  try {
    await saveSafetensors(output, tensors, Object.fromEntries(source.metadata), progress);
  } catch (error) {
    if (!signal) throw error;
    process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exitCode = 128 + constants.signals[signal];
    return;
  } finally {
    bar?.stop();
    for (const name of stops) process.off(name, interrupt);
  }
  for (const name of others)
    process.stderr.write(`left out: ${escapeForTerminal(name)}, ${source.info(name).fileDType}\n`);
  const bytes = [...tensors.values()].reduce((sum, weight) => sum + weight.byteLength, 0);
  if (options.json) print(JSON.stringify({ output, tensors: tensors.size, bytes, leftOut: others }));
  else print(`${output}: ${tensorCount(tensors.size)}, ${size(bytes)}`);
}

/** Signals that remove the partly written file. */
const stops = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Warns of renamings that change no name. */
function warnOfIdle(renaming: Readonly<Record<string, string>>, names: readonly string[]): void {
  for (const [from, to] of Object.entries(renaming)) {
    const meant = names.some((name) => name === from || name.startsWith(`${from}.`) || name.endsWith(`.${from}`));
    if (!meant)
      process.stderr.write(
        `no name begins or ends with '${escapeForTerminal(from)}': '${escapeForTerminal(`${from}=${to}`)}' changes nothing\n`,
      );
  }
}

const barFormat = '{bar} {percentage}% | {value}/{total} bytes';

/** Matching names, split into tensors that can be read and tensors that can only be listed. */
function sorted(weights: Weights, filter: string | undefined): { readable: Set<string>; others: string[] } {
  const names = matching(weights, filter);
  const others = names.filter((name) => weights.info(name).dtype === undefined);
  const aside = new Set(others);
  return { readable: new Set(names.filter((name) => !aside.has(name))), others };
}

const matchText = (filter: string | undefined): string => (filter === undefined ? '' : ` that match '${filter}'`);

type Difference = { name: string; difference: string; maxAbs?: number | string; count?: number };

interface DiffOptions {
  tolerance: number;
  filter?: string;
  rename: Record<string, string>;
  json?: boolean;
}

/** Exits like diff(1): with 1 if the files differ, 2 if they could not be compared. */
async function tryDiff(file: string, other: string, options: DiffOptions): Promise<void> {
  endWithReader(2);
  try {
    await withoutPlace(diff)(file, other, options);
  } catch (error) {
    if (!(error instanceof TensorRTError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 2;
  }
}

async function diff(file: string, other: string, options: DiffOptions): Promise<void> {
  using first = await loadWeights(file);
  using second = await loadWeights(other);
  const [a, b] = [first.rename(options.rename), second.rename(options.rename)];
  warnOfIdle(options.rename, [...first.names(), ...second.names()]);
  const names = new Set([...matching(a, options.filter), ...matching(b, options.filter)]);
  if (names.size === 0)
    throw new TensorRTError('ERR_WEIGHTS_NAME', `${file} and ${other} have no tensors${matchText(options.filter)}`);
  const found: Difference[] = [];
  const skipped: string[] = [];
  for (const name of names) {
    const result = compare(a, b, name, file, other, options.tolerance);
    if (result === 'skipped') skipped.push(name);
    else if (result) found.push(result);
  }
  if (found.length) process.exitCode = 1;
  else if (skipped.length) process.exitCode = 2;
  const equal = found.length + skipped.length === 0;
  if (options.json) return print(JSON.stringify({ equal, differences: found, notCompared: skipped }, null, 2));
  if (equal) return print(`${tensorCount(names.size)}, all equal`);
  const table = [['name', 'difference']];
  for (const { name, difference } of found) table.push([escapeForTerminal(name), difference]);
  for (const name of skipped) table.push([escapeForTerminal(name), `not compared: ${a.info(name).fileDType}`]);
  print(columns(table));
  const renaming = commonNames(a.names(), b.names());
  if (renaming) print(`no name is in both; try --rename ${escapeForTerminal(renaming)}`);
}

/** The prefix to strip so that the files' names match; undefined if some match already. */
function commonNames(a: readonly string[], b: readonly string[]): string | undefined {
  const all = new Set(a);
  if (b.some((name) => all.has(name))) return undefined;
  for (const [shorter, longer] of [
    [a, b],
    [b, a],
  ] as const) {
    const name = shorter[0]!;
    const found = longer.find((long) => long.endsWith(`.${name}`));
    if (found) return `${found.slice(0, -name.length - 1)}=`;
  }
  return undefined;
}

function compare(
  a: Weights,
  b: Weights,
  name: string,
  file: string,
  other: string,
  tolerance: number,
): Difference | 'skipped' | undefined {
  if (!a.has(name) || !b.has(name)) return { name, difference: `only in ${a.has(name) ? file : other}` };
  const [of, to] = [a.info(name), b.info(name)];
  if (of.shape.join() !== to.shape.join())
    return { name, difference: `shape [${of.shape.join(', ')}], [${to.shape.join(', ')}]` };
  if (!of.dtype && !to.dtype && of.fileDType === to.fileDType) return 'skipped';
  if (!of.dtype || !to.dtype)
    return { name, difference: `dtype ${of.dtype ?? of.fileDType}, ${to.dtype ?? to.fileDType}` };
  const [x, y] = [a.get(name), b.get(name)];
  const { count, maxAbs } = difference(x, y);
  const dtypes = x.dtype === y.dtype ? '' : `dtype ${x.dtype}, ${y.dtype}`;
  const gap = maxAbs === Infinity ? 'some by infinity or NaN on one side' : `by at most ${figure(maxAbs)}`;
  const values = maxAbs > tolerance ? `${count} of ${x.size} elements differ, ${gap}` : '';
  if (!dtypes && !values) return undefined;
  return { name, difference: [dtypes, values].filter(Boolean).join('; '), maxAbs: jsonValue(maxAbs), count };
}

function matching(weights: Weights, filter = '*'): string[] {
  const parts = filter.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 's');
  return weights.names().filter((name) => pattern.test(name));
}

/** The first elements as numbers; 64-bit integers as bigints. */
function elements(weight: Weight, count: number): (number | bigint)[] {
  const { data, dtype } = weight;
  if (dtype === 'int64' || dtype === 'uint64') {
    const values = Array.from(data.subarray(0, count) as BigInt64Array);
    weight.check();
    return values;
  }
  const flat = weight.reshape([weight.size]);
  const packed = dtype === 'int4' || dtype === 'float4e2m1';
  const head = packed || weight.size === 0 ? flat : flat.split([count, weight.size - count])[0]!;
  return Array.from(head.as('float64').data.subarray(0, count) as Float64Array);
}

// JSON has no NaN, no infinities and no integers beyond 2^53.
const jsonValue = (value: number | bigint): number | string =>
  typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
}

function tolerance(text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new InvalidArgumentError('expected a number of at least 0');
  return value;
}

function renaming(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected from=to');
  const [from, to] = [text.slice(0, at), text.slice(at + 1)].map((part) => part.replace(/^\.|\.$/g, '')) as [
    string,
    string,
  ];
  return { ...before, [from]: to };
}
