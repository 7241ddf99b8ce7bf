import { issueFacts, ownOnly, type SchemaIssue } from '../errors/schema-issue.js';
import { isRecord } from '../values/record.js';
import type { Fail, LayerDefinition } from './define-layer.js';
import type { LayerParams } from './ir.js';

/** Parameters as passed to a schema, and its result. */
interface Checked {
  keys: readonly string[];
  values: readonly unknown[];
  params: LayerParams;
}

/**
 * The last few of each kind. Networks repeat their layers: the same parameters return the same frozen result without being
 * parsed again, and the addon receives them once.
 */
const recent = new WeakMap<object, { list: Checked[]; next: number }>();
const remembered = 8;
const longestList = 16;
const longestText = 256;

const isScalar = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= longestText
    : typeof value !== 'function' && (typeof value !== 'object' || value === null);

/** A copy of flat plain data (scalars and lists of scalars); undefined for anything else. */
function copyOf(params: unknown): LayerParams | undefined {
  if (!isRecord(params)) return undefined;
  const entries: [string, unknown][] = [];
  for (const key of Object.keys(params)) {
    const value = params[key];
    const isList = Array.isArray(value) && value.length <= longestList;
    const copy: unknown = isList ? [...value] : value;
    if (!(isList ? (copy as unknown[]).every(isScalar) : isScalar(copy))) return undefined;
    entries.push([key, copy]);
  }
  return Object.fromEntries(entries);
}

function isSame(given: unknown, known: unknown): boolean {
  if (Object.is(given, known)) return true;
  if (!Array.isArray(given) || !Array.isArray(known) || given.length !== known.length) return false;
  for (let i = 0; i < known.length; i++) if (!Object.is(given[i], known[i])) return false;
  return true;
}

function matches(params: LayerParams, { keys, values }: Checked): boolean {
  let i = 0;
  for (const key of Object.keys(params)) {
    if (key !== keys[i] || !isSame(params[key], values[i])) return false;
    i++;
  }
  return i === keys.length;
}

/**
 * Parses a layer's parameters with its schema.
 * @throws ERR_PARAMETER through `fail`
 */
export function checkParams<P extends LayerParams>(definition: LayerDefinition<P>, given: unknown, fail: Fail): P {
  const known = recent.get(definition);
  if (known && isRecord(given)) for (const one of known.list) if (matches(given, one)) return one.params as P;
  // Parses the copy, because a getter may return something else when read again.
  const copy = copyOf(given);
  const parsed = definition.params.safeParse(ownOnly(copy ?? given), { jitless: true });
  if (!parsed.success) {
    const { option, said, ...facts } = issueFacts(parsed.error.issues[0] as SchemaIssue, given);
    return fail('ERR_PARAMETER', said, { ...facts, option });
  }
  const params = parsed.data;
  if (copy) {
    const { list, next } = known ?? { list: [], next: 0 };
    const values = Object.values(copy).map((value) => (Array.isArray(value) ? Object.freeze([...value]) : value));
    for (const value of Object.values(params)) if (Array.isArray(value)) Object.freeze(value);
    list[next] = { keys: Object.keys(copy), values, params: Object.freeze(params) };
    recent.set(definition, { list, next: (next + 1) % remembered });
  }
  return params;
}
