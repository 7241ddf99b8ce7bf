/** An enumerator, which is written without quotes. */
export class Enumerator {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export type Value = string | number | boolean | Enumerator | Message;
/** Fields in the order they are written; a list stands for a repeated field, undefined for an absent one. */
export interface Message {
  readonly [field: string]: Value | readonly Value[] | undefined;
}

/** A map field: protobuf's text format writes one entry per key. */
export const mapOf = (entries: Iterable<readonly [string, Message]>): Message[] =>
  Array.from(entries, ([key, value]) => ({ key, value }));

/**
 * A message in protobuf's text format (protobuf.dev, "Text Format Language Specification"): `name: value`, `name { … }` for messages,
 * one line per element of a repeated field but short lists of numbers. Strings are UTF-8 with C's escapes.
 */
export const pbtxt = (message: Message): string => `${lines(message, '').join('\n')}\n`;

function lines(message: Message, indent: string): string[] {
  return Object.entries(message).flatMap(([field, value]) => {
    if (value === undefined) return [];
    if (!Array.isArray(value)) return one(field, value as Value, indent);
    const list = value as readonly Value[];
    if (list.length > 0 && list.every((item) => !isMessage(item))) {
      return [`${indent}${field}: [${list.map((item) => scalar(item)).join(', ')}]`];
    }
    return list.flatMap((item) => one(field, item, indent));
  });
}

const isMessage = (value: Value): value is Message => typeof value === 'object' && !(value instanceof Enumerator);

function one(field: string, value: Value, indent: string): string[] {
  if (!isMessage(value)) return [`${indent}${field}: ${scalar(value)}`];
  const inner = lines(value, `${indent}  `);
  return inner.length === 0 ? [`${indent}${field} {}`] : [`${indent}${field} {`, ...inner, `${indent}}`];
}

const scalar = (value: Value): string =>
  value instanceof Enumerator ? value.name : typeof value === 'string' ? quoted(value) : String(value);

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

/** Control characters in octal. */
const quoted = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches them on purpose
  `"${text.replace(/[\0-\x1f"\\\x7f]/g, (c) => short[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`;
