import type { Buffer } from 'node:buffer';
import type { TensorRTError } from '../../errors/error.js';
import type { Malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';
import { PyDict, PyName, PyOpaque, PySet, PyTuple, type PyValue } from './python.js';

/** What the listed globals mean. */
export interface PickleRules {
  /** Whether a global such as `collections.OrderedDict` has a meaning here; all others are only names. */
  listed(name: string): boolean;
  /** The meaning of calling a listed global; undefined if its arguments make no sense. */
  reduce(name: string, args: readonly PyValue[]): PyValue | undefined;
  /** The meaning of a persistent id, if it has one. */
  persistent(id: PyValue): PyValue | undefined;
}

/** More opcodes than any checkpoint has: ten thousand tensors take a few hundred thousand. */
const maxOpcodes = 4_000_000;
const maxIntegerBytes = 128;
const mostArguments = 16;
const stop = 0x2e;

/**
 * Reads a pickle of protocols 2 to 5 without running anything: opcodes outside the list are errors; globals outside the
 * list are names, and whatever is called by such a name gives an opaque value, whose arguments, items and state are
 * dropped. Opcodes: Python's pickletools.
 * @param from byte at which the pickle begins
 * @returns the value, and the byte after the pickle
 */
export function unpickle(
  bytes: Uint8Array,
  rules: PickleRules,
  fail: Malformed,
  from = 0,
): { value: PyValue; end: number } {
  return new Unpickler(bytes, rules, fail, from).run();
}

class Unpickler {
  readonly #buffer: Buffer;
  #at: number;
  /** Byte after the frame. */
  #frame = 0;
  #stack: PyValue[] = [];
  readonly #marks: PyValue[][] = [];
  readonly #memo = new Map<number, PyValue>();

  constructor(
    bytes: Uint8Array,
    readonly rules: PickleRules,
    readonly fail: Malformed,
    from: number,
  ) {
    this.#at = from;
    this.#buffer = asBuffer(bytes);
  }

  run(): { value: PyValue; end: number } {
    for (let count = 0; ; count++) {
      if (count >= maxOpcodes) throw this.#error(`more than ${maxOpcodes} opcodes`);
      const opcode = this.#u8();
      if (opcode === stop) return { value: this.#pop(), end: this.#at };
      const operation = opcodes.get(opcode);
      if (!operation) throw this.#error(`opcode 0x${opcode.toString(16).padStart(2, '0')} is not allowed`);
      operation(this.#machine);
    }
  }

  readonly #machine: Machine = {
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    top: () => {
      if (!this.#stack.length) throw this.#error('its stack is empty');
      return this.#stack[this.#stack.length - 1]!;
    },
    popMany: (count) => {
      if (this.#stack.length < count) throw this.#error('its stack is too short');
      return this.#stack.splice(this.#stack.length - count, count);
    },
    mark: () => {
      this.#marks.push(this.#stack);
      this.#stack = [];
    },
    popMark: () => {
      const items = this.#stack;
      const below = this.#marks.pop();
      if (!below) throw this.#error('a mark is missing');
      this.#stack = below;
      return items;
    },
    u8: () => this.#u8(),
    bytes: (count) => this.#bytes(count),
    length: (size) => this.#length(size),
    text: (count) => this.#text(count),
    frame: (count) => {
      this.#bytes(count);
      this.#frame = this.#at;
      this.#at -= count;
    },
    line: () => {
      const end = this.#buffer.indexOf(0x0a, this.#at);
      if (end < 0) throw this.#error('it ends within a line');
      const line = this.#text(end - this.#at);
      this.#at++;
      return line;
    },
    remember: (index = this.#memo.size) => {
      if (index > maxOpcodes) throw this.#error(`memo ${index}`);
      this.#memo.set(index, this.#machine.top());
    },
    recall: (index) => {
      const value = this.#memo.get(index);
      if (value === undefined) throw this.#error(`memo ${index} is empty`);
      return value;
    },
    rules: () => this.rules,
    error: (problem) => this.#error(problem),
  };

  #pop(): PyValue {
    if (!this.#stack.length) throw this.#error('its stack is empty');
    return this.#stack.pop()!;
  }

  #u8(): number {
    if (this.#at >= this.#buffer.length) throw this.#error('it ends before STOP');
    return this.#buffer[this.#at++]!;
  }

  #bytes(count: number): Buffer {
    if (count > this.#buffer.length - this.#at)
      throw this.#error(`it claims ${count} bytes, ${this.#buffer.length - this.#at} are left`);
    if (this.#at < this.#frame && this.#at + count > this.#frame)
      throw this.#error('it reads across the end of a frame');
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  #length(size: 1 | 2 | 4 | 8): number {
    const bytes = this.#bytes(size);
    return size === 8 ? Number(bytes.readBigUInt64LE()) : bytes.readUIntLE(0, size);
  }

  #text(count: number): string {
    const bytes = this.#bytes(count);
    try {
      return utf8.decode(bytes as unknown as Uint8Array);
    } catch {
      throw this.#error('a string is not valid UTF-8');
    }
  }

  #error(problem: string): TensorRTError {
    return this.fail(`is malformed at byte ${this.#at}: ${problem}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Machine {
  push(value: PyValue): void;
  pop(): PyValue;
  top(): PyValue;
  popMany(count: number): PyValue[];
  mark(): void;
  popMark(): PyValue[];
  u8(): number;
  bytes(count: number): Buffer;
  length(size: 1 | 2 | 4 | 8): number;
  text(count: number): string;
  /** Checks that so many bytes follow. */
  frame(count: number): void;
  line(): string;
  remember(index?: number): void;
  recall(index: number): PyValue;
  rules(): PickleRules;
  error(problem: string): TensorRTError;
}

type Operation = (machine: Machine) => void;

const opcodes: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // numbers and constants
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.bytes(4).readInt32LE())], // BININT
  [0x4b, (m) => m.push(m.u8())], // BININT1
  [0x4d, (m) => m.push(m.length(2))], // BININT2
  [0x47, (m) => m.push(m.bytes(8).readDoubleBE())], // BINFLOAT
  [0x8a, (m) => m.push(integer(m, m.u8()))], // LONG1
  [0x8b, (m) => m.push(integer(m, m.length(4)))], // LONG4
  // strings
  [0x58, (m) => m.push(m.text(m.length(4)))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.u8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.length(8)))], // BINUNICODE8
  [0x54, (m) => m.push(m.text(m.length(4)))], // BINSTRING, Python 2's
  [0x55, (m) => m.push(m.text(m.u8()))], // SHORT_BINSTRING
  [0x42, (m) => m.push(m.bytes(m.length(4)) as unknown as Uint8Array)], // BINBYTES
  [0x43, (m) => m.push(m.bytes(m.u8()) as unknown as Uint8Array)], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.bytes(m.length(8)) as unknown as Uint8Array)], // BINBYTES8
  [0x96, (m) => m.push(m.bytes(m.length(8)) as unknown as Uint8Array)], // BYTEARRAY8
  // containers
  [0x28, (m) => m.mark()], // MARK
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x7d, (m) => m.push(new PyDict())], // EMPTY_DICT
  [0x8f, (m) => m.push(new PySet())], // EMPTY_SET
  [0x29, (m) => m.push(new PyTuple([]))], // EMPTY_TUPLE
  [0x74, (m) => m.push(new PyTuple(m.popMark()))], // TUPLE
  [0x85, (m) => m.push(new PyTuple(m.popMany(1)))], // TUPLE1
  [0x86, (m) => m.push(new PyTuple(m.popMany(2)))], // TUPLE2
  [0x87, (m) => m.push(new PyTuple(m.popMany(3)))], // TUPLE3
  [0x61, (m) => append(m, m.popMany(1))], // APPEND
  [0x65, (m) => append(m, m.popMark())], // APPENDS
  [0x73, (m) => setItems(m, m.popMany(2))], // SETITEM
  [0x75, (m) => setItems(m, m.popMark())], // SETITEMS
  [0x90, addItems], // ADDITEMS
  [0x91, frozenSet], // FROZENSET
  // the stack
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  // memo
  [0x71, (m) => m.remember(m.u8())], // BINPUT
  [0x72, (m) => m.remember(m.length(4))], // LONG_BINPUT
  [0x94, (m) => m.remember()], // MEMOIZE
  [0x68, (m) => m.push(m.recall(m.u8()))], // BINGET
  [0x6a, (m) => m.push(m.recall(m.length(4)))], // LONG_BINGET
  // framing
  [0x80, protocol], // PROTO
  [0x95, (m) => m.frame(m.length(8))], // FRAME
  // globals and calls, all by name
  [0x63, (m) => m.push(new PyName(`${m.line()}.${m.line()}`))], // GLOBAL
  [0x93, stackGlobal], // STACK_GLOBAL
  [0x52, call], // REDUCE
  [0x81, call], // NEWOBJ
  [0x92, callWithNames], // NEWOBJ_EX
  [0x62, build], // BUILD
  [0x51, persistentId], // BINPERSID
]);

function protocol(m: Machine): void {
  const version = m.u8();
  if (version < 2 || version > 5) throw m.error(`protocol ${version} is not supported`);
}

function integer(m: Machine, size: number): number | bigint {
  if (size > maxIntegerBytes) throw m.error(`an integer of ${size} bytes`);
  const bytes = m.bytes(size);
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (size && bytes[size - 1]! & 0x80) value -= 1n << BigInt(8 * size);
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

function append(m: Machine, items: PyValue[]): void {
  const list = m.top();
  if (list instanceof PyOpaque) return;
  if (!Array.isArray(list)) throw m.error('it appends to something that is not a list');
  for (const item of items) list.push(item);
}

function setItems(m: Machine, items: PyValue[]): void {
  const dict = m.top();
  if (items.length % 2) throw m.error('a key without a value');
  if (dict instanceof PyOpaque) return;
  if (!(dict instanceof PyDict)) throw m.error('it sets an item of something that is not a dictionary');
  for (let i = 0; i < items.length; i += 2) {
    if (!dict.set(items[i]!, items[i + 1]!)) throw m.error('a list, dictionary or set as a key');
  }
}

function addItems(m: Machine): void {
  m.popMark();
  const set = m.top();
  if (!(set instanceof PySet || set instanceof PyOpaque)) throw m.error('it adds to something that is not a set');
}

function frozenSet(m: Machine): void {
  m.popMark();
  m.push(new PySet());
}

function stackGlobal(m: Machine): void {
  const [module, name] = m.popMany(2);
  if (typeof module !== 'string' || typeof name !== 'string') throw m.error('a global whose name is not a string');
  m.push(new PyName(`${module}.${name}`));
}

function call(m: Machine): void {
  const [callee, args] = m.popMany(2);
  m.push(called(m, callee!, args!));
}

function callWithNames(m: Machine): void {
  const [callee, args, names] = m.popMany(3);
  if (!(names instanceof PyDict)) throw m.error('named arguments that are not a dictionary');
  if (callee instanceof PyName && m.rules().listed(callee.name)) throw m.error(`it calls ${callee.name} by NEWOBJ_EX`);
  m.push(called(m, callee!, args!));
}

function called(m: Machine, callee: PyValue, args: PyValue): PyValue {
  if (!(args instanceof PyTuple)) throw m.error('it calls with arguments that are not a tuple');
  if (callee instanceof PyOpaque) return new PyOpaque(callee.name);
  if (!(callee instanceof PyName)) throw m.error('it calls something that is not a global');
  const { name } = callee;
  if (!m.rules().listed(name)) return new PyOpaque(name);
  const result = m.rules().reduce(name, args.items);
  if (result !== undefined) return result;
  // A listed function over unlisted things, such as a parameter around some other library's tensor.
  const unlisted = (arg: PyValue) => arg instanceof PyOpaque || (arg instanceof PyName && !m.rules().listed(arg.name));
  if (args.items.slice(0, mostArguments).some(unlisted)) return new PyOpaque(name);
  throw m.error(`it calls ${name} with arguments that make no sense`);
}

function build(m: Machine): void {
  const state = m.pop();
  const value = m.top();
  if (value instanceof PyOpaque) value.isModule ||= isModuleState(state);
  else if (!(value instanceof PyDict)) throw m.error('it gives a state to an object that takes none');
}

const isModuleState = (state: PyValue): boolean =>
  state instanceof PyDict && state.map.has('_parameters') && state.map.has('_modules');

function persistentId(m: Machine): void {
  const value = m.rules().persistent(m.pop());
  if (value === undefined) throw m.error('a persistent id that is not a storage');
  m.push(value);
}
