import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  difference,
  loadWeights,
  saveSafetensors,
  statistics,
  type Weight,
  type WeightDType,
  type WeightStatistics,
  type Weights,
  weightDTypes,
} from '../weights/index.js';

/** `node-tensorrt weights ls|cat|convert|diff`. */
export function weightsCommand(): Command {
  const weights = new Command('weights').description(
    'look into weight files: safetensors (also sharded), npy, npz, PyTorch checkpoints, .wts',
  );
  weights
    .command('ls')
    .description('names, dtypes, shapes and sizes of the tensors')
    .argument('<file>')
    .option('-f, --filter <pattern>', 'only names that match; * stands for anything')
    .option('-s, --stats', 'also min, max, mean and the number of NaN')
    .option('--json', 'as JSON')
    .action(list);
  weights
    .command('cat')
    .description('elements of a tensor')
    .argument('<file>')
    .argument('<name>')
    .option('-n, --limit <count>', 'at most so many elements', wholeNumber, 100)
    .option('--json', 'as JSON')
    .action(cat);
  weights
    .command('convert')
    .description('write tensors as safetensors')
    .argument('<file>')
    .argument('<output>')
    .addOption(new Option('-d, --dtype <dtype>', 'convert float tensors to it').choices(weightDTypes))
    .option('-f, --filter <pattern>', 'only names that match; * stands for anything')
    .option('-r, --rename <from=to>', 'replace leading or trailing parts of names; may be repeated', renaming, {})
    .option('--json', 'as JSON')
    .action(convert);
  weights
    .command('diff')
    .description('compare two files; exits with 1 where they differ')
    .argument('<file>')
    .argument('<other>')
    .option('-t, --tolerance <value>', 'largest absolute difference to overlook', tolerance, 0)
    .option('--json', 'as JSON')
    .action(diff);
  return weights;
}

interface ListOptions {
  filter?: string;
  stats?: boolean;
  json?: boolean;
}

async function list(file: string, options: ListOptions): Promise<void> {
  using weights = await loadWeights(file);
  const rows = matching(weights, options.filter).map((name) => {
    const { dtype, fileDType, shape } = weights.info(name);
    const weight = dtype && weights.get(name);
    const stats: Partial<WeightStatistics> = weight && options.stats ? statistics(weight) : {};
    return { name, dtype: dtype ?? fileDType, shape, bytes: weight?.byteLength ?? 0, ...stats };
  });
  if (options.json)
    return print(JSON.stringify({ file, metadata: Object.fromEntries(weights.metadata), tensors: rows }, null, 2));
  const head = ['name', 'dtype', 'shape', 'bytes', ...(options.stats ? ['min', 'max', 'mean', 'NaN'] : [])];
  const table = plainTable(head);
  for (const row of rows) {
    const cells = [row.name, row.dtype, `[${row.shape.join(', ')}]`, row.bytes];
    const stats = options.stats ? [figure(row.min), figure(row.max), figure(row.mean), row.nan ?? ''] : [];
    table.push([...cells, ...stats]);
  }
  print(table.toString());
  print(`${rows.length} tensors, ${size(rows.reduce((sum, row) => sum + row.bytes, 0))}`);
}

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
  filter?: string;
  rename: Record<string, string>;
  json?: boolean;
}

async function convert(file: string, output: string, options: ConvertOptions): Promise<void> {
  using source = await loadWeights(file);
  const tensors = new Map<string, Weight>();
  const renamed = source.rename(options.rename);
  for (const name of matching(renamed, options.filter)) {
    const weight = renamed.get(name);
    tensors.set(name, options.dtype && isFloat(weight.dtype) ? weight.as(options.dtype) : weight);
  }
  const bar =
    process.stderr.isTTY && !options.json
      ? new SingleBar({ format: '{bar} {percentage}% | {value}/{total} bytes' })
      : undefined;
  bar?.start(1, 0);
  try {
    await saveSafetensors(output, tensors, Object.fromEntries(source.metadata), (written, total) => {
      bar?.setTotal(total);
      bar?.update(written);
    });
  } finally {
    bar?.stop();
  }
  const bytes = [...tensors.values()].reduce((sum, weight) => sum + weight.byteLength, 0);
  if (options.json) print(JSON.stringify({ output, tensors: tensors.size, bytes }));
  else print(`${output}: ${tensors.size} tensors, ${size(bytes)}`);
}

type Difference = { name: string; difference: string; maxAbs?: number | string; count?: number };

async function diff(file: string, other: string, options: { tolerance: number; json?: boolean }): Promise<void> {
  using a = await loadWeights(file);
  using b = await loadWeights(other);
  const found: Difference[] = [];
  for (const name of new Set([...a.names(), ...b.names()])) {
    const result = compare(a, b, name, file, other, options.tolerance);
    if (result) found.push(result);
  }
  if (found.length) process.exitCode = 1;
  if (options.json) return print(JSON.stringify({ equal: found.length === 0, differences: found }, null, 2));
  if (found.length === 0) return print(`${a.size} tensors, all equal`);
  const table = plainTable(['name', 'difference']);
  for (const { name, difference } of found) table.push([name, difference]);
  print(table.toString());
}

function compare(
  a: Weights,
  b: Weights,
  name: string,
  file: string,
  other: string,
  tolerance: number,
): Difference | undefined {
  if (!a.has(name) || !b.has(name)) return { name, difference: `only in ${a.has(name) ? file : other}` };
  const [x, y] = [a.get(name), b.get(name)];
  if (x.shape.join() !== y.shape.join())
    return { name, difference: `shape [${x.shape.join(', ')}], [${y.shape.join(', ')}]` };
  const { count, maxAbs } = difference(x, y);
  const dtypes = x.dtype === y.dtype ? '' : `dtype ${x.dtype}, ${y.dtype}`;
  const values = maxAbs > tolerance ? `${count} of ${x.size} elements differ, by at most ${figure(maxAbs)}` : '';
  if (!dtypes && !values) return undefined;
  return { name, difference: [dtypes, values].filter(Boolean).join('; '), maxAbs: jsonValue(maxAbs), count };
}

function matching(weights: Weights, filter = '*'): string[] {
  const parts = filter.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 's');
  return weights.names().filter((name) => pattern.test(name));
}

const isFloat = (dtype: WeightDType): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/** The first elements, as numbers; 64-bit integers stay exact. */
function elements(weight: Weight, count: number): (number | bigint)[] {
  const { data, dtype } = weight;
  if (dtype === 'int64' || dtype === 'uint64') return Array.from(data.subarray(0, count) as BigInt64Array);
  const flat = weight.reshape([weight.size]);
  const packed = dtype === 'int4' || dtype === 'float4e2m1';
  const head = packed || weight.size === 0 ? flat : flat.split([count, weight.size - count])[0]!;
  return Array.from(head.as('float64').data.subarray(0, count) as Float64Array);
}

// JSON has no NaN and no infinities, nor integers beyond 2^53.
const jsonValue = (value: number | bigint): number | string =>
  typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;

const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(Number(value.toPrecision(6)));

function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power ? (bytes / 1024 ** power).toFixed(1) : bytes} ${units[power]}`;
}

function plainTable(head: string[]): Table.Table {
  const none = '';
  const edges = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ];
  const chars = Object.fromEntries([
    ...edges.map((edge) => [edge, none]),
    ['middle', '  '],
  ]) as Table.TableConstructorOptions['chars'];
  return new Table({ head, chars: chars!, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

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
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
