import { Buffer, isUtf8 } from 'node:buffer';
import type { TensorRTError } from '../../errors/error.js';
import type { Malformed } from '../format-error.js';
import { asBuffer } from './buffer.js';
import { emptyTuple, longText, PyDict, PyName, PyOpaque, PySet, PyTuple, type PyValue, plain } from './python.js';
import { PyFloat } from './python-scalar.js';
import type { Work } from './work.js';

/** What the listed globals mean. */
export interface PickleRules {
  /** Whether a global such as `collections.OrderedDict` has a meaning here; all others are only names. */
  listed(name: string): boolean;
  /** The meaning of calling a listed global; undefined if its arguments make no sense. */
  reduce(name: string, args: readonly PyValue[]): Meaning | Promise<Meaning>;
  /** The meaning of a persistent id, if it has one. */
  persistent(id: PyValue): PyValue | undefined;
}

export type Meaning = PyValue | undefined;

/** More opcodes than any checkpoint has: ten thousand tensors take a few hundred thousand. */
const maxOpcodes = 4_000_000;
const maxIntegerBytes = 128;
const mostArguments = 16;
const longestName = 1000;
/** Bytes of a string that may be a name; longer ones are never read. */
const longestText = 2 ** 20;
/** Items that are set or appended without a look at the clock. */
const few = 4096;
const stop = 0x2e;

/**
 * Reads a pickle of protocols 2 to 5 without running anything: opcodes outside the list are errors; globals outside the
 * list are names, and whatever is called by such a name gives an opaque value, whose arguments, items and state are
 * dropped. Opcodes: Python's pickletools.
 * @param from byte at which the pickle begins
 * @returns the value, and the byte after the pickle
 */
export async function unpickle(
  bytes: Uint8Array,
  rules: PickleRules,
  work: Work,
  fail: Malformed,
  from = 0,
): Promise<{ value: PyValue; end: number }> {
  return await new Unpickler(bytes, rules, work, fail, from).run();
}

class Unpickler {
  readonly #buffer: Buffer;
  #at: number;
  /** Byte after the frame. */
  #frame = 0;
  readonly #stack: PyValue[] = [];
  /** Heights of the stack. */
  readonly #marks: number[] = [];
  /** Gaps are filled: indices count up in what any pickler writes. */
  readonly #memo: (PyValue | undefined)[] = [];
  #memoized = 0;

  constructor(
    bytes: Uint8Array,
    readonly rules: PickleRules,
    readonly work: Work,
    readonly fail: Malformed,
    from: number,
  ) {
    this.#at = from;
    this.#buffer = asBuffer(bytes);
  }

  async run(): Promise<{ value: PyValue; end: number }> {
    for (let count = 0; ; count++) {
      if (this.work.due()) await this.work.rest();
      if (count >= maxOpcodes) throw this.#error(`more than ${maxOpcodes} opcodes`);
      const opcode = this.#u8();
      if (opcode === stop) return { value: this.#pop(), end: this.#at };
      const operation = operations[opcode];
      if (!operation) throw this.#error(`opcode 0x${opcode.toString(16).padStart(2, '0')} is not allowed`);
      const rest = operation(this.#machine);
      if (rest) await rest;
    }
  }

  readonly #machine: Machine = {
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    top: () => {
      if (this.#stack.length <= this.#floor()) throw this.#error('its stack is empty');
      return this.#stack[this.#stack.length - 1]!;
    },
    popMany: (count) => {
      if (this.#stack.length - this.#floor() < count) throw this.#error('its stack is too short');
      return this.#stack.splice(this.#stack.length - count, count);
    },
    mark: () => void this.#marks.push(this.#stack.length),
    popMark: () => {
      const height = this.#marks.pop();
      if (height === undefined) throw this.#error('a mark is missing');
      return this.#stack.splice(height);
    },
    u8: () => this.#u8(),
    bytes: (count) => this.#bytes(count),
    length: (size) => this.#length(size),
    text: (count) => this.#text(count),
    frame: (count) => {
      this.#expect(count);
      this.#frame = this.#at + count;
    },
    line: () => {
      const end = this.#buffer.subarray(this.#at, this.#at + longestName + 1).indexOf(0x0a);
      if (end < 0) throw this.#error('it ends within a line, or has a name of more than 1000 bytes');
      const line = this.#decoded(end);
      this.#at++;
      return line;
    },
    remember: (index = this.#memoized) => {
      if (index > this.#buffer.length + few) throw this.#error(`memo ${index}`);
      const top = this.#machine.top();
      while (this.#memo.length < index) this.#memo.push(undefined);
      if (this.#memo[index] === undefined) this.#memoized++;
      this.#memo[index] = top;
    },
    recall: (index) => {
      const value = this.#memo[index];
      if (value === undefined) throw this.#error(`memo ${index} is empty`);
      return value;
    },
    rules: () => this.rules,
    work: () => this.work,
    error: (problem) => this.#error(problem),
  };

  #floor(): number {
    return this.#marks[this.#marks.length - 1] ?? 0;
  }

  #pop(): PyValue {
    if (this.#stack.length <= this.#floor()) throw this.#error('its stack is empty');
    return this.#stack.pop()!;
  }

  #u8(): number {
    if (this.#at >= this.#buffer.length) throw this.#error('it ends before STOP');
    return this.#buffer[this.#at++]!;
  }

  /** Checks that so many bytes follow. */
  #expect(count: number): void {
    if (count > this.#buffer.length - this.#at)
      throw this.#error(`it claims ${count} bytes, ${this.#buffer.length - this.#at} are left`);
    if (this.#at < this.#frame && this.#at + count > this.#frame)
      throw this.#error('it reads across the end of a frame');
  }

  #bytes(count: number): Buffer {
    this.#expect(count);
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  #length(size: 1 | 2 | 4 | 8): number {
    const bytes = this.#bytes(size);
    return size === 8 ? Number(bytes.readBigUInt64LE()) : bytes.readUIntLE(0, size);
  }

  #text(count: number): PyValue {
    if (count <= longestText) return this.#decoded(count);
    if (!isUtf8(this.#bytes(count))) throw this.#error('a string is not valid UTF-8');
    return longText;
  }

  #decoded(count: number): string {
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
  /** A string; `longText` for one too long to be a name. */
  text(count: number): PyValue;
  /** Checks that so many bytes follow, which belong together. */
  frame(count: number): void;
  line(): string;
  remember(index?: number): void;
  recall(index: number): PyValue;
  rules(): PickleRules;
  work(): Work;
  error(problem: string): TensorRTError;
}

/** What it returns has to be waited for. */
type Operation = (machine: Machine) => void | Promise<void>;

const opcodes: [number, Operation][] = [
  // numbers and constants
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.bytes(4).readInt32LE())], // BININT
  [0x4b, (m) => m.push(m.u8())], // BININT1
  [0x4d, (m) => m.push(m.length(2))], // BININT2
  [0x47, (m) => m.push(new PyFloat(m.bytes(8).readDoubleBE()))], // BINFLOAT
  [0x8a, (m) => m.push(integer(m, m.u8()))], // LONG1
  [0x8b, (m) => m.push(integer(m, m.length(4)))], // LONG4
  // strings
  [0x58, (m) => m.push(m.text(m.length(4)))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.u8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.length(8)))], // BINUNICODE8
  [0x54, (m) => m.push(m.text(m.length(4)))], // BINSTRING, Python 2's
  [0x55, (m) => m.push(m.text(m.u8()))], // SHORT_BINSTRING
  [0x42, (m) => bytes(m, m.length(4))], // BINBYTES
  [0x43, (m) => bytes(m, m.u8())], // SHORT_BINBYTES
  [0x8e, (m) => bytes(m, m.length(8))], // BINBYTES8
  [0x96, (m) => bytes(m, m.length(8))], // BYTEARRAY8
  // containers
  [0x28, (m) => m.mark()], // MARK
  [0x5d, (m) => made(m, [])], // EMPTY_LIST
  [0x7d, (m) => made(m, new PyDict())], // EMPTY_DICT
  [0x8f, (m) => m.push(aSet)], // EMPTY_SET
  [0x29, (m) => m.push(emptyTuple)], // EMPTY_TUPLE
  [0x74, (m) => tuple(m, m.popMark())], // TUPLE
  [0x85, (m) => tuple(m, m.popMany(1))], // TUPLE1
  [0x86, (m) => tuple(m, m.popMany(2))], // TUPLE2
  [0x87, (m) => tuple(m, m.popMany(3))], // TUPLE3
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
];

/** By opcode. */
const operations: (Operation | undefined)[] = [];
for (const [opcode, operation] of opcodes) operations[opcode] = operation;

function protocol(m: Machine): void {
  const version = m.u8();
  if (version < 2 || version > 5) throw m.error(`protocol ${version} is not supported`);
}

function integer(m: Machine, size: number): number | bigint {
  if (size > maxIntegerBytes) throw m.error(`an integer of ${size} bytes`);
  const bytes = m.bytes(size);
  if (size <= 6) return size ? bytes.readIntLE(0, size) : 0;
  const value = BigInt.asIntN(8 * size, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

const aSet = new PySet();

/** Bytes hold no tensors, and are no names. */
function bytes(m: Machine, count: number): void {
  m.bytes(count);
  m.push(plain);
}

const stepsPerContainer = 4;

function made(m: Machine, container: PyValue): void {
  m.work().spend(stepsPerContainer);
  m.push(container);
}

const tuple = (m: Machine, items: PyValue[]): void => (items.length ? made(m, new PyTuple(items)) : m.push(emptyTuple));

/** Does something for many items, and lets other events happen in between. */
function inPieces(m: Machine, length: number, some: (from: number, to: number) => void): void | Promise<void> {
  if (length <= few) return some(0, length);
  return (async () => {
    for (let from = 0; from < length; from += few) {
      some(from, Math.min(from + few, length));
      if (m.work().due(few)) await m.work().rest();
    }
  })();
}

/** V8 gives a list that grows room for 17 items. */
const stepsPerList = 10;

function append(m: Machine, items: PyValue[]): void | Promise<void> {
  const list = m.top();
  if (list instanceof PyOpaque) return;
  if (!Array.isArray(list)) throw m.error('it appends to something that is not a list');
  if (!list.length) m.work().spend(stepsPerList);
  return inPieces(m, items.length, (from, to) => {
    for (let i = from; i < to; i++) list.push(items[i]!);
  });
}

function setItems(m: Machine, items: PyValue[]): void | Promise<void> {
  const dict = m.top();
  if (items.length % 2) throw m.error('a key without a value');
  if (dict instanceof PyOpaque) return;
  if (!(dict instanceof PyDict)) throw m.error('it sets an item of something that is not a dictionary');
  return inPieces(m, items.length, (from, to) => {
    for (let i = from; i < to; i += 2) {
      const problem = dict.set(items[i]!, items[i + 1]!, m.work());
      if (problem) throw m.error(problem);
    }
  });
}

function addItems(m: Machine): void {
  m.popMark();
  const set = m.top();
  if (!(set instanceof PySet || set instanceof PyOpaque)) throw m.error('it adds to something that is not a set');
}

function frozenSet(m: Machine): void {
  m.popMark();
  m.push(plain);
}

function stackGlobal(m: Machine): void {
  const [module, name] = m.popMany(2);
  if (typeof module !== 'string' || typeof name !== 'string') throw m.error('a global whose name is not a string');
  if (module.length + name.length > longestName)
    throw m.error(`a global whose name has more than ${longestName} characters`);
  m.push(new PyName(`${module}.${name}`));
}

function call(m: Machine): void | Promise<void> {
  const [callee, args] = m.popMany(2);
  return called(m, callee!, args!);
}

function callWithNames(m: Machine): void | Promise<void> {
  const [callee, args, names] = m.popMany(3);
  if (!(names instanceof PyDict)) throw m.error('named arguments that are not a dictionary');
  if (callee instanceof PyName && m.rules().listed(callee.name)) throw m.error(`it calls ${callee.name} by NEWOBJ_EX`);
  return called(m, callee!, args!);
}

function called(m: Machine, callee: PyValue, args: PyValue): void | Promise<void> {
  if (!(args instanceof PyTuple)) throw m.error('it calls with arguments that are not a tuple');
  if (callee instanceof PyOpaque) return m.push(new PyOpaque(callee.name));
  if (!(callee instanceof PyName)) throw m.error('it calls something that is not a global');
  const { name } = callee;
  if (!m.rules().listed(name)) return m.push(new PyOpaque(name));
  const result = m.rules().reduce(name, args.items);
  if (result instanceof Promise) return result.then((meaning) => m.push(meaningOf(m, name, args, meaning)));
  m.push(meaningOf(m, name, args, result));
}

function meaningOf(m: Machine, name: string, args: PyTuple, meaning: Meaning): PyValue {
  if (meaning !== undefined) return meaning;
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
  state instanceof PyDict && state.has('_parameters') && state.has('_modules');

function persistentId(m: Machine): void {
  const value = m.rules().persistent(m.pop());
  if (value === undefined) throw m.error('a persistent id that is not a storage');
  m.push(value);
}
