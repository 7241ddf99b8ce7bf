import { Buffer, isUtf8 } from 'node:buffer';
import type { TensorRTError } from './errors/error.js';

/** Makes the error for a problem with the file. */
type Malformed = (problem: string) => TensorRTError;

/** What reading may cost, and when it rests. */
interface Budget {
  /** Whether it is time to rest, after so many more steps. */
  due(steps?: number): boolean;
  rest(): Promise<void>;
  /** Throws where it is too much. */
  spend(steps: number): void;
}

/** A number that was not written as a whole one: `1.0`, `1e3`, `-0`. */
export class JsonFloat {
  constructor(readonly value: number) {}
}

/** JSON as written: objects as maps, whole numbers beyond 2^53 as bigint, so that nothing is lost or merged. */
export type Json = null | boolean | string | number | bigint | JsonFloat | Json[] | Map<string, Json>;

// serde_json, which the official safetensors reader uses, stops at the same depth.
const deepest = 127;
const longestNumber = 400;
/** Most keys of an object, or items of a list: those of as many tensors as a weight file may hold, and `__metadata__`. */
const most = 1_000_001;
const stepsPerObject = 24;
const stepsPerKey = 4;
/** Bytes that are read without a look at the clock. */
const piece = 2 ** 16;
/** `\u0061` */
const longestEscape = 6;

/** Half a surrogate pair, which no UTF-8 can hold. */
export const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Strict JSON (RFC 8259). Beyond `JSON.parse`: duplicate keys and lone surrogates are errors, and so are numbers that
 * overflow a double; `__proto__` is a key like any other. Reads the bytes in one pass.
 * @throws `fail`'s error, with the byte offset
 */
export async function parseJson(bytes: Uint8Array, fail: Malformed, work: Budget): Promise<Json> {
  if (!isUtf8(bytes)) throw fail('is not valid UTF-8');
  return await new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), fail, work).document();
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

/** An object or a list that has begun. */
type Begun = { readonly value: Map<string, Json>; key: string } | { readonly value: Json[]; key?: undefined };

class Reader {
  #at = 0;

  constructor(
    readonly bytes: Buffer,
    readonly fail: Malformed,
    readonly work: Budget,
  ) {}

  async document(): Promise<Json> {
    const around: Begun[] = [];
    for (;;) {
      if (this.work.due()) await this.work.rest();
      if (around.length > deepest) throw this.#error(`nested deeper than ${deepest}`);
      this.work.spend(1);
      if (!this.#skip()) await this.#skipAll();
      const first = this.bytes[this.#at];
      let value: Json;
      if (first === openBrace || first === openBracket) {
        this.#at++;
        if (!this.#skip()) await this.#skipAll();
        const isObject = first === openBrace;
        if (this.bytes[this.#at] === (isObject ? closeBrace : closeBracket)) {
          this.#at++;
          this.work.spend(isObject ? stepsPerObject : 1);
          value = isObject ? new Map() : [];
        } else {
          if (isObject) this.work.spend(stepsPerObject);
          around.push(isObject ? { value: new Map(), key: this.#key() ?? (await this.#longKey()) } : { value: [] });
          continue;
        }
      } else value = first === quote ? (this.#string() ?? (await this.#longString())) : this.#scalar();

      // The value is whole: it goes into what has begun around it, which may end with it.
      for (;;) {
        const into = around.at(-1);
        if (!this.#skip()) await this.#skipAll();
        if (!into) {
          if (this.#at < this.bytes.length) throw this.#error('expected the end');
          return value;
        }
        const isList = into.key === undefined;
        if (isList) into.value.push(value);
        else into.value.set(into.key, value);
        const next = this.bytes[this.#at];
        if (next !== comma && next !== (isList ? closeBracket : closeBrace))
          throw this.#error(`expected ',' or '${isList ? ']' : '}'}'`);
        this.#at++;
        if (next === comma) {
          if ((isList ? into.value.length : into.value.size) >= most)
            throw this.#error(`more than ${most} ${isList ? 'items in a list' : 'keys in an object'}`);
          if (!isList) {
            if (!this.#skip()) await this.#skipAll();
            into.key = this.#key(into.value) ?? (await this.#longKey(into.value));
          }
          break;
        }
        value = into.value;
        around.pop();
      }
    }
  }

  /** A key and the colon behind it; undefined if they are long, and then nothing was read. @param map the keys before it */
  #key(map?: Map<string, Json>): string | undefined {
    const begin = this.#at;
    if (this.bytes[begin] !== quote) throw this.#error('expected a key');
    const key = this.#string();
    if (key === undefined) return undefined;
    if (this.#skip()) return this.#checked(key, map);
    this.#at = begin;
    return undefined;
  }

  async #longKey(map?: Map<string, Json>): Promise<string> {
    const key = await this.#longString();
    if (!this.#skip()) await this.#skipAll();
    return this.#checked(key, map);
  }

  #checked(key: string, map: Map<string, Json> | undefined): string {
    this.work.spend(stepsPerKey);
    if (map?.has(key)) throw this.#error(`has the key ${JSON.stringify(key.slice(0, 100))} twice`);
    if (this.bytes[this.#at] !== colon) throw this.#error("expected ':'");
    this.#at++;
    return key;
  }

  /** Undefined if it is long; then nothing was read. */
  #string(): string | undefined {
    const { end, backslashAt } = this.#piece(this.#at + 1);
    if (this.bytes[end] !== quote) return undefined;
    const value = this.#decoded(this.#at + 1, end, backslashAt !== undefined);
    this.#at = end + 1;
    return value;
  }

  async #longString(): Promise<string> {
    let value = '';
    /** Half a pair, whose other half may be in the next piece. */
    let half = '';
    for (let begin = this.#at + 1; ; ) {
      if (this.work.due(piece)) await this.work.rest();
      const { end, backslashAt } = this.#piece(begin);
      const isLast = this.bytes[end] === quote;
      let cut = end;
      // Neither an escape is cut nor a character of several bytes.
      if (!isLast && backslashAt !== undefined && end - backslashAt < longestEscape) cut = backslashAt;
      while (!isLast && (this.bytes[cut]! & 0xc0) === 0x80) cut--;
      const text = half + this.#decoded(begin, cut, backslashAt !== undefined, false);
      half = !isLast && /[\uD800-\uDBFF]$/.test(text) ? text.slice(-1) : '';
      const whole = half ? text.slice(0, -1) : text;
      this.#expectPairs(whole);
      value += whole;
      begin = cut;
      if (isLast) {
        this.#at = end + 1;
        return value;
      }
    }
  }

  /** Where the string ends, or a piece further if that is before, and where its last escape begins. */
  #piece(begin: number): { end: number; backslashAt: number | undefined } {
    const limit = begin + piece;
    let backslashAt: number | undefined;
    let end = begin;
    for (; this.bytes[end] !== quote && end < limit; end++) {
      const c = this.bytes[end];
      if (c === undefined) throw this.#error('unterminated string');
      if (c < 0x20) throw this.#error('malformed string');
      if (c === backslash) backslashAt = end++;
    }
    return { end, backslashAt };
  }

  #decoded(begin: number, end: number, escaped: boolean, isWhole = true): string {
    const text = this.bytes.toString('utf8', begin, end);
    if (!escaped) return text;
    let value: string;
    try {
      value = JSON.parse(`"${text}"`) as string;
    } catch {
      throw this.#error('malformed string');
    }
    if (isWhole) this.#expectPairs(value);
    return value;
  }

  #expectPairs(value: string): void {
    if (loneSurrogate.test(value)) throw this.#error('a string with half a surrogate pair');
  }

  #scalar(): Json {
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
    while (inNumber(this.bytes[end]) && end - begin <= longestNumber) end++;
    if (end - begin > longestNumber) throw this.#error(`a number of more than ${longestNumber} characters`);
    const token = this.bytes.toString('latin1', begin, end);
    if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(token)) throw this.#error('expected a value');
    this.#at = end;
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#error('a number that overflows');
    // Minus zero is a float, as serde_json has it.
    if (/[.eE]/.test(token) || Object.is(value, -0)) return new JsonFloat(value);
    return Number.isSafeInteger(value) ? value : BigInt(token);
  }

  /** @returns false if there may be more white space */
  #skip(): boolean {
    const limit = this.#at + piece;
    while (isSpace(this.bytes[this.#at])) if (++this.#at >= limit) return false;
    return true;
  }

  async #skipAll(): Promise<void> {
    do if (this.work.due(piece)) await this.work.rest();
    while (!this.#skip());
  }

  #error(problem: string): TensorRTError {
    return this.fail(`is malformed at byte ${this.#at}: ${problem}`);
  }
}
