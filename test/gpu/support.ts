import { describe } from 'vitest';
import type { IRNode } from '../../src/dsl/ir.js';
import type { Network } from '../../src/index.js';
import { binding, type LibraryInfo } from '../../src/tensorrt/binding.js';
import { chooseTensorRT, findTensorRT } from '../../src/tensorrt/library/find.js';

/** Whether engines run on this machine. */
export const hasGpu = (await findTensorRT()).some((one) => one.usableFor.run);

/** `describe` for what needs a GPU: skipped, hooks and all, where there is none. */
export const describeGpu = describe.skipIf(!hasGpu);

/** The library at a path; without one, that of builds. */
export const releaseOf = (library?: string): Promise<LibraryInfo> => chooseTensorRT({ for: 'build', library });

/** Layer kinds of a network that a release lacks, with nothing in their stead. */
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
