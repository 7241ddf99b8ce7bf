import { TensorSource } from '../../dsl/tensor.js';
import { type ArgumentCheck, publicMethod } from '../../errors/boundary.js';
import { show } from '../../errors/error.js';
import { distance } from '../../errors/nearest.js';
import { refuse } from '../../errors/refusal.js';
import type { Call, Options, Parameter } from './call.js';
import { namesFor } from './option-names.js';
import { functionCalls, methodCalls } from './signatures.generated.js';
import { synonyms } from './synonyms.js';

/** A few of the options, without the one that every method takes. */
function example({ keys }: Options): string {
  const own = keys.filter((key) => key !== 'name');
  const few = (own.length > 0 ? own : ['name']).slice(0, 3);
  return `{ ${few.join(', ')}${own.length > few.length ? ', …' : ''} }`;
}

/** A parameter as messages show it. */
const shown = ({ value, rest, options }: Parameter): string =>
  value === undefined ? example(options!) : `${rest ? '...' : ''}${value}`;

const patterns = new Map<string, RegExp>();

/** Whether a key matches a pattern written with `*`. */
function matches(key: string, written: string): boolean {
  if (!written.includes('*')) return false;
  const pattern = patterns.get(written) ?? new RegExp(`^${written.replaceAll('*', '.*')}$`, 's');
  patterns.set(written, pattern);
  return pattern.test(key);
}

const isKnown = (key: string, { keys }: Options): boolean =>
  keys.includes(key) || keys.some((written) => matches(key, written));

/** Whether a value is read as options: any object except lists, typed arrays, tensors, weights and collections. */
function isOptions(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof TensorSource) &&
    !(Symbol.iterator in value)
  );
}

/** Whether a value looks like a weight, without reading its elements. */
const isWeight = (value: unknown): value is { name?: unknown } =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

const plain = (key: string) => key.replace(/[_-]/g, '').toLowerCase();

/** The known name for another framework's name. */
function synonym(key: string, { keys }: Options): string | undefined {
  const word = plain(key);
  return keys.find((name) => plain(name) === word) ?? synonyms.get(word)?.find((name) => keys.includes(name));
}

/** The known name that is the fewest edits away. */
function misspelt(key: string, { keys }: Options): string | undefined {
  const most = key.length < 3 || key.length > 100 ? 0 : Math.ceil(key.length / 4);
  const near = keys.map((name) => ({ name, edits: distance(plain(key), plain(name), most) }));
  near.sort((a, b) => a.edits - b.edits);
  return near[0] && near[0].edits <= most ? near[0].name : undefined;
}

/** A tensor from a file under its own name. It came along with others, as from `w.layer('conv1')`, not on purpose. */
function cameAlong(key: string, value: unknown): boolean {
  if (!isWeight(value) || typeof value.name !== 'string') return false;
  return value.name === key || value.name.endsWith(`.${key}`);
}

function refuseKey(method: string, path: string, key: string, known: Options): never {
  const hint = synonym(key, known) ?? misspelt(key, known);
  const expected = known.keys;
  const help = hint ? `did you mean '${hint}'?` : `expected ${expected.join(', ')}`;
  refuse(method, 'ERR_PARAMETER', `unknown option ${show(key)}; ${help}`, {
    option: path || undefined,
    expected,
    actual: key,
  });
}

function checkKeys(method: string, path: string, given: Record<string, unknown>, known: Options): void {
  for (const key of Object.keys(given)) {
    if (!isKnown(key, known)) {
      if (cameAlong(key, given[key]) && synonym(key, known) === undefined) continue;
      refuseKey(method, path, key, known);
    }
    if (!known.nested) continue;
    const inner = known.nested[Object.hasOwn(known.nested, key) ? key : '*'];
    const value = inner && given[key];
    if (inner && isOptions(value)) checkKeys(method, path ? `${path}.${key}` : key, value, inner);
  }
}

function refuseValue(method: string, given: unknown, known: Options): never {
  const shown =
    given instanceof TensorSource ? String(given) : isWeight(given) ? 'a weight' : show(given).slice(0, 200);
  refuse(method, 'ERR_PARAMETER', `expected options such as ${example(known)}, given ${shown}`);
}

/**
 * Refuses arguments that a method would ignore, because the caller meant them to change the network: surplus arguments,
 * something other than options in their place, and unknown options (even undefined ones, like zod's strict objects).
 * Tensors from a weight file under their own names are allowed beside known options, because `w.layer('conv1')` returns
 * everything the file has there. They are refused if the name is another framework's for a known option (`gamma` for
 * `weight`).
 * @throws ERR_PARAMETER
 */
function checker(method: string, call: Call | undefined): ArgumentCheck {
  if (!call) return () => {};
  const most = call.at(-1)?.rest ? Number.POSITIVE_INFINITY : call.length;
  const places = call.flatMap(({ options, value }, at) => (options ? [{ at, options, value }] : []));
  const check = (args: readonly unknown[]): void => {
    if (args.length > most) {
      const usage = `${most} argument${most === 1 ? '' : 's'}, ${method}(${call.map(shown).join(', ')})`;
      refuse(method, 'ERR_PARAMETER', `expected at most ${usage}, given ${args.length}`, {
        expected: most,
        actual: args.length,
      });
    }
    for (const { at, options, value } of places) {
      const given = args[at];
      if (given === undefined) continue;
      if (isOptions(given) && (options.keys.includes('data') || !isWeight(given)))
        checkKeys(method, '', given, options);
      else if (value === undefined) refuseValue(method, given, options);
    }
  };
  return Object.assign(check, {
    names: call.map(({ value }) => value),
    nameOf: (option: string, args: readonly unknown[]) => nameOf(method, call, option, args),
  });
}

/** Whether a call has this option or argument. */
const has = (call: Call, name: string): boolean =>
  call.some(({ value, options }) => value === name || (options && isKnown(name, options)));

/** Whether it was passed in the arguments. */
const isGiven = (call: Call, name: string, args: readonly unknown[]): boolean =>
  call.some(({ value }, at) => {
    const given = args[at];
    return value === name ? given !== undefined : isOptions(given) && given[name] !== undefined;
  });

/** The caller's name for a layer's `option`: the one that was passed, else the likeliest; undefined if there is none. */
function nameOf(method: string, call: Call, option: string, args: readonly unknown[]): string | undefined {
  const [first, ...rest] = option.split('.') as [string];
  const names = namesFor(method, first).filter((name) => has(call, name));
  const name = names.find((one) => isGiven(call, one, args)) ?? names[0];
  return name && [name, ...rest].join('.');
}

const own = (calls: Readonly<Record<string, Call>>, name: string) =>
  Object.hasOwn(calls, name) ? calls[name] : undefined;

/** The check of a method's arguments. Methods not yet in the generated signatures have none. */
export const methodCheck = (method: string) => checker(method, own(methodCalls, method));

/** Wraps an exported function's implementation so that its arguments are checked, and refused if they cannot be read. The exported function calls the wrapper. */
export const checkedFunction = <A extends unknown[], R>(name: string, call: (...args: A) => R): ((...args: A) => R) =>
  publicMethod(name, call, checker(name, own(functionCalls, name)), 2);
