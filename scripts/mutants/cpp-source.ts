import { argumentsOf, closing, type Edit, type Span } from './text.js';

/** A change by one operator at one place; `what` names the place by its text, not its line. */
export interface Change {
  operator: string;
  what: string;
  edits: Edit[];
}

/** A C++ file, with what its operators need to know. */
export interface CppSource {
  /** With comments. */
  text: string;
  /** TensorRT's enumerators by enum, in the IR's spelling: `max` for `kMAX`. */
  enums: ReadonlyMap<string, readonly string[]>;
}

export interface Parsed extends CppSource {
  /** Without comments. */
  code: string;
  /** Without comments and strings. */
  bare: string;
}

export type Operator = (source: Parsed) => Change[];

export const replace = ({ start, end }: Span, text: string): Edit => ({ start, end, text });
export const short = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Matches of a pattern in `text`, each with the span of the whole match. */
export function* matches(text: string, pattern: RegExp): Generator<RegExpExecArray & Span> {
  for (const match of text.matchAll(pattern))
    yield Object.assign(match as RegExpExecArray, { start: match.index, end: match.index + match[0].length });
}

/** Calls of the functions that match `pattern`, which ends before the bracket. */
export function* calls(
  source: Parsed,
  pattern: RegExp,
): Generator<{ match: RegExpExecArray; span: Span; args: Span[] }> {
  for (const match of matches(source.bare, new RegExp(`${pattern.source}\\(`, 'g'))) {
    const close = closing(source.bare, match.end - 1);
    const args = argumentsOf(source.bare, match.end - 1, close);
    yield { match, span: { start: match.start, end: close + 1 }, args };
  }
}

export const textOf = (source: Parsed, { start, end }: Span) => source.code.slice(start, end);

/** The start of an expression that ends with a method call: `iterators[i].flag(`. */
export const object = String.raw`(?<![\w.>])(?:\w+(?:\[[^\]]*\])*(?:\.|->))+`;

export function readings(source: Parsed, getter: string): { name: string; span: Span; text: string }[] {
  return [...matches(source.code, new RegExp(`${object}${getter}\\(("?)(\\w+)\\1\\)`, 'g'))].map((match) => ({
    name: match[2]!,
    span: match,
    text: match[0],
  }));
}

/** The declared type of a name in this file; '' if there is no declaration. */
export function typeOf(source: Parsed, name: string): string {
  const one = new RegExp(`\\b([A-Za-z]\\w*)(?: const)?\\s?[*&]? ?\\b${name}\\b(?=\\s*[=;{,)[])`, 'g');
  const types = [...matches(source.bare, one)].map((match) => match[1]!).filter((type) => type !== 'return');
  const joined = new RegExp(`\\b(Tensor|Dims)\\b [^;]*[,*] ?\\*?${name}\\b\\s*[=,;]`).exec(source.bare);
  return types[0] ?? joined?.[1] ?? '';
}
