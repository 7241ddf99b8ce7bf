import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { join } from 'node:path';
import * as tensorrt from 'node-tensorrt';
import { type BenchSection, benchFiles, writeBench } from '../../scripts/gpu/bench.js';
import { codeOf, commitOf } from '../../scripts/gpu/results.js';
import { type Compared, pairs } from './measure.js';

/** Where plans, weights and drivers are. */
export const work = process.env.BENCH_WORK ?? '/dev/shm/node-tensorrt-bench';
const file = join(process.env.OUT ?? work, 'gpu-bench.json');

/**
 * A table that grows while it is measured: a step that is stopped leaves the rows it had.
 * @param of the package that is measured, where it was imported otherwise
 */
export async function section(
  id: string,
  { title, note, head }: Pick<BenchSection, 'title' | 'note' | 'head'>,
  { doctor, findTensorRT }: Pick<typeof tensorrt, 'doctor' | 'findTensorRT'> = tensorrt,
): Promise<(...cells: string[]) => void> {
  const { gpus, driver, node } = await doctor();
  const library = (await findTensorRT()).find(({ usableFor }) => usableFor.run);
  const made: BenchSection = {
    title,
    note,
    head,
    rows: [],
    date: new Date().toISOString(),
    ...commitOf(),
    gpu: gpus.map(({ name }) => name).join(', ') || 'none',
    system: `driver ${driver?.version ?? 'unknown'}, Linux ${release()}, Node ${node}, ${availableParallelism()} cores`,
    library: library ? `TensorRT ${library.version}` : 'none',
    code: codeOf(benchFiles),
  };
  console.log(`\n${title}\n${note}\n${head.join(' | ')}`);
  return (...cells) => {
    made.rows.push(cells);
    console.log(cells.join(' | '));
    const all = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, BenchSection>) : {};
    writeBench({ ...all, [id]: made }, file);
  };
}

export const µs = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));

export interface Goal {
  /** Largest ratio. */
  ratio: number;
  /** Or so many microseconds more. */
  more?: number;
}

/** Cells of ours, theirs, ratio, most of the ratios, difference, goal, met. */
export function cellsOf({ ours, theirs, ratio, spread, more }: Compared, goal?: Goal): string[] {
  const met = goal && (ratio <= goal.ratio || (goal.more !== undefined && more <= goal.more));
  return [
    µs(ours),
    µs(theirs),
    ratio.toFixed(3),
    spread.map((one) => one.toFixed(2)).join(' – '),
    `${more < 0 ? '−' : '+'}${µs(Math.abs(more))}`,
    goal ? `≤ ${goal.ratio}${goal.more ? ` or +${goal.more}` : ''}` : '',
    met === undefined ? '' : met ? 'yes' : 'no',
  ];
}
export const comparedHead = ['ours, µs', 'C++, µs', 'ratio', '80 % of pairs', 'difference, µs', 'goal', 'met'];
export const pairsNote = `Medians of ${pairs} alternating pairs in one run, the same plans, each side in its own process.`;
