import Table from 'cli-table3';
import pc from 'picocolors';
import { TensorRTError } from '../../errors/error.js';
import { reasonOf } from '../../write-file.js';

/** Colours only for a terminal, unless FORCE_COLOR asks for them. (picocolors' own rule also colours pipes where CI is set.) */
const colorsFor = (stream: NodeJS.WriteStream) =>
  pc.createColors(
    !process.env.NO_COLOR && (process.env.FORCE_COLOR ? process.env.FORCE_COLOR !== '0' : stream.isTTY === true),
  );

/** For standard output. */
export const colors = colorsFor(process.stdout);

/** For standard error, which may be a terminal where standard output is none. */
export const errorColors = colorsFor(process.stderr);

const write = process.stdout.write.bind(process.stdout);
let isReserved = false;

/**
 * From now on standard output holds only what `print` and `printJson` write. What others print, such as the code of a model, goes to
 * standard error; what they write past Node's streams, such as a child process, is not seen.
 */
export function reserveOutput(): void {
  if (isReserved) return;
  isReserved = true;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
}

/** One line, or several, on standard output. */
export function print(text: string): void {
  if (isReserved) write(`${text}\n`);
  else process.stdout.write(`${text}\n`);
}

/** The one document of `--json`. NaN and infinities, which JSON does not have, become strings, as bigints do. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_, one) => jsonValue(one)));
}

const jsonValue = (value: unknown): unknown =>
  typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value;

/** When all is written, or failed to be. */
export const flushed = (): Promise<void> => new Promise((resolve) => write('', () => setImmediate(resolve)));

/** Progress, warnings and other remarks: to standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

let listening = false;
let exitIfUnwritten: number;

/**
 * Ends the command when its output closes. A pipe that its reader closed early (`… | head`) is no error; a full disk is.
 * @param exitCode for a full disk; that of the last call counts
 */
export function endWithReader(exitCode: number): void {
  exitIfUnwritten = exitCode;
  if (listening) return;
  listening = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    note(`${errorColors.red('error:')} standard output could not be written: ${reasonOf(error)}`);
    process.exit(exitIfUnwritten);
  });
  process.stderr.on('error', () => {});
}

/** Escapes control characters as `\u001b`: names come from untrusted files and could otherwise control the terminal. */
export const escapeForTerminal = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches them on purpose
  text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, (c) => {
    const short = JSON.stringify(c).slice(1, -1);
    return short === c ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : short;
  });

/** Removes the source location from errors: on the command line it would point into this package's dependencies. */
export function withoutPlace<A extends unknown[]>(
  action: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      if (!(error instanceof TensorRTError)) throw error;
      const { code, message } = error.with({ source: undefined });
      throw new TensorRTError(code, message, { cause: error });
    }
  };
}

/** Formats a number with at most six digits; whole numbers in full up to 2^53. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (Number.isSafeInteger(value)) return String(value);
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && Number.isFinite(value)
    ? value.toExponential(5)
    : String(Number(value.toPrecision(6)));
}

/** `1.5 MiB` */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power ? (bytes / 1024 ** power).toFixed(1) : bytes} ${units[power]}`;
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;
const narrow = /\p{Mark}/gu;

/** Width of a text without colours in terminal columns. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  const characters = [...text].length;
  return characters + (text.match(wide)?.length ?? 0) - (text.match(narrow)?.length ?? 0);
}

const widestOf = (rows: readonly (readonly string[])[]): number[] => {
  const widest: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widest[i] = Math.max(widest[i] ?? 0, widthOf(cell));
  return widest;
};

/** Aligns rows in columns. (cli-table3 is quadratic in the number of rows: minutes for a hundred thousand tensors.) */
export function columns(rows: readonly (readonly (string | number)[])[], right: readonly number[] = []): string {
  const cells = rows.map((row) => row.map(String));
  const widest = widestOf(cells);
  const pad = (cell: string, i: number) => {
    const space = ' '.repeat(widest[i]! - widthOf(cell));
    return right.includes(i) ? space + cell : cell + space;
  };
  return cells.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

export interface TableOptions {
  /** Columns whose text may be broken into several lines where the terminal is too narrow. Default: the widest. */
  breaks?: readonly number[] | undefined;
  /** Columns that stand at the right, such as numbers. */
  right?: readonly number[] | undefined;
  /** Columns of the terminal. Default: those of standard output; no limit where that is none. */
  width?: number | undefined;
}

const chunk = 100;
const least = 12;
const noBorder = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((place) => [place, '']),
);

/** A table that fits the terminal. Cells are escaped. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  { breaks, right = [], width = process.stdout.isTTY ? process.stdout.columns : undefined }: TableOptions = {},
): string {
  const cells = [[...head], ...rows.map((row) => row.map((cell) => escapeForTerminal(String(cell))))];
  const natural = widestOf(cells);
  const widths = width === undefined ? natural : fitted(natural, width, breaks);
  const isWhole = widths.every((one, i) => one === natural[i]);
  const lines = isWhole ? columns(cells, right) : broken(cells, widths, right);
  const end = lines.indexOf('\n');
  return end < 0 ? colors.bold(lines) : colors.bold(lines.slice(0, end)) + lines.slice(end);
}

function broken(cells: readonly (readonly string[])[], widths: readonly number[], right: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < cells.length; at += chunk) {
    const made = new Table({
      // The gap of two columns is at the right of each cell.
      colWidths: widths.map((one, i) => one + (i === widths.length - 1 ? 0 : 2)),
      colAligns: widths.map((_, i) => (right.includes(i) ? 'right' : 'left')),
      wordWrap: true,
      wrapOnWordBoundary: false,
      chars: { ...noBorder, middle: '' },
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    });
    for (const row of cells.slice(at, at + chunk))
      made.push(row.map((content, i) => ({ content, style: { 'padding-right': i < row.length - 1 ? 2 : 0 } })));
    parts.push(made.toString());
  }
  return parts.join('\n').replace(/ +$/gm, '');
}

/** Narrower columns where all together are wider than the terminal. */
function fitted(natural: readonly number[], width: number, breaks?: readonly number[]): number[] {
  const widths = [...natural];
  const may = new Set(breaks ?? [natural.indexOf(Math.max(...natural))]);
  let over = widths.reduce((sum, one) => sum + one, 0) + 2 * (widths.length - 1) - width;
  while (over > 0) {
    let widest = -1;
    for (const i of may) if (widths[i]! > least && (widest < 0 || widths[i]! > widths[widest]!)) widest = i;
    if (widest < 0) break;
    widths[widest]!--;
    over--;
  }
  return widths;
}
