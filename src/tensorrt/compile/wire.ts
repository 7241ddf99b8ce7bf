import type { IRGraph, IRNamed, LayerParams, ValueId } from '../../dsl/ir.js';
import type { RecordedNode } from '../../dsl/network.js';

/** Tags of the kinds of values; native/program/wire.cc reads them. */
const tag = { null: 0, no: 1, yes: 2, integer: 3, real: 4, big: 5, text: 6, list: 7, object: 8 } as const;

const utf8 = new TextEncoder();
const eight = new Uint8Array(8);
const float64 = new Float64Array(eight.buffer);
const int64 = new BigInt64Array(eight.buffer);

/**
 * Writes graphs as bytes, which the addon reads off the event loop: walking objects through Node-API takes several times
 * longer. Numbers are LEB128; −1 and "absent" are written as 0. Repeated strings and parameters are written as numbers.
 */
export class ProgramWriter {
  #bytes = new Uint8Array(1 << 14);
  #at = 0;
  readonly #words = new Map<string, number>();
  readonly #params = new Map<LayerParams, number>();

  /** Returns the bytes written since the last call. */
  take(): Uint8Array {
    const piece = this.#bytes.slice(0, this.#at);
    this.#at = 0;
    return piece;
  }

  /** Writes the start of a network, before its nodes. */
  start({ debugIds, ...graph }: Pick<IRGraph, 'inputs' | 'outputs'> & { debugIds: readonly ValueId[] }): void {
    this.head(graph);
    this.#number(debugIds.length);
    for (const id of debugIds) this.#number(id);
  }

  /** Writes the start of a graph, before its nodes. */
  head({ inputs, outputs }: Pick<IRGraph, 'inputs' | 'outputs'>): void {
    this.#number(inputs.length);
    for (const input of inputs) this.#input(input);
    this.#number(outputs.length);
    for (const { id, name } of outputs) {
      this.#number(id);
      this.#text(name);
    }
  }

  node({ kind, name, inputs, weights, params, outputs, bodies }: RecordedNode): void {
    this.#word(kind);
    this.#text(name);
    this.#number(inputs.length);
    for (const id of inputs) this.#number(id === null ? 0 : id + 1);
    const roles = Object.keys(weights);
    this.#number(roles.length);
    for (const role of roles) {
      this.#word(role);
      this.#number(weights[role]!);
    }
    const known = this.#params.get(params);
    this.#number(known ?? this.#params.size);
    if (known === undefined) {
      this.#params.set(params, this.#params.size);
      this.#object(params);
    }
    this.#number(outputs.length);
    for (const { id, dtype, shape } of outputs) {
      this.#number(id);
      this.#word(dtype);
      this.#number(shape.length);
      for (const dim of shape) this.#number(typeof dim === 'number' ? dim + 1 : 0);
    }
    const nested = bodies ? Object.keys(bodies) : [];
    this.#number(nested.length);
    for (const role of nested) {
      this.#word(role);
      this.head(bodies![role]!);
      this.#number(bodies![role]!.nodes.length);
      for (const node of bodies![role]!.nodes) this.node(node);
    }
  }

  #input({ id, name, dtype, shape }: IRNamed): void {
    this.#number(id);
    this.#text(name);
    this.#word(dtype);
    this.#number(shape.length);
    for (const dim of shape) {
      this.#number(typeof dim === 'number' ? dim + 1 : 0);
      if (typeof dim === 'string') this.#word(dim);
    }
  }

  #object(object: LayerParams): void {
    const keys = Object.keys(object);
    this.#number(keys.length);
    for (const key of keys) {
      this.#word(key);
      this.#value(object[key]);
    }
  }

  #value(value: unknown): void {
    if (typeof value === 'number') this.#real(value);
    else if (typeof value === 'string') {
      this.#byte(tag.text);
      this.#word(value);
    } else if (typeof value === 'boolean') this.#byte(value ? tag.yes : tag.no);
    else if (value === null || value === undefined) this.#byte(tag.null);
    else if (typeof value === 'bigint') {
      int64[0] = value;
      this.#byte(tag.big);
      this.#raw(eight);
    } else if (Array.isArray(value)) {
      this.#byte(tag.list);
      this.#number(value.length);
      for (const item of value) this.#value(item);
    } else {
      this.#byte(tag.object);
      this.#object(value as LayerParams);
    }
  }

  #real(value: number): void {
    // −0 must stay −0. The zigzag form doubles the number.
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 52 && !Object.is(value, -0)) {
      this.#byte(tag.integer);
      this.#number(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      float64[0] = value;
      this.#byte(tag.real);
      this.#raw(eight);
    }
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #number(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #text(text: string): void {
    this.#room(text.length * 3 + 8);
    const start = this.#at;
    this.#number(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.#at = start;
        const bytes = utf8.encode(text);
        this.#number(bytes.length);
        this.#raw(bytes);
        return;
      }
      this.#bytes[this.#at++] = code;
    }
  }

  #word(text: string): void {
    const known = this.#words.get(text);
    this.#number(known ?? this.#words.size);
    if (known !== undefined) return;
    this.#words.set(text, this.#words.size);
    this.#text(text);
  }
}
