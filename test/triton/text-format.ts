import { readFileSync } from 'node:fs';

interface Field {
  /** A message's or enumeration's full name, or protobuf's number of a C++ type. */
  type: string | number;
  repeated: boolean;
  values?: string[];
}

/** The fields of Triton's messages, from the protobuf of tritonclient. */
const messages: Record<string, Record<string, Field>> = JSON.parse(
  readFileSync(new URL('fixtures/model-config.json', import.meta.url), 'utf8'),
);

const token = /\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*)|(-?\d+)|([{}[\]:,]))/y;
type Token = { kind: 'text' | 'name' | 'number' | 'sign'; text: string };

function tokens(text: string): Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (!match) throw new Error('not in protobuf’s text format');
    const [, quoted, name, number, sign] = match;
    if (quoted !== undefined) found.push({ kind: 'text', text: unescaped(quoted) });
    else if (name !== undefined) found.push({ kind: 'name', text: name });
    else if (number !== undefined) found.push({ kind: 'number', text: number });
    else found.push({ kind: 'sign', text: sign! });
  }
  return found;
}

const unescaped = (text: string): string =>
  text.replace(/\\(n|r|t|"|\\|[0-7]{3})/g, (_, c: string) =>
    c.length === 3 ? String.fromCharCode(Number.parseInt(c, 8)) : ({ n: '\n', r: '\r', t: '\t' }[c] ?? c),
  );

/** Reads what this package writes of the text format, and holds every field to Triton's messages: name, type, enumerator, number. */
export function parseConfig(text: string): Record<string, unknown> {
  const all = tokens(text);
  let at = 0;
  const take = (expected?: string): Token => {
    const next = all[at++];
    if (!next || (expected !== undefined && next.text !== expected)) throw new Error(`expected ${expected ?? 'more'}`);
    return next;
  };
  const value = (field: Field, name: string): unknown => {
    if (typeof field.type === 'string' && !field.values) {
      take('{');
      const inner = message(field.type);
      take('}');
      return inner;
    }
    const { kind, text } = take();
    if (field.values) {
      if (kind !== 'name' || !field.values.includes(text)) throw new Error(`${name}: no value is called ${text}`);
      return text;
    }
    // Descriptor's numbers of C++ types: 7 bool, 9 string, 1 to 4 integers.
    const isRight =
      field.type === 9 ? kind === 'text' : field.type === 7 ? /^(true|false)$/.test(text) : kind === 'number';
    if (!isRight) throw new Error(`${name}: ${text} has another type`);
    return field.type === 9 ? text : JSON.parse(text);
  };
  const message = (type: string): Record<string, unknown> => {
    const read: Record<string, unknown> = {};
    while (at < all.length && all[at]!.text !== '}') {
      const { text: name } = take();
      const field = messages[type]![name];
      if (!field) throw new Error(`${type} has no field ${name}`);
      const isMessage = typeof field.type === 'string' && !field.values;
      if (!isMessage) take(':');
      if (field.repeated && all[at]!.text === '[') {
        take('[');
        const list: unknown[] = [];
        while (all[at]!.text !== ']') {
          list.push(value(field, name));
          if (all[at]!.text === ',') take();
        }
        take(']');
        read[name] = [...((read[name] as unknown[]) ?? []), ...list];
      } else if (field.repeated) read[name] = [...((read[name] as unknown[]) ?? []), value(field, name)];
      else if (name in read) throw new Error(`${name} is there twice`);
      else read[name] = value(field, name);
    }
    return read;
  };
  const read = message('inference.ModelConfig');
  if (at < all.length) throw new Error('more than one message');
  return read;
}
