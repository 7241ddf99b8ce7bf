// Times in microseconds, and pairs of them.
export const pairs = Number(process.env.BENCH_PAIRS ?? 20);
/** What one measurement takes at most, roughly. */
const budget = 20_000;

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Plan {
  warm: number;
  runs: number;
}

/** How often to run what takes so long. */
export function planOf(microseconds: number): Plan {
  const runs = Math.min(400, Math.max(5, Math.round(budget / microseconds)));
  return { runs, warm: Math.max(2, Math.round(runs / 10)) };
}

/** Median of a run that blocks. */
export function timeSync({ warm, runs }: Plan, run: () => unknown): number {
  for (let i = 0; i < warm; i++) run();
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return (performance.now() - start) * 1000;
  });
  return median(times);
}

/** Median of a run that is awaited before the next. */
export async function timeAsync({ warm, runs }: Plan, run: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < warm; i++) await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push((performance.now() - start) * 1000);
  }
  return median(times);
}

export interface Compared {
  ours: number;
  theirs: number;
  /** Median of ours / theirs over the pairs. */
  ratio: number;
  /** The middle 80 % of those ratios. */
  spread: [number, number];
  /** Median of ours - theirs. */
  more: number;
}

/** Alternates both, `pairs` times; the first of a pair is now one, now the other. */
export async function compare(
  ours: () => number | Promise<number>,
  theirs: () => number | Promise<number>,
): Promise<Compared> {
  const times: [number, number][] = [];
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const a = await ours();
      times.push([a, await theirs()]);
    } else {
      const b = await theirs();
      times.push([await ours(), b]);
    }
  }
  const ratios = times.map(([a, b]) => a / b);
  return {
    ours: median(times.map(([a]) => a)),
    theirs: median(times.map(([, b]) => b)),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.1), quantile(ratios, 0.9)],
    more: median(times.map(([a, b]) => a - b)),
  };
}
