import {
  addDims,
  ceilDivDims,
  type Dim,
  floorDivDims,
  isDimName,
  maxDims,
  minDims,
  modDims,
  mulDims,
  subDims,
} from './dim.js';

const tokens = /\s*(?:(\d+)|([\p{L}_?][\p{L}\p{N}_.?:-]*)|([-+*/(),]))/uy;
const calls: Readonly<Record<string, { separator: string; apply: (a: Dim, b: Dim) => Dim }>> = {
  floor: { separator: '/', apply: floorDivDims },
  ceil: { separator: '/', apply: ceilDivDims },
  max: { separator: ',', apply: maxDims },
  min: { separator: ',', apply: minDims },
  mod: { separator: ',', apply: modDims },
};

class DimSyntax extends Error {}

/** In characters, of a text and of each product in it: products of many sums have very many terms. */
const longest = 2000;

function tokenize(text: string): string[] {
  const found: string[] = [];
  tokens.lastIndex = 0;
  while (tokens.lastIndex < text.trimEnd().length) {
    const match = tokens.exec(text);
    if (!match) throw new DimSyntax();
    found.push(match[1] ?? match[2] ?? match[3]!);
  }
  return found;
}

/** Recursive descent over `+ - *`, parentheses and the function calls that appear in printed dims. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(list: readonly string[]) {
    this.#tokens = list;
  }

  whole(): Dim {
    const dim = this.#sum();
    if (this.#at !== this.#tokens.length) throw new DimSyntax();
    return dim;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new DimSyntax();
  }

  #sum(): Dim {
    let sum = this.#take('-') ? mulDims(this.#product(), -1) : this.#product();
    for (;;) {
      if (this.#take('+')) sum = addDims(sum, this.#product());
      else if (this.#take('-')) sum = subDims(sum, this.#product());
      else return sum;
    }
  }

  #product(): Dim {
    let product = this.#factor();
    while (this.#take('*')) {
      product = mulDims(product, this.#factor());
      if (`${product}`.length > longest) throw new DimSyntax();
    }
    return product;
  }

  #factor(): Dim {
    if (this.#take('(')) {
      const dim = this.#sum();
      this.#expect(')');
      return dim;
    }
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new DimSyntax();
    if (/^\d/.test(token)) return Number(token);
    if (Object.hasOwn(calls, token) && this.#take('(')) {
      const { separator, apply } = calls[token]!;
      const a = this.#sum();
      this.#expect(separator);
      const b = this.#sum();
      this.#expect(')');
      if (b === 0 && (separator === '/' || token === 'mod')) throw new DimSyntax();
      return apply(a, b);
    }
    if (!isDimName(token) && !token.includes('?')) throw new DimSyntax();
    return token;
  }
}

/**
 * Parses an expression over dim names, as a tensor's `shape` shows it: `'batch'`, `'2*batch + 1'`, `'floor(n / 2)'`.
 * A `-` between names needs spaces, because names may contain it. Undefined if the text is not an expression, or very long.
 */
export function parseDim(text: string): Dim | undefined {
  if (text.length > longest) return undefined;
  try {
    return new Parser(tokenize(text)).whole();
  } catch (error) {
    if (error instanceof DimSyntax) return undefined;
    throw error;
  }
}
