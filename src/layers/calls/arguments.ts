import { Chain } from '../../dsl/tensor.js';
import { entry } from '../../errors/boundary.js';
import { show } from '../../errors/error.js';
import { distance } from '../../errors/nearest.js';
import { refuse } from '../shared/refuse.js';
import { functionSignatures, methodSignatures } from './signatures.generated.js';
import { synonyms } from './synonyms.js';

/** What a generated signature says about an object of options. */
interface Known {
  /** Keys, and patterns as they are written. */
  names: Set<string>;
  patterns: RegExp[];
  /** Options among the values of options. */
  nested: Map<string, Known>;
}

/** One parameter of a generated signature. */
interface Parameter {
  /** As messages show it. */
  shown: string;
  rest: boolean;
  /** Whether it may be anything but options. */
  value: boolean;
  options?: Known;
}

/** How a method is called. */
type Call = readonly Parameter[];

/** Reads `matmul(b, { transposeA, name })`, one per line. */
function parse(signatures: string): Map<string, Call> {
  const tokens = signatures.match(/\.{3}|[\w*]+|[(){}:,|]/g) ?? [];
  let at = 0;
  const skip = (token: string) => tokens[at] === token && ++at > 0;
  const list = <T>(end: string, item: () => T): T[] => {
    const items: T[] = [];
    while (!skip(end)) {
      items.push(item());
      skip(',');
    }
    return items;
  };
  function options(): Known {
    const known: Known = { names: new Set(), patterns: [], nested: new Map() };
    list('}', () => {
      const key = tokens[at++]!;
      known.names.add(key);
      if (key.includes('*')) known.patterns.push(new RegExp(`^${key.replaceAll('*', '.*')}$`, 's'));
      if (skip(':') && skip('{')) known.nested.set(key, options());
    });
    return known;
  }
  function parameter(): Parameter {
    const rest = skip('...');
    const name = tokens[at] === '{' ? undefined : tokens[at++]!;
    if (name !== undefined && !skip('|')) return { shown: `${rest ? '...' : ''}${name}`, rest, value: true };
    skip('{');
    const known = options();
    return { shown: name ?? example(known), rest, value: name !== undefined, options: known };
  }
  const calls = new Map<string, Call>();
  while (at < tokens.length) {
    const name = tokens[at++]!;
    skip('(');
    calls.set(name, list(')', parameter));
  }
  return calls;
}

/** A few of the options, without the one that all methods take. */
function example({ names }: Known): string {
  const own = [...names].filter((name) => name !== 'name');
  const few = (own.length > 0 ? own : ['name']).slice(0, 3);
  return `{ ${few.join(', ')}${own.length > few.length ? ', …' : ''} }`;
}

/** Whether a value is read as options: an object that is no list, typed array, tensor, weight or collection. */
function isOptions(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Chain) &&
    !(Symbol.iterator in value)
  );
}

/** Whether a value looks like a weight; its elements stay unread. */
const isWeight = (value: unknown): value is { name?: unknown } =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

const plain = (key: string) => key.replace(/[_-]/g, '').toLowerCase();

/** The known name for what other frameworks call it. */
function synonym(key: string, { names }: Known): string | undefined {
  const word = plain(key);
  return [...names].find((name) => plain(name) === word) ?? synonyms.get(word)?.find((name) => names.has(name));
}

/** The known name with the fewest edits. */
function misspelt(key: string, { names }: Known): string | undefined {
  const most = key.length < 3 || key.length > 100 ? 0 : Math.ceil(key.length / 4);
  const near = [...names].map((name) => ({ name, edits: distance(plain(key), plain(name), most) }));
  near.sort((a, b) => a.edits - b.edits);
  return near[0] && near[0].edits <= most ? near[0].name : undefined;
}

/** A tensor of a file under its own name: it came with others, as `w.layer('conv1')`, and nobody meant it by itself. */
function cameAlong(key: string, value: unknown): boolean {
  if (!isWeight(value) || typeof value.name !== 'string') return false;
  return value.name === key || value.name.endsWith(`.${key}`);
}

function refuseKey(method: string, path: string, key: string, known: Known): never {
  const hint = synonym(key, known) ?? misspelt(key, known);
  const expected = [...known.names];
  const help = hint ? `did you mean '${hint}'?` : `expected ${expected.join(', ')}`;
  refuse(method, 'ERR_PARAMETER', `${path}unknown option ${show(key)}; ${help}`, { expected, actual: key });
}

function checkKeys(method: string, path: string, given: Record<string, unknown>, known: Known): void {
  for (const key of Object.keys(given)) {
    if (!known.names.has(key) && !known.patterns.some((pattern) => pattern.test(key))) {
      if (cameAlong(key, given[key]) && synonym(key, known) === undefined) continue;
      refuseKey(method, path, key, known);
    }
    if (known.nested.size === 0) continue;
    const inner = known.nested.get(key) ?? known.nested.get('*');
    const value = inner && given[key];
    if (inner && isOptions(value)) checkKeys(method, `${path}${key}: `, value, inner);
  }
}

function refuseValue(method: string, given: unknown, known: Known): never {
  const shown = given instanceof Chain ? String(given) : isWeight(given) ? 'a weight' : show(given).slice(0, 200);
  refuse(method, 'ERR_PARAMETER', `expected options such as ${example(known)}, given ${shown}`);
}

/**
 * Refuses arguments that a method would not look at, as each of them was meant to make another network: more than it has
 * parameters, something else in place of options, and unknown options (also where they are undefined, as zod's strict objects).
 * Tensors of a weight file that come under their own names beside known options stay: `w.layer('conv1')` hands over all
 * that the file has there. Not so where other frameworks call a known option like that (`gamma` for `weight`).
 * @throws ERR_PARAMETER
 */
function checker(method: string, call: Call | undefined): (args: readonly unknown[]) => void {
  if (!call) return () => {};
  const most = call.at(-1)?.rest ? Number.POSITIVE_INFINITY : call.length;
  const places = call.flatMap(({ options, value }, at) => (options ? [{ at, options, value }] : []));
  return (args) => {
    if (args.length > most) {
      const usage = `${most} argument${most === 1 ? '' : 's'}, ${method}(${call.map(({ shown }) => shown).join(', ')})`;
      refuse(method, 'ERR_PARAMETER', `expected at most ${usage}, given ${args.length}`, {
        expected: most,
        actual: args.length,
      });
    }
    for (const { at, options, value } of places) {
      const given = args[at];
      if (given === undefined) continue;
      if (isOptions(given) && (options.names.has('data') || !isWeight(given))) checkKeys(method, '', given, options);
      else if (!value) refuseValue(method, given, options);
    }
  };
}

export const methodCalls: ReadonlyMap<string, Call> = parse(methodSignatures);
export const functionCalls: ReadonlyMap<string, Call> = parse(functionSignatures);

/** The check of a method's arguments. One that the generated signatures lack yet has none. */
export const methodCheck = (method: string) => checker(method, methodCalls.get(method));

/** Makes an exported function of what reads its arguments: they are checked, and refused where they cannot be read. The function itself calls what this returns. */
export const checkedFunction = <A extends unknown[], R>(name: string, call: (...args: A) => R): ((...args: A) => R) =>
  entry(call, checker(name, functionCalls.get(name)), name, 2);
