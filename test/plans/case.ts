import { type BuildOptions, type Engine, type LoweringReport, type Network, network } from '../../src/index.js';
import { without } from '../../src/tensorrt/compile/build.js';
import type { DType } from '../../src/values/dtype.js';
import { encodeElements } from '../../src/values/elements.js';

/** A network that fixtures/*.py also describe; both plans must be the same bytes. */
export interface PlanCase {
  /** Records the network and marks its outputs. */
  record(net: Network): void;
  options?: BuildOptions;
  /** Methods to treat as missing, so that the compositions that replace them are compared. */
  without?: readonly string[];
}

export type PlanCases = Record<string, PlanCase | PlanCase['record']>;

export interface Recorded {
  net: Network;
  check(): Promise<LoweringReport>;
  build(): Promise<Engine>;
}

/** A GPU in the machine, or another TensorRT, changes nothing. */
const pinned: BuildOptions = { library: 'rtx1', computeCapabilities: [89] };

export function recordCase(name: string, one: PlanCases[string]): Recorded {
  const { record, options, without: lacking = [] }: PlanCase = typeof one === 'function' ? { record: one } : one;
  const net = network(name);
  record(net);
  const lack = async <T>(work: () => Promise<T>): Promise<T> => {
    without.push(...lacking);
    try {
      return await work();
    } finally {
      without.length = 0;
    }
  };
  return {
    net,
    check: () => lack(() => net.check({ library: pinned.library })),
    build: () => lack(() => net.build({ ...pinned, ...options })),
  };
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Numbers that every 16-bit float dtype holds exactly; fixtures/plans.py has the same. */
export const ramp = (shape: readonly number[], seed = 0, dtype: DType = 'float32') => {
  const values = Array.from({ length: count(shape) }, (_, i) => (((i * 7 + seed) % 11) - 5) / 4);
  return { dtype, shape: [...shape], data: encodeElements(dtype, values) };
};

export const whole = (size: number, seed = 0): number[] =>
  Array.from({ length: size }, (_, i) => ((i * 7 + seed) % 11) - 5);
