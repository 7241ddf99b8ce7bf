import { inspect } from 'node:util';
import type { ErrorFacts } from './facts.js';

// Every sentence built from facts is built here.

/** Limit on a quoted value, which may be long. */
const mostText = 4000;
const mostName = 200;
/** Limit on the weights listed; an LSTM has many. */
const mostWeights = 8;
/** Limit on the layers listed; TensorRT may fuse a whole network. */
const mostLayers = 8;

/** A value as messages show it, always short. */
export function show(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 8, maxStringLength: 80, breakLength: Infinity, compact: true });
  } catch {
    return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value} that cannot be shown`;
  }
}

const shortened = (text: string, most: number, end = '…'): string =>
  text.length > most ? text.slice(0, most) + end : text;

/** `conv2d 'stem': weight: expected …, given …`, as far as the facts go. */
function sentence(said: string, { method, layer, option, options }: ErrorFacts): string {
  const call = method && layer !== undefined ? `${method} '${shortened(layer, mostName)}'` : method;
  return shortened([call, option ?? options?.join(' and '), said].filter(Boolean).join(': '), mostText, ' …');
}

function weightLines({ weights = [] }: ErrorFacts): string[] {
  const lines = weights
    .slice(0, mostWeights)
    .map(({ role, name, file, shape }) => `${role}: '${name}' of ${file} [${shape.join(', ')}]`);
  if (weights.length > mostWeights) lines.push(`and ${weights.length - mostWeights} weights more`);
  return lines;
}

/** The first layers and the last, which TensorRT's fused names begin and end with. */
function layerLines({ layers = [] }: ErrorFacts): string[] {
  const lines = layers.map(({ layer, kind, method = kind, source }) => {
    const place = source ? `, recorded at ${source.file}:${source.line}` : '';
    return `${method} '${shortened(layer, mostName)}'${place}`;
  });
  if (lines.length <= mostLayers) return lines;
  return [...lines.slice(0, mostLayers - 1), `and ${lines.length - mostLayers} layers more, to`, lines.at(-1)!];
}

/** The message of an error: a sentence, then one line each for the place, TensorRT's log and the weights. */
export function worded(said: string, facts: ErrorFacts): string {
  const { source, log = [] } = facts;
  const lines = [
    ...(source ? [`recorded at ${source.file}:${source.line}`] : []),
    ...layerLines(facts),
    ...log.map((line) => `TensorRT: ${line}`),
    ...weightLines(facts),
  ];
  return [sentence(said, facts), ...lines].join('\n    ');
}

/** A schema's complaint about one value, in zod's fields. */
export interface SchemaIssue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: unknown;
  readonly origin?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: unknown;
  /** Whether `minimum` (or `maximum`) is the only number that fits. */
  readonly exact?: unknown;
  readonly values?: readonly unknown[];
  readonly keys?: readonly string[];
  /** For a union: the issues of each alternative. */
  readonly errors?: readonly (readonly SchemaIssue[])[];
  /** For our own checks: `expected`, in words. */
  readonly params?: Readonly<Record<string, unknown>>;
}

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  function: 'a function',
};

/** What sizes count, in the singular and plural. */
const counted: Readonly<Record<string, readonly [string, string]>> = {
  array: ['entry', 'entries'],
  string: ['letter', 'letters'],
};

const counting = (count: unknown, [one, several]: readonly [string, string]): string =>
  `${count} ${count === 1 ? one : several}`;

/** What was expected, in words. */
export function expectation(issue: SchemaIssue): string {
  const unit = counted[String(issue.origin)];
  switch (issue.code) {
    case 'custom':
      return String(issue.params?.expected ?? 'another value');
    case 'invalid_type':
      return kinds[String(issue.expected)] ?? `a value of type ${String(issue.expected)}`;
    case 'invalid_value':
      return `${issue.values!.length > 1 ? 'one of ' : ''}${issue.values!.join(', ')}`;
    case 'too_small':
      if (unit) return `${issue.exact ? '' : 'at least '}${counting(issue.minimum, unit)}`;
      return issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`;
    case 'too_big':
      if (unit) return `${issue.exact ? '' : 'at most '}${counting(issue.maximum, unit)}`;
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_union':
      return [...new Set(issue.errors!.map(([first]) => (first ? expectation(first) : 'another value')))].join(' or ');
    default:
      return 'another value';
  }
}
