// Text of limited width, in the manner of Wadler's pretty printer (1998): what fits is written on one line, what does not is broken.

/** A piece of code that knows how to be broken. */
export type Doc = string | readonly Doc[] | Group | Chain | Block;

/** Items between brackets: on one line, or one a line. */
interface Group {
  is: 'group';
  open: string;
  items: readonly Doc[];
  close: string;
  /** Spaces inside the brackets if on one line: braces. */
  spaced: boolean;
  /** Whether broken items share lines: numbers. */
  fills: boolean;
  /** Whether the last item alone may be broken, as a call's options are. */
  hugs: boolean;
}

/** A receiver, and calls on it: on one line, or one call a line. */
interface Chain {
  is: 'chain';
  head: Doc;
  links: readonly Doc[];
}

/** Statements in braces, always broken. */
interface Block {
  is: 'block';
  lines: readonly Doc[];
}

export const group = (open: string, items: readonly Doc[], close: string, form: Partial<Group> = {}): Doc => ({
  is: 'group',
  open,
  items,
  close,
  spaced: false,
  fills: false,
  hugs: false,
  ...form,
});

export const call = (name: string, args: readonly Doc[]): Doc => group(`${name}(`, args, ')', { hugs: true });

export const chain = (head: Doc, links: readonly Doc[]): Doc => ({ is: 'chain', head, links });

export const block = (lines: readonly Doc[]): Doc => ({ is: 'block', lines });

const width = 100;
/** A chain of more calls is broken even if it fits. */
const mostLinks = 2;

const isList = (doc: Doc): doc is readonly Doc[] => Array.isArray(doc);

/** The text on one line; undefined if it has to be broken. */
function flat(doc: Doc): string | undefined {
  if (typeof doc === 'string') return doc.includes('\n') ? undefined : doc;
  if (isList(doc)) return flatAll(doc, '');
  if (doc.is === 'block') return undefined;
  if (doc.is === 'chain') return doc.links.length > mostLinks ? undefined : flatAll([doc.head, ...doc.links], '');
  const inner = flatAll(doc.items, ', ');
  if (inner === undefined) return undefined;
  const space = doc.spaced && doc.items.length > 0 ? ' ' : '';
  return doc.open + space + inner + space + doc.close;
}

function flatAll(docs: readonly Doc[], between: string): string | undefined {
  const parts: string[] = [];
  for (const doc of docs) {
    const text = flat(doc);
    if (text === undefined) return undefined;
    parts.push(text);
  }
  return parts.join(between);
}

const lastLine = (text: string): string => text.slice(text.lastIndexOf('\n') + 1);
const firstLine = (text: string): string => text.split('\n', 1)[0]!;

/**
 * Lays a piece out.
 * @param indent of the line that it begins on
 * @param column where on that line it begins
 * @param after what follows on its last line
 */
export function layOut(doc: Doc, indent = '', column = indent.length, after = 0): string {
  const one = flat(doc);
  if (one !== undefined && column + one.length + after <= width) return one;
  if (typeof doc === 'string') return doc;
  if (isList(doc)) return inOrder(doc, indent, column, after);
  const inner = `${indent}  `;
  if (doc.is === 'block') {
    return `{\n${doc.lines.map((line) => `${inner}${layOut(line, inner)}\n`).join('')}${indent}}`;
  }
  if (doc.is === 'chain') {
    const head = layOut(doc.head, indent, column);
    if (doc.links.length === 1) return inOrder([head, doc.links[0]!], indent, column, after);
    return [head, ...doc.links.map((link) => inner + layOut(link, inner))].join('\n');
  }
  return broken(doc, indent, column);
}

function inOrder(docs: readonly Doc[], indent: string, column: number, after: number): string {
  let text = '';
  for (const [i, doc] of docs.entries()) {
    const rest = flatAll(docs.slice(i + 1), '');
    const at = text.includes('\n') ? lastLine(text).length : column + text.length;
    text += layOut(doc, indent, at, (rest?.length ?? 0) + after);
  }
  return text;
}

function broken({ open, items, close, fills, hugs }: Group, indent: string, column: number): string {
  const inner = `${indent}  `;
  if (items.length === 0) return open + close;
  if (hugs) {
    const head = flatAll(items.slice(0, -1), ', ');
    if (head !== undefined) {
      const start = open + head + (head === '' ? '' : ', ');
      const last = items.at(-1)!;
      const canHug = typeof last !== 'string' && !(!isList(last) && last.is === 'chain');
      const text = canHug ? layOut(last, indent, column + start.length, close.length) : '';
      const fits = column + start.length + firstLine(text).length <= width;
      if (text.includes('\n') && fits) return start + text + close;
    }
  }
  if (fills) {
    const lines: string[] = [];
    let line = inner;
    for (const item of items) {
      const text = `${flat(item)},`;
      if (line !== inner && line.length + 1 + text.length > width) {
        lines.push(line);
        line = inner;
      }
      line += line === inner ? text : ` ${text}`;
    }
    return [open, ...lines, line, indent + close].join('\n');
  }
  const lines = items.map((item) => `${inner}${layOut(item, inner, inner.length, 1)},`);
  return [open, ...lines, indent + close].join('\n');
}
