import { beforeEach, describe, TestRunner } from 'vitest';
import type { Figure, Tier } from '../../scripts/gpu/results.js';
import type { IRNode } from '../../src/dsl/ir.js';

import type { LoweringReport, Network } from '../../src/index.js';
import { binding, type LibraryInfo } from '../../src/tensorrt/binding.js';
import { chooseTensorRT, findTensorRT } from '../../src/tensorrt/library/find.js';

/** Whether engines run on this machine. */
export const hasGpu = (await findTensorRT()).some((one) => one.usableFor.run);

declare module 'vitest' {
  interface TaskMeta {
    /** A suite's entry in the report: its name, what it does, and the files that it covers besides src and native. */
    suite?: { name: string; tier: Tier; files?: string[]; library?: string };
    library?: { name: string; path: string };
    /** Whether TensorRT's layers matched what was recorded. */
    readBack?: boolean;
    figures?: Record<string, Figure>;
  }
}

interface SuiteOptions {
  /** Its name in the report, if different from its own. */
  suite?: string;
  files?: string[];
}

/** `describe` for suites that need a GPU: skipped, including hooks, if there is none. */
export function describeGpu(name: string, body: () => void, { suite = name, files }: SuiteOptions = {}): void {
  describe.skipIf(!hasGpu)(name, { meta: { suite: { name: suite, tier: 'run', files } } }, () => {
    beforeEach(async () => reportLibrary(await releaseOf()));
    body();
  });
}

const meta = () => TestRunner.getCurrentTest()!.meta;

/** Names the running test's library, for the report. */
export function reportLibrary({ flavor, version, path }: LibraryInfo): void {
  meta().library = { name: `${flavor === 'rtx1' ? 'TensorRT-RTX' : 'TensorRT'} ${version}`, path };
}

/** Adds a number that the running test measured to the report. */
export function reportFigure(name: string, value: Figure['value'], allowed?: number): void {
  meta().figures = { ...meta().figures, [name]: { value, ...(allowed !== undefined && { allowed }) } };
}

/**
 * Compares a network with what TensorRT holds, and adds the outcome to the report. It counts if `net.check()` read the
 * layers back, and does not count if TensorRT refused the network as expected.
 */
export async function reportReadBack(compare: () => Promise<LoweringReport | undefined>): Promise<void> {
  meta().readBack = false;
  const { readBack = [] } = ((await compare()) ?? {}) as { readBack?: readonly unknown[] };
  if (readBack.length > 0) meta().readBack = true;
  else delete meta().readBack;
}

/** The library at a path; without one, the one that builds use. */
export const releaseOf = (library?: string): Promise<LibraryInfo> => chooseTensorRT({ for: 'build', library });

/** Layer kinds of a network that a release lacks, and for which no composition exists. */
export function lackedKinds(net: Network, { flavor, version }: LibraryInfo): string[] {
  const used = new Set<string>();
  const collect = ({ nodes }: { nodes: readonly Pick<IRNode, 'kind' | 'bodies'>[] }): void => {
    for (const { kind, bodies } of nodes) {
      used.add(kind);
      Object.values(bodies ?? {}).forEach(collect);
    }
  };
  collect(net.graph);
  const lacked = binding()
    .layerTable()
    .filter(({ decomposed, [flavor]: first }) => !decomposed && (first === null || isBefore(version, first)));
  return lacked.map(({ kind }) => kind).filter((kind) => used.has(kind));
}

/** Whether a release such as `10.6.0` came before another. */
function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split('.').map(Number));
  const at = a!.findIndex((number, i) => number !== b![i]);
  return at >= 0 && a![at]! < b![at]!;
}
