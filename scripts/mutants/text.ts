/** C++ as text: finds comments, strings, matching brackets and arguments. */

export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Applies edits that do not overlap. */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), source);
}

const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)'/g;
const blank = (text: string) => text.replace(/[^\n]/g, ' ');

/** The source with comments and preprocessor lines blanked, at the same offsets. */
export const withoutComments = (source: string): string =>
  source
    .replace(tokens, (token) => (token.startsWith('/') ? blank(token) : token))
    .replace(/^#(?:[^\n]*\\\n)*[^\n]*/gm, blank);

/** The source with comments and quoted text blanked, at the same offsets. */
export const withoutStrings = (source: string): string =>
  withoutComments(source).replace(tokens, (token) => token[0] + ' '.repeat(token.length - 2) + token.at(-1));

const pairs: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The index of the bracket that closes the one at `open`, in a text without strings; -1 if there is none. */
export function closing(bare: string, open: number): number {
  const stack: string[] = [];
  for (let i = open; i < bare.length; i++) {
    const char = bare[i]!;
    if (pairs[char]) stack.push(pairs[char]);
    else if (char === stack.at(-1)) stack.pop();
    if (stack.length === 0) return i;
  }
  return -1;
}

export interface Span {
  start: number;
  end: number;
}

/** Start and end of each argument between the brackets at `open` and `close`, without surrounding spaces. */
export function argumentsOf(bare: string, open: number, close: number): Span[] {
  const spans: Span[] = [];
  let start = open + 1;
  const add = (end: number) => {
    const text = bare.slice(start, end);
    if (text.trim())
      spans.push({ start: start + text.length - text.trimStart().length, end: start + text.trimEnd().length });
    start = end + 1;
  };
  for (let i = start; i < close; i++) {
    if (pairs[bare[i]!]) i = closing(bare, i);
    else if (bare[i] === ',') add(i);
  }
  add(close);
  return spans;
}
