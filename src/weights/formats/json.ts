import { type Buffer, isUtf8 } from 'node:buffer';
import type { TensorRTError } from '../../errors/error.js';
import type { Malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';

/** A number that was not written as a whole one: `1.0`, `1e3`, `-0`. */
export class JsonFloat {
  constructor(readonly value: number) {}
}

/** JSON as written: objects as maps, whole numbers beyond 2^53 as bigint, so that nothing is lost or merged. */
export type Json = null | boolean | string | number | bigint | JsonFloat | Json[] | Map<string, Json>;

// serde_json, which the official safetensors reader uses, stops at the same depth.
const deepest = 127;
const longestNumber = 400;

/** Half a surrogate pair, which no UTF-8 can hold. */
export const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Strict JSON (RFC 8259). Beyond `JSON.parse`: duplicate keys and lone surrogates are errors, and so are numbers that
 * overflow a double; `__proto__` is a key like any other. Reads the bytes in one pass, without recursion over strings.
 * @throws `fail`'s error, with the byte offset
 */
export function parseJson(bytes: Uint8Array, fail: Malformed): Json {
  if (!isUtf8(bytes)) throw fail('is not valid UTF-8');
  return new Reader(asBuffer(bytes), fail).document();
}

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma, colon] = Array.from(
  '"\\{}[],:',
  code,
);
const words: readonly [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

const isSpace = (c: number | undefined): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
const isDigit = (c: number | undefined): boolean => c !== undefined && c >= 0x30 && c <= 0x39;
/** Digits, `+`, `-`, `.`, `e`, `E`. */
const inNumber = (c: number | undefined): boolean =>
  isDigit(c) || c === 0x2b || c === 0x2d || c === 0x2e || c === 0x65 || c === 0x45;

class Reader {
  #at = 0;

  constructor(
    readonly bytes: Buffer,
    readonly fail: Malformed,
  ) {}

  document(): Json {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.bytes.length) throw this.#error('expected the end');
    return value;
  }

  #value(depth: number): Json {
    if (depth > deepest) throw this.#error(`nested deeper than ${deepest}`);
    this.#skip();
    switch (this.bytes[this.#at]) {
      case openBrace:
        return this.#object(depth);
      case openBracket:
        return this.#array(depth);
      case quote:
        return this.#string();
    }
    for (const [word, value] of words) {
      if (
        this.bytes[this.#at] === code(word) &&
        this.bytes.toString('latin1', this.#at, this.#at + word.length) === word
      ) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(depth: number): Map<string, Json> {
    const map = new Map<string, Json>();
    this.#at++;
    if (this.#next(closeBrace!)) return map;
    for (;;) {
      this.#skip();
      if (this.bytes[this.#at] !== quote) throw this.#error('expected a key');
      const key = this.#string();
      if (map.has(key)) throw this.#error(`has the key ${JSON.stringify(key.slice(0, 100))} twice`);
      if (!this.#next(colon!)) throw this.#error("expected ':'");
      map.set(key, this.#value(depth + 1));
      if (this.#next(closeBrace!)) return map;
      if (!this.#next(comma!)) throw this.#error("expected ',' or '}'");
    }
  }

  #array(depth: number): Json[] {
    const list: Json[] = [];
    this.#at++;
    if (this.#next(closeBracket!)) return list;
    for (;;) {
      list.push(this.#value(depth + 1));
      if (this.#next(closeBracket!)) return list;
      if (!this.#next(comma!)) throw this.#error("expected ',' or ']'");
    }
  }

  #string(): string {
    const begin = this.#at;
    let escaped = false;
    let end = begin + 1;
    for (; this.bytes[end] !== quote; end++) {
      const c = this.bytes[end];
      if (c === undefined) throw this.#error('unterminated string');
      if (c < 0x20) throw this.#error('malformed string');
      if (c === backslash) {
        escaped = true;
        end++;
      }
    }
    this.#at = end + 1;
    if (!escaped) return this.bytes.toString('utf8', begin + 1, end);
    let value: string;
    try {
      value = JSON.parse(this.bytes.toString('utf8', begin, end + 1)) as string;
    } catch {
      throw this.#error('malformed string');
    }
    if (loneSurrogate.test(value)) throw this.#error('a string with half a surrogate pair');
    return value;
  }

  #number(): number | bigint | JsonFloat {
    const begin = this.#at;
    let end = begin;
    // Short whole numbers, which headers are full of.
    let whole = 0;
    while (end - begin < 15 && isDigit(this.bytes[end])) whole = whole * 10 + this.bytes[end++]! - 0x30;
    const plain = end > begin && !inNumber(this.bytes[end]) && (end === begin + 1 || this.bytes[begin] !== 0x30);
    if (plain) {
      this.#at = end;
      return whole;
    }
    while (inNumber(this.bytes[end])) end++;
    if (end - begin > longestNumber) throw this.#error(`a number of ${end - begin} characters`);
    const token = this.bytes.toString('latin1', begin, end);
    if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(token)) throw this.#error('expected a value');
    this.#at = end;
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#error('a number that overflows');
    // Minus zero is a float, as serde_json has it.
    if (/[.eE]/.test(token) || Object.is(value, -0)) return new JsonFloat(value);
    return Number.isSafeInteger(value) ? value : BigInt(token);
  }

  #next(character: number): boolean {
    this.#skip();
    if (this.bytes[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    while (isSpace(this.bytes[this.#at])) this.#at++;
  }

  #error(problem: string): TensorRTError {
    return this.fail(`is malformed at byte ${this.#at}: ${problem}`);
  }
}
