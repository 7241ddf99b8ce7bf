/** What CUDA allows of a launch on every GPU. */
export const launchLimits = {
  block: [1024, 1024, 64],
  threads: 1024,
  grid: [2 ** 31 - 1, 65_535, 65_535],
  /** Most shared memory of any GPU so far, in bytes. */
  sharedMemory: 227 * 1024,
} as const;

const units = { grid: 'blocks', block: 'threads' } as const;

/** What a launch has that CUDA does not take. */
export interface LimitFault {
  said: string;
  actual?: number | bigint;
}

/**
 * What CUDA does not take of a grid or a block; undefined if nothing.
 * @param sizes undefined where they are not known
 * @param least 0 where nothing is launched
 */
export function sizesFault(
  what: 'grid' | 'block',
  sizes: readonly (number | bigint | undefined)[],
  least = 1,
): LimitFault | undefined {
  let threads = 1n;
  for (const [i, size] of sizes.entries()) {
    if (size === undefined) continue;
    const most = launchLimits[what][i]!;
    if (size < least || size > most) {
      const said = `${what}: expected ${least} to ${most} ${units[what]} along ${'xyz'[i]}, given ${size}`;
      return { said, actual: size };
    }
    threads *= BigInt(size);
  }
  if (what === 'grid' || threads <= launchLimits.threads) return undefined;
  return { said: `block: expected at most ${launchLimits.threads} threads, given ${threads}` };
}

/** The same of shared memory, in bytes. */
export function sharedMemoryFault(bytes: number | bigint): LimitFault | undefined {
  if (bytes >= 0 && bytes <= launchLimits.sharedMemory) return undefined;
  return { said: `sharedMemory: expected 0 to ${launchLimits.sharedMemory} bytes, given ${bytes}` };
}
