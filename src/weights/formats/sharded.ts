import { dirname, join } from 'node:path';
import { parseJson } from '../../strict-json.js';
import type { ByteSource } from '../byte-source.js';
import { malformed } from '../format-error.js';
import type { Work } from './work.js';

const maxIndex = 100_000_000;
const maxShards = 4096;

/** Whether it is JSON text. A safetensors file cannot begin so: its bytes 4 to 7 are zero. */
export const looksLikeIndex = (head: Uint8Array): boolean =>
  head[0] === 0x7b &&
  head.length > 8 &&
  head.subarray(0, 8).every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);

/** Relative, and never a step up: `model.safetensors`, `./shards/1.safetensors`. */
const isInside = (file: string): boolean =>
  /^[^/\\\0]+(?:\/[^/\\\0]+)*$/.test(file) && !/(?:^|\/)\.\.(?:\/|$)/.test(file) && !/(?:^|\/)\.$/.test(file);

/**
 * Reads `model.safetensors.index.json` or `pytorch_model.bin.index.json` as transformers writes them: `weight_map`
 * gives each tensor's file, in the same folder or below it.
 * @returns paths of the shards, with the tensors each should have
 * @throws ERR_WEIGHTS_FORMAT
 */
export async function parseIndex(source: ByteSource, work: Work): Promise<Map<string, string[]>> {
  const fail = (problem: string) => malformed(source.name, problem);
  if (source.size > maxIndex) throw fail(`an index of ${source.size} bytes, more than ${maxIndex}`);
  const json = await parseJson(source.read(0, source.size), fail, work);
  const map = json instanceof Map ? json.get('weight_map') : undefined;
  if (!(map instanceof Map) || map.size === 0) {
    const keys: string[] = [];
    if (json instanceof Map)
      for (const key of json.keys()) if (keys.push(JSON.stringify(key.slice(0, 40))) === 4) break;
    const given = keys.length ? `, given ${keys.join(', ')}` : '';
    throw fail(`JSON that is not an index of shards: expected a 'weight_map' of tensor names to files${given}`);
  }
  const byFile = new Map<string, string[]>();
  for (const [name, file] of map) {
    if (work.due()) await work.rest();
    const names = typeof file === 'string' ? byFile.get(file) : undefined;
    if (names) {
      names.push(name);
      continue;
    }
    if (typeof file !== 'string' || !isInside(file)) {
      throw fail(
        `${JSON.stringify(name.slice(0, 200))} should be in a file of the same folder or one below, given ${JSON.stringify(String(file).slice(0, 200))}`,
      );
    }
    byFile.set(file, [name]);
    if (byFile.size > maxShards) throw fail(`names more than ${maxShards} files`);
  }
  const shards = new Map<string, string[]>();
  for (const [file, names] of byFile) {
    const path = join(dirname(source.name), file);
    shards.set(path, [...(shards.get(path) ?? []), ...names]);
  }
  return shards;
}
