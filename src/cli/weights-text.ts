import { TensorRTError } from '../errors/error.js';

let listening = false;

/**
 * Ends the command when its output closes. A pipe that its reader closed early (`… | head`) is no error; a full disk is.
 */
export function endWithReader(): void {
  if (listening) return;
  listening = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    process.stderr.write(`error: the output could not be written: ${error.message}\n`);
    process.exit(2);
  });
  process.stderr.on('error', () => {});
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Escapes control characters as `\u001b`: names come from untrusted files and could otherwise control the terminal. */
export const plain = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches them on purpose
  text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (c) => {
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
      throw new TensorRTError(code, message.split('\n').map(plain).join('\n'), { cause: error });
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

export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power ? (bytes / 1024 ** power).toFixed(1) : bytes} ${units[power]}`;
}

export const tensorCount = (count: number): string => (count === 1 ? '1 tensor' : `${count} tensors`);

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;
const narrow = /\p{Mark}/gu;

/** Width of a text in terminal columns. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  const characters = [...text].length;
  return characters + (text.match(wide)?.length ?? 0) - (text.match(narrow)?.length ?? 0);
}

/** Aligns rows in columns. (cli-table3 is quadratic in the number of rows: minutes for a hundred thousand tensors.) */
export function columns(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map(String));
  const widths = cells.map((row) => row.map(widthOf));
  const widest: number[] = [];
  for (const row of widths) for (const [i, width] of row.entries()) widest[i] = Math.max(widest[i] ?? 0, width);
  const line = (row: string[], at: number) =>
    row
      .map((cell, i) => cell + ' '.repeat(widest[i]! - widths[at]![i]!))
      .join('  ')
      .trimEnd();
  return cells.map(line).join('\n');
}
