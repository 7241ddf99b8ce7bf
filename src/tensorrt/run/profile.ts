import { readArguments } from '../../errors/boundary.js';
import { show } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { refuse } from '../../errors/refusal.js';
import { binding, type Handle, type Placement } from '../binding.js';

/** Options of `context.profile`. */
export interface ProfileOptions {
  /** Runs whose times are averaged, 1 to 10,000. Default 10. */
  runs?: number | undefined;
}

/** The time of a layer, as TensorRT fused it. */
export interface LayerTime {
  /** TensorRT's name, which has those of the layers that were fused. */
  name: string;
  /** Mean of a run, in milliseconds. */
  ms: number;
  /** Of all layers. */
  percent: number;
}

/** What `context.profile` returns. */
export interface ProfileReport {
  /** Runs that were timed. */
  runs: number;
  /** In the order of execution. */
  layers: LayerTime[];
  /** Mean of all layers together, in milliseconds. */
  totalMs: number;
}

/** @throws ERR_PARAMETER */
export const readProfile = (options: unknown): number =>
  readArguments(
    'profile',
    [options],
    () => {
      checkOptions(options, ['runs'], 'profile');
      const { runs = 10 } = options as ProfileOptions;
      if (Number.isInteger(runs) && runs >= 1 && runs <= 10_000) return runs;
      return refuse('profile', 'ERR_PARAMETER', `expected a whole number from 1 to 10000, given ${show(runs)}`, {
        option: 'runs',
        actual: runs,
      });
    },
    'ERR_PARAMETER',
  );

export async function profileRuns(context: Handle, io: readonly Placement[], runs: number): Promise<ProfileReport> {
  const times = await binding().profileRuns(context, io, runs);
  const totalMs = times.reduce((sum, { ms }) => sum + ms, 0);
  const layers = times.map(({ name, ms }) => ({ name, ms, percent: totalMs > 0 ? (100 * ms) / totalMs : 0 }));
  return { runs, layers, totalMs };
}
