import type { TensorRTError } from '../dsl/errors.js';

/** JSON as it was written: objects as maps, whole numbers as bigint, so that nothing is lost or merged. */
export type Json = null | boolean | string | number | bigint | Json[] | Map<string, Json>;

// serde_json, which the official safetensors reader uses, stops at the same depth.
const deepest = 127;

/**
 * Strict JSON (RFC 8259). Beyond `JSON.parse`: duplicate keys and lone surrogates are errors, and so are numbers that
 * overflow a double; `__proto__` is a key like any other.
 * @throws `fail`'s error, with the byte offset
 */
export function parseJson(bytes: Uint8Array, fail: (problem: string) => TensorRTError): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail('is not valid UTF-8');
  }
  return new Reader(text, fail).document();
}

const space = /[ \t\n\r]*/y;
const numberToken = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// Everything up to the closing quote; JSON.parse then judges escapes and control characters.
const stringToken = /"(?:[^"\\]|\\.)*"/sy;
/** Half a surrogate pair, which no UTF-8 can hold. */
export const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

class Reader {
  #at = 0;

  constructor(
    readonly text: string,
    readonly fail: (problem: string) => TensorRTError,
  ) {}

  document(): Json {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.text.length) throw this.#error('expected the end');
    return value;
  }

  #value(depth: number): Json {
    if (depth > deepest) throw this.#error(`nested deeper than ${deepest}`);
    this.#skip();
    switch (this.text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Map<string, Json> {
    const map = new Map<string, Json>();
    this.#at++;
    if (this.#next('}')) return map;
    for (;;) {
      this.#skip();
      if (this.text[this.#at] !== '"') throw this.#error('expected a key');
      const key = this.#string();
      if (map.has(key)) throw this.#error(`has the key ${JSON.stringify(key.slice(0, 100))} twice`);
      if (!this.#next(':')) throw this.#error("expected ':'");
      map.set(key, this.#value(depth + 1));
      if (this.#next('}')) return map;
      if (!this.#next(',')) throw this.#error("expected ',' or '}'");
    }
  }

  #array(depth: number): Json[] {
    const list: Json[] = [];
    this.#at++;
    if (this.#next(']')) return list;
    for (;;) {
      list.push(this.#value(depth + 1));
      if (this.#next(']')) return list;
      if (!this.#next(',')) throw this.#error("expected ',' or ']'");
    }
  }

  #string(): string {
    const token = this.#token(stringToken)?.[0];
    if (token === undefined) throw this.#error('unterminated string');
    let value: string;
    try {
      value = JSON.parse(token) as string;
    } catch {
      throw this.#error('malformed string');
    }
    if (loneSurrogate.test(value)) throw this.#error('a string with half a surrogate pair');
    return value;
  }

  #number(): number | bigint {
    const match = this.#token(numberToken);
    if (!match) throw this.#error('expected a value');
    const [token, fraction, exponent] = match;
    // Minus zero is a float, as serde_json has it.
    const whole = fraction === undefined && exponent === undefined && token !== '-0';
    if (whole && token.length <= 20) return BigInt(token);
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#error('a number that overflows');
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) throw this.#error('expected a value');
    this.#at += word.length;
    return value;
  }

  #next(character: string): boolean {
    this.#skip();
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    this.#token(space);
  }

  #token(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #error(problem: string): TensorRTError {
    return this.fail(`is malformed at character ${this.#at}: ${problem}`);
  }
}
