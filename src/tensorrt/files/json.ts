import { Pace } from '../../pace.js';
import { type Json, JsonFloat, parseJson } from '../../strict-json.js';
import { damaged } from './source.js';

/** Of metadata, in bytes: strict JSON of this size takes less than a second and 300 MB to read. */
export const longestJson = 2 ** 24;

class Reading extends Pace {
  /** Its size bounds what it costs. */
  spend(): void {}
}

/**
 * Reads metadata: strict JSON, one object.
 * @throws ERR_ENGINE_FILE, with the byte at fault; also for keys that are there twice
 */
export async function readMetadata(bytes: Uint8Array, name: string): Promise<Record<string, unknown>> {
  const json = await parseJson(bytes, (problem) => damaged(name, `has metadata that ${problem}`), new Reading(8, 200));
  if (!(json instanceof Map)) throw damaged(name, 'has metadata that is no JSON object');
  return plain(json) as Record<string, unknown>;
}

/** As `JSON.parse` gives it. `Object.fromEntries` makes `__proto__` a key like any other. */
function plain(json: Json): unknown {
  if (json instanceof Map) return Object.fromEntries(Array.from(json, ([key, value]) => [key, plain(value)]));
  if (Array.isArray(json)) return json.map(plain);
  if (json instanceof JsonFloat) return json.value;
  return typeof json === 'bigint' ? Number(json) : json;
}
