/** Of times in milliseconds, as NVIDIA's trtexec defines them (samples/common/sampleReporting.cpp of its TensorRT repository). */
export interface TimeStatistics {
  /** The least. */
  min: number;
  /** The most. */
  max: number;
  /** The mean. */
  mean: number;
  /** Of an even number of times: the mean of the two in the middle. */
  median: number;
  /** By percent: the time that so many do not exceed. */
  percentiles: Readonly<Record<string, number>>;
  /** Standard deviation of all times in percent of the mean: trtexec's coefficient of variation. */
  variation: number;
}

/** Of n times in order, number n - 1 - ⌊(100 - percent) n / 100⌋. */
function percentile(sorted: Float64Array, percent: number): number {
  const excluded = Math.floor(((100 - percent) * sorted.length) / 100);
  return sorted[Math.max(sorted.length - 1 - excluded, 0)]!;
}

/** @param times at least one */
export function statisticsOf(times: Float64Array, percents: readonly number[]): TimeStatistics {
  const sorted = times.slice().sort();
  const { length } = sorted;
  const half = length >> 1;
  const mean = sorted.reduce((sum, time) => sum + time, 0) / length;
  const squares = sorted.reduce((sum, time) => sum + (time - mean) ** 2, 0);
  return {
    min: sorted[0]!,
    max: sorted[length - 1]!,
    mean,
    median: length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2,
    percentiles: Object.fromEntries(percents.map((percent) => [String(percent), percentile(sorted, percent)])),
    variation: mean > 0 ? (100 * Math.sqrt(squares / length)) / mean : 0,
  };
}
