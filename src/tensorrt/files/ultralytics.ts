import { longestJson, readMetadata } from './json.js';
import { damaged, type EngineSource } from './source.js';

const lengthBytes = 4;
const [openBrace, closeBrace] = [0x7b, 0x7d];

export interface UltralyticsHead {
  metadata: Record<string, unknown>;
  /** Where the plan begins. */
  offset: number;
}

/**
 * Reads what stands before the plan in a file that Ultralytics' exporter wrote: four bytes of little-endian length, and as much JSON.
 * Undefined if it is no such file. A plan begins with `ftrt`, which would be a length of 1.9 GB.
 * @throws ERR_ENGINE_FILE if there is a length and an object, but no JSON
 */
export async function readUltralytics(source: EngineSource, head: Uint8Array): Promise<UltralyticsHead | undefined> {
  if (head.length <= lengthBytes || head[lengthBytes] !== openBrace) return undefined;
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  const offset = lengthBytes + length;
  if (length < 2 || length > longestJson || offset > source.size) return undefined;
  const json = await source.read(lengthBytes, length);
  if (json.at(-1) !== closeBrace) return undefined;
  const metadata = await readMetadata(json, source.name);
  if (offset === source.size) throw damaged(source.name, 'has the metadata of an engine, and no engine behind it');
  return { metadata, offset };
}
