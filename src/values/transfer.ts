import { show } from '../errors/error.js';
import { refuse } from '../errors/refusal.js';
import { viewAs } from './dtype.js';
import type { ResolvedFeed } from './feeds.js';

/** @throws ERR_PARAMETER */
export function checkTransfer(method: string, given: unknown): boolean {
  if (given === undefined || typeof given === 'boolean') return given === true;
  const said = `expected true or false, given ${show(given)}`;
  return refuse(method, 'ERR_PARAMETER', said, { option: 'transfer', actual: given });
}

/** Where an array's elements are in its buffer. */
interface Range {
  feed: ResolvedFeed;
  offset: number;
  length: number;
}

/**
 * The feeds with their memory taken over, without a copy: the caller's arrays are detached, as `postMessage` does it, and with them
 * every other array over the same buffer. Feeds whose memory cannot be handed over stay as they are, to be copied.
 */
export function takeOver(feeds: readonly ResolvedFeed[]): ResolvedFeed[] {
  const ranges = new Map<ArrayBufferLike, Range[]>();
  for (const feed of feeds) {
    if (feed.isOwn || feed.placed) continue;
    const { buffer, byteOffset: offset, byteLength: length } = feed.data;
    ranges.set(buffer, [...(ranges.get(buffer) ?? []), { feed, offset, length }]);
  }
  const taken = new Map<ResolvedFeed, ResolvedFeed>();
  for (const [buffer, parts] of ranges) {
    const own = detach(buffer);
    if (!own) continue;
    for (const { feed, offset, length } of parts) {
      taken.set(feed, { ...feed, data: viewAs(feed.dtype, new Uint8Array(own, offset, length)), isOwn: true });
    }
  }
  return feeds.map((feed) => taken.get(feed) ?? feed);
}

/** The memory of a buffer in a new one; undefined where it cannot be handed over, as that of Node's pool of small Buffers. */
function detach(buffer: ArrayBufferLike): ArrayBuffer | undefined {
  try {
    return structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] });
  } catch {
    return undefined;
  }
}
