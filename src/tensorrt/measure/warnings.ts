import type { TimeStatistics } from './statistics.js';

/** Enqueuing counts as a bound from this part of the compute time on; trtexec's threshold. */
const enqueueBound = 0.8;
/** Percent of variation from which compute times count as unstable; trtexec's threshold. */
const unstable = 1;

interface Statistics {
  enqueue: TimeStatistics;
  toDevice: TimeStatistics;
  compute: TimeStatistics;
  fromDevice: TimeStatistics;
}

/** What trtexec warns of, by the medians and the variation of the compute times. */
export function warningsOf(
  { enqueue, toDevice, compute, fromDevice }: Statistics,
  { cudaGraph, spinWait }: { cudaGraph: boolean; spinWait: boolean },
): string[] {
  const warnings: string[] = [];
  if (enqueue.median > enqueueBound * compute.median) {
    const help = cudaGraph ? '' : '; cudaGraph may increase it';
    warnings.push(`the throughput may be bound by enqueuing rather than by the GPU's compute${help}`);
  }
  for (const [time, direction] of [
    [toDevice, 'to the GPU of inputs'],
    [fromDevice, 'from the GPU of outputs'],
  ] as const)
    if (time.median > 0 && time.median >= compute.median)
      warnings.push(`the throughput may be bound by the copies ${direction}; without transfers they are not made`);
  if (compute.variation > unstable) {
    const help = spinWait ? '' : ', and spinWait,';
    warnings.push(
      `the compute time is unstable: its coefficient of variation is ${compute.variation.toPrecision(3)} %; a locked clock of the GPU${help} may help`,
    );
  }
  return warnings;
}
