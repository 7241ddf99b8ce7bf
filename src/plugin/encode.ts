import type { DType } from '../values/dtype.js';
import {
  type Argument,
  type Expression,
  type FieldType,
  fieldTypes,
  floatTypes,
  integerTypes,
  operations,
  type Pointer,
  type Recipe,
  type Step,
} from './recipe.js';

// The bytes of a recipe: little endian, `native/plugin/recipe.cc` reads them. A text is its length in bytes (u32) and UTF-8, a
// list its length (u32) and its items.

/** Dtypes by their number in the bytes. */
export const recipeTypes: readonly DType[] = [
  'float32',
  'float16',
  'bfloat16',
  'float8e4m3',
  'int64',
  'int32',
  'int8',
  'int4',
  'uint8',
  'bool',
];

const magic = 0x50_52_54_4e;
const formatVersion = 1;
const utf8 = new TextEncoder();

class Writer {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  #room(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }
  i32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
  }
  i64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value, true);
  }
  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }
  text(value: string): void {
    const bytes = utf8.encode(value);
    this.u32(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }
  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.u32(items.length);
    for (const item of items) write(item);
  }
  /** The number of a word in a list. */
  one<T>(words: readonly T[], word: T): void {
    const index = words.indexOf(word);
    if (index < 0) throw new Error(`'${String(word)}' has no number`);
    this.u8(index);
  }
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
}

function writeExpression(to: Writer, expression: Expression): void {
  switch (expression.op) {
    case 'constant':
      to.u8(0);
      to.i64(expression.value);
      return;
    case 'dim':
      to.u8(1);
      to.u32(expression.input);
      to.u32(expression.axis);
      return;
    case 'value':
      to.u8(2);
      to.u32(expression.input);
      to.u32(expression.element);
      return;
    case 'size':
      to.u8(3);
      to.u32(expression.output);
      to.u32(expression.opt);
      to.u32(expression.upper);
      return;
    default:
      to.u8(4 + operations.indexOf(expression.op));
      to.u32(expression.a);
      to.u32(expression.b);
  }
}

function writePointer(to: Writer, pointer: Pointer): void {
  to.one(['input', 'output', 'workspace'], pointer.to);
  to.u32(pointer.to === 'workspace' ? pointer.offset : pointer.index);
}

function writeArgument(to: Writer, argument: Argument): void {
  to.one(['pointer', 'integer', 'float', 'floatOf', 'attribute'], argument.kind);
  if (argument.kind === 'pointer') writePointer(to, argument.pointer);
  else if (argument.kind === 'attribute') to.u32(argument.attribute);
  else if (argument.kind === 'float') {
    to.one(floatTypes, argument.type);
    to.f64(argument.value);
  } else {
    if (argument.kind === 'integer') to.one(integerTypes, argument.type);
    else to.one(floatTypes, argument.type);
    to.u32(argument.expression);
  }
}

function writeStep(to: Writer, step: Step): void {
  if (step.kind === 'fill') {
    to.u8(1);
    writePointer(to, step.target);
    to.u8(step.byte);
    to.u32(step.bytes);
    return;
  }
  to.u8(0);
  to.u32(step.kernel);
  for (const size of [...step.grid, ...step.block]) to.u32(size);
  to.u32(step.sharedMemory);
  to.list(step.args, (argument) => writeArgument(to, argument));
}

/** What native code has to know besides the recipe. */
export interface RecipeHead {
  name: string;
  version: string;
  /** Of this package, for messages of older ones. */
  packageVersion: string;
  /** The compiled functions' names, one for each of the recipe's kernels. */
  lowered: readonly string[];
  /** Tells timings apart: a hash of source, options, attributes and recipe. */
  timing: string;
}

/** A recipe as bytes. */
export function encodeRecipe(recipe: Recipe, head: RecipeHead): Uint8Array<ArrayBuffer> {
  if (head.lowered.length !== recipe.kernels.length) {
    throw new Error(`${recipe.kernels.length} kernels have ${head.lowered.length} lowered names`);
  }
  const to = new Writer();
  const field = (type: FieldType) => to.u8(fieldTypes[type]);
  to.u32(magic);
  to.u32(formatVersion);
  to.text(head.name);
  to.text(head.version);
  to.text(head.packageVersion);
  to.list(recipe.inputs, ({ name, dtype, rank, isShape }) => {
    to.text(name);
    to.one(recipeTypes, dtype);
    to.u8(rank);
    to.u8(Number(isShape));
  });
  to.list(recipe.attributes, ({ name, type }) => {
    to.text(name);
    field(type);
  });
  to.list(recipe.expressions, (expression) => writeExpression(to, expression));
  to.list(recipe.outputs, ({ name, dtype, alias, isSize, dims }) => {
    to.text(name);
    to.one(recipeTypes, dtype);
    to.i32(alias);
    to.u8(Number(isSize));
    to.list(dims, (dim) => to.u32(dim));
  });
  to.u32(recipe.workspace);
  to.list(
    recipe.kernels.map((name, i) => [name, head.lowered[i]!] as const),
    ([name, lowered]) => {
      to.text(name);
      to.text(lowered);
    },
  );
  to.list(recipe.tactics, (steps) => to.list(steps, (step) => writeStep(to, step)));
  to.text(head.timing);
  return to.take();
}
