import { show, type TensorRTError } from '../errors/error.js';
import { suggestion } from '../errors/nearest.js';
import { checkOptions } from '../errors/options.js';
import { refuse } from '../errors/refusal.js';
import { isFloat } from '../values/dtype.js';
import { type ByteSource, disposed } from './byte-source.js';
import { checkOverflow } from './convert.js';
import { checkDType, shapeText, type WeightDType } from './dtype.js';
import { refusal } from './format-error.js';
import type { ParsedFile, TensorEntry } from './formats/parsed-file.js';
import { readingPace } from './formats/work.js';
import { type Expected, problems, type WeightsReport } from './report.js';
import { type AsOptions, Weight } from './weight.js';

/** The tensors of one layer: those directly under a prefix, by the last part of their names. */
export interface LayerWeights {
  /** Undefined, whatever the type says, of a layer without one: a norm without coefficients, an LSTM, a weight norm. */
  weight: Weight;
  /** `PREFIX.bias` */
  bias?: Weight | undefined;
  /** Batch norm. */
  running_mean?: Weight | undefined;
  /** `PREFIX.running_var`, of batch norm */
  running_var?: Weight | undefined;
  /** `PREFIX.num_batches_tracked`, of batch norm */
  num_batches_tracked?: Weight | undefined;
  /** Everything else there, such as an LSTM's `weight_ih_l0`, or `parametrizations.weight.original0`. */
  [name: string]: Weight | undefined;
}

/** Options of `strict`. */
export interface StrictOptions {
  /**
   * Names that need not be used, or whole parts of them at the end or the beginning: `['position_ids', 'pooler']` ignores
   * `embeddings.position_ids` and `pooler.dense.weight`. By default `num_batches_tracked`, a count of PyTorch's batch norm that
   * no inference reads.
   */
  ignore?: readonly string[] | undefined;
}

/** Options of `get`. */
export interface GetOptions {
  /** Expected shape; `-1` matches any size. */
  shape?: readonly number[] | undefined;
  /** Converts to this dtype. */
  dtype?: WeightDType | undefined;
}

/** A tensor as the file describes it. */
export interface WeightInfo {
  /** Undefined if `get` refuses it: its dtype has no name here (complex numbers, strings), or it is sparse, quantized, … */
  dtype: WeightDType | undefined;
  /** The file's own name of the dtype. */
  fileDType: string;
  /** Its sizes. */
  shape: readonly number[];
  /** Bytes its elements take, if known. */
  byteLength: number | undefined;
  /** The file that holds it. */
  file: string;
}

/** A tensor of a file, and the weight made of it. */
interface Stored {
  readonly entry: TensorEntry;
  readonly file: string;
  /** Undefined if `get` refuses it. */
  readonly weight: Weight | undefined;
}

interface Shared {
  readonly label: string;
  readonly sources: ByteSource[];
  readonly used: Set<string>;
  readonly metadata: ReadonlyMap<string, string>;
  /** What is at a path without a tensor. */
  readonly opaque: (path: string) => string | undefined;
  disposed: boolean;
}

/**
 * The tensors of one or more weight files, by name. Opening reads only headers; elements are read with a weight's
 * `data`, straight from the mapped file. Made by `loadWeights`.
 */
export class Weights {
  readonly #shared: Shared;
  readonly #entries: ReadonlyMap<string, Stored>;
  readonly #prefix: string;
  #layers: Map<string, string[]> | undefined;
  /** Names here by those in the file. */
  #fileNames: Map<string, string> | undefined;

  /** @internal */
  constructor(shared: Shared, entries: ReadonlyMap<string, Stored>, prefix = '') {
    this.#shared = shared;
    this.#entries = entries;
    this.#prefix = prefix;
  }

  /** Names of all tensors, in the order of the file; relative to the prefix in a `scope`. */
  names(): string[] {
    this.#alive();
    return [...this.#entries.keys()];
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    this.#alive();
    return this.#entries.has(name);
  }

  /** What the file says about a tensor; it does not count as used. @throws ERR_WEIGHTS_NAME, ERR_DISPOSED */
  info(name: string): WeightInfo {
    const { weight, entry, file } = this.#find(name);
    const { fileDType, shape, byteLength } = entry;
    return { dtype: weight?.dtype, fileDType, shape, byteLength: weight?.byteLength ?? byteLength, file };
  }

  /** Number of tensors. */
  get size(): number {
    return this.#entries.size;
  }

  /** Strings that the file carries beside the tensors (`__metadata__` of safetensors). */
  get metadata(): ReadonlyMap<string, string> {
    return this.#shared.metadata;
  }

  /**
   * One tensor; the same object at each call. It counts as used from then on.
   * @throws ERR_WEIGHTS_NAME (with the nearest names), ERR_WEIGHTS_SHAPE, ERR_WEIGHTS_DTYPE, ERR_DISPOSED
   */
  get(name: string, options: GetOptions = {}): Weight {
    const { weight, entry, file } = this.#find(name);
    if (!weight) {
      const what = entry.refusal
        ? `is ${entry.refusal}`
        : `has dtype ${entry.fileDType}, which TensorRT cannot take; expected a real float of at most 64 bits or an integer`;
      throw refusal('ERR_WEIGHTS_DTYPE', `${this.#prefix}${name} of ${file} ${what}`, { actual: entry.fileDType });
    }
    const { shape, dtype, ...others } = options ?? {};
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      throw refusal('ERR_INPUT', `get: expected the options shape and dtype, given '${unknown}'`);
    if (shape !== undefined) {
      if (!Array.isArray(shape))
        throw refusal('ERR_WEIGHTS_SHAPE', `${weight.label}: expected a list of sizes, given ${show(shape)}`);
      if (shape.length !== weight.shape.length || shape.some((d, i) => d !== -1 && d !== weight.shape[i])) {
        throw refusal(
          'ERR_WEIGHTS_SHAPE',
          `${weight.label}: expected shape ${shapeText(shape)}, the file has ${shapeText(weight.shape)}`,
          { expected: shape, actual: weight.shape },
        );
      }
    }
    this.#shared.used.add(useOf(entry));
    return dtype ? weight.as(dtype) : weight;
  }

  /**
   * The tensors directly under a prefix, by the last part of their names: `layer('conv1')` is `{ weight, bias }` if
   * the file has `conv1.weight` and `conv1.bias`. What PyTorch's parametrizations keep of a layer is there too, as
   * `parametrizations.weight.original0`; see `foldWeightNorm`. All of them count as used.
   * @throws ERR_WEIGHTS_NAME if nothing is under the prefix
   */
  layer(prefix: string): LayerWeights {
    this.#alive();
    this.#layers ??= groupByParent(this.#entries.keys());
    const names = this.#layers.get(prefix);
    if (!names) throw this.#nothingUnder(prefix, this.#layers.keys());
    const layer = Object.create(null) as LayerWeights;
    for (const name of names) layer[prefix === '' ? name : name.slice(prefix.length + 1)] = this.get(name);
    return layer;
  }

  /**
   * The tensors under `prefix.`, by the rest of their names. A view: use is tracked in common, dispose acts on all.
   * @throws ERR_WEIGHTS_NAME if nothing is under the prefix
   */
  scope(prefix: string): Weights {
    this.#alive();
    if (typeof prefix !== 'string') {
      throw refusal('ERR_WEIGHTS_NAME', `scope: expected a prefix, given ${show(prefix)}`, { actual: prefix });
    }
    const head = prefix === '' ? '' : `${prefix}.`;
    const inner = new Map<string, Stored>();
    for (const [name, stored] of this.#entries) if (name.startsWith(head)) inner.set(name.slice(head.length), stored);
    if (inner.size === 0) throw this.#nothingUnder(prefix, prefixes(this.#entries.keys()));
    return new Weights(this.#shared, inner, this.#prefix + head);
  }

  /**
   * A view with other names. An object replaces whole leading or trailing parts at the dots (`{ 'model.encoder': 'enc', gamma: 'weight' }`),
   * longest first; a function returns each new name, or undefined to leave the tensor out.
   * @throws ERR_WEIGHTS_NAME if two tensors would get one name, or a name is not a string
   */
  rename(renaming: Readonly<Record<string, string>> | ((name: string) => string | undefined)): Weights {
    this.#alive();
    if (typeof renaming !== 'function' && (typeof renaming !== 'object' || renaming === null)) {
      throw refusal(
        'ERR_WEIGHTS_NAME',
        `rename: expected new names by old ones, or a function, given ${show(renaming)}`,
      );
    }
    const rule = typeof renaming === 'function' ? renaming : replaceParts(renaming);
    const renamed = new Map<string, Stored>();
    for (const [name, stored] of this.#entries) {
      const next = rule(name);
      if (next === undefined) continue;
      if (typeof next !== 'string')
        throw refusal(
          'ERR_WEIGHTS_NAME',
          `rename: expected a new name for '${this.#prefix}${name}', given ${show(next)}`,
        );
      if (renamed.has(next)) {
        throw refusal(
          'ERR_WEIGHTS_NAME',
          `${this.#label}: renaming gives two tensors the name '${this.#prefix}${next}'`,
        );
      }
      renamed.set(next, next === name ? stored : { ...stored, weight: stored.weight?.named(this.#prefix + next) });
    }
    return new Weights(this.#shared, renamed, this.#prefix);
  }

  /**
   * A view in which every float tensor has this dtype, converted once when first asked for; integers and bools
   * stay as they are.
   * @throws ERR_WEIGHTS_DTYPE for an unknown dtype; `get` and `layer` of the view: see `Weight.as`
   */
  as(dtype: WeightDType, options: AsOptions = {}): Weights {
    this.#alive();
    checkDType(dtype);
    checkOptions(options, ['overflow'], 'as');
    checkOverflow(options.overflow ?? 'refuse');
    const views = Array.from(this.#entries, ([name, stored]): [string, Stored] => {
      const { weight, ...rest } = stored;
      if (!weight || !isFloat(weight.dtype)) return [name, stored];
      let converted: Weight | undefined;
      return [
        name,
        {
          ...rest,
          get weight() {
            converted ??= weight.as(dtype, options);
            return converted;
          },
        },
      ];
    });
    return new Weights(this.#shared, new Map(views), this.#prefix);
  }

  /**
   * @internal The tensor with this name in the file, or else in this view, and what tells it from others (tied ones are one);
   * undefined if there is none. It counts as used.
   * @throws ERR_WEIGHTS_DTYPE, ERR_DISPOSED
   */
  ofFile(name: string): { weight: Weight; tensor: string } | undefined {
    this.#alive();
    this.#fileNames ??= new Map(Array.from(this.#entries, ([own, { entry }]) => [entry.name, own]));
    const own = this.#fileNames.get(name) ?? name;
    const stored = this.#entries.get(own);
    return stored && { weight: this.get(own), tensor: useOf(stored.entry) };
  }

  /** @internal Names here of all tensors but those that `ofFile` told. */
  namesBeside(tensors: ReadonlySet<string>): string[] {
    return [...this.#entries].filter(([, { entry }]) => !tensors.has(useOf(entry))).map(([name]) => name);
  }

  /** Names of the tensors that were never asked for, here or through any view; tied ones under none of their names. */
  unused(): string[] {
    this.#alive();
    return [...this.#entries].filter(([, { entry }]) => !this.#shared.used.has(useOf(entry))).map(([name]) => name);
  }

  /** Compares with what a network expects, without using anything. Shapes by name; `-1` matches any size. */
  compare(expected: Expected): WeightsReport {
    this.#alive();
    const shapes = new Map(Array.from(this.#entries, ([name, { entry }]) => [name, entry.shape]));
    return problems(shapes, expected);
  }

  /**
   * Strict mode. With expected shapes: all names must be there, with these shapes, and nothing else. Without: every
   * tensor must have been used. Names that end in `num_batches_tracked` need not be used; see `StrictOptions`.
   * @throws ERR_WEIGHTS_MISMATCH, listing all that is missing (with the nearest names), unused and misshapen; ERR_PARAMETER for an
   *   unknown option, or an `ignore` that is no list of names
   */
  strict(expected?: Expected, options: StrictOptions = {}): void {
    checkOptions(options, ['ignore'], 'strict');
    const { ignore = ['num_batches_tracked'] } = options;
    if (!Array.isArray(ignore) || !ignore.every((one) => typeof one === 'string'))
      refuse('strict', 'ERR_PARAMETER', `expected a list of names, given ${show(ignore)}`, { option: 'ignore' });
    const report = expected ? this.compare(expected) : { missing: [], misshapen: [], unused: this.unused() };
    const ignored = ignore.map((one) => `.${one}.`);
    report.unused = report.unused.filter((name) => {
      const bounded = `.${name}.`;
      return !ignored.some((one) => bounded.startsWith(one) || bounded.endsWith(one));
    });
    const full = (name: string) => this.#prefix + name;
    const lines = [
      ...report.missing.map(({ name, nearest }) => {
        const close = nearest.length ? ` (nearest: ${nearest.map(full).join(', ')})` : '';
        return `missing ${full(name)}${close}`;
      }),
      ...report.misshapen.map(
        (m) => `misshapen ${full(m.name)}: expected ${shapeText(m.expected)}, the file has ${shapeText(m.actual)}`,
      ),
      ...report.unused.map((name) => `unused ${full(name)}`),
    ];
    if (lines.length === 0) return;
    throw refusal('ERR_WEIGHTS_MISMATCH', `${this.#label} does not fit the network:\n  ${lines.join('\n  ')}`, {
      expected,
      actual: report,
    });
  }

  /** Unmaps the files. Weights returned earlier can no longer be read; builds under way keep the pages they use. */
  dispose(): void {
    this.#shared.disposed = true;
    for (const source of this.#shared.sources) source.dispose();
  }

  /** Calls `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #find(name: string): Stored {
    this.#alive();
    const found = this.#entries.get(name);
    if (found) return found;
    throw (
      this.#opaqueAt(name) ??
      refusal(
        'ERR_WEIGHTS_NAME',
        `${this.#label} has no tensor '${this.#prefix}${text(name)}'${suggestion(name, this.#entries.keys())}`,
        { actual: name },
      )
    );
  }

  #nothingUnder(prefix: string, known: Iterable<string>): TensorRTError {
    const deeper = [...this.#entries.keys()].some((name) => name.startsWith(`${text(prefix)}.`));
    return (
      this.#opaqueAt(prefix) ??
      refusal(
        'ERR_WEIGHTS_NAME',
        `${this.#label} has no tensors ${deeper ? 'directly ' : ''}under '${this.#prefix}${text(prefix)}'${suggestion(prefix, known) || this.#listPrefixes()}`,
        { actual: prefix },
      )
    );
  }

  /** The first parts of names, for one who meant another. */
  #listPrefixes(): string {
    const heads = new Set<string>();
    for (const name of this.#entries.keys()) if (name.includes('.')) heads.add(name.slice(0, name.indexOf('.')));
    const shown = [...heads].slice(0, mostShown).map((head) => `'${text(head).slice(0, longestShown)}'`);
    if (!shown.length) return '; its names have no prefixes';
    return `; its prefixes are ${shown.join(', ')}${heads.size > shown.length ? `, … (${heads.size})` : ''}`;
  }

  /** The error for a name at or below something that is not a tensor. */
  #opaqueAt(name: string): TensorRTError | undefined {
    if (typeof name !== 'string') return undefined;
    for (let at = this.#prefix + name; at; at = parent(at)) {
      const what = this.#shared.opaque(at);
      if (what) return refusal('ERR_WEIGHTS_NAME', `'${at}' of ${this.#label} is ${what}`, { actual: name });
    }
    return undefined;
  }

  get #label(): string {
    return this.#shared.label;
  }

  #alive(): void {
    if (this.#shared.disposed) throw disposed(this.#label);
  }
}

/** @internal One store over several parsed files. @throws ERR_WEIGHTS_NAME if two hold the same name */
export async function storeOf(files: readonly ParsedFile[], label: string): Promise<Weights> {
  const pace = readingPace();
  const entries = new Map<string, Stored>();
  const metadata = new Map<string, string>();
  for (const { source, tensors, metadata: strings } of files) {
    for (const [key, value] of strings) {
      if (pace.due()) await pace.rest();
      metadata.set(key, value);
    }
    for (const entry of tensors) {
      if (pace.due()) await pace.rest();
      const { name } = entry;
      const twice = entries.get(name);
      if (twice) {
        throw refusal('ERR_WEIGHTS_NAME', `'${name}' is in both ${twice.file} and ${source.name}; load them apart`);
      }
      entries.set(name, { entry, file: source.name, weight: weightOf(entry, source, entries) });
    }
  }
  const opaque = (path: string): string | undefined => {
    for (const file of files) {
      const what = file.opaque?.(path);
      if (what) return what;
    }
    return undefined;
  };
  return new Weights(
    { label, sources: files.map((f) => f.source), used: new Set(), metadata, opaque, disposed: false },
    entries,
  );
}

/** The weight of what a reader found, with its very shape; undefined without a dtype here. */
function weightOf(
  { name, dtype, shape, read }: TensorEntry,
  source: ByteSource,
  beside: ReadonlyMap<string, unknown>,
): Weight | undefined {
  Object.freeze(shape);
  if (!dtype) return undefined;
  return new Weight({
    name,
    dtype,
    shape,
    read: dtype === 'bool' ? () => truths(read()) : read,
    file: source.name,
    stored: { name, dtype, shape, beside },
    source,
  });
}

/** Bools as Python reads them: whatever is not 0 is true. A copy only where a byte is another than 0 and 1. */
const truths = (bytes: Uint8Array): Uint8Array =>
  bytes.some((byte) => byte > 1) ? bytes.map((byte) => Number(byte !== 0)) : bytes;

const mostShown = 12;
const longestShown = 60;

/** The key by which use is tracked: tied tensors count as one. */
const useOf = ({ name, tiedTo = name }: TensorEntry): string => tiedTo;

const text = (name: unknown): string => (typeof name === 'string' ? name : show(name));

const parent = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')));

/** Names by the layer they belong to: the part before the last dot, and the one that a parametrization is of. */
function groupByParent(names: Iterable<string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const add = (layer: string, name: string) => {
    const group = groups.get(layer);
    if (group) group.push(name);
    else groups.set(layer, [name]);
  };
  for (const name of names) {
    add(parent(name), name);
    const at = `.${name}`.lastIndexOf('.parametrizations.');
    if (at >= 0) add(name.slice(0, Math.max(0, at - 1)), name);
  }
  return groups;
}

function prefixes(names: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const name of names) for (let at = parent(name); at && !found.has(at); at = parent(at)) found.add(at);
  return found;
}

function replaceParts(map: Readonly<Record<string, string>>): (name: string) => string {
  const exact = new Map(Object.entries(map));
  // `module.` is often written for `module`.
  const bare = (part: unknown) => (typeof part === 'string' ? part.replace(/^\.|\.$/g, '') : (part as string));
  const rules = [...exact].map(([from, to]): [string, string] => [bare(from), bare(to)]);
  rules.sort(([a], [b]) => b.length - a.length);
  return (name) => {
    const whole = exact.get(name);
    if (whole !== undefined) return whole;
    const head = rules.find(([from]) => name.startsWith(`${from}.`));
    const rest = head ? name.slice(head[0].length + 1) : name;
    const tail = rules.find(([from]) => (head && rest === from) || rest.endsWith(`.${from}`));
    const middle = tail ? rest.slice(0, Math.max(0, rest.length - tail[0].length - 1)) : rest;
    return [head?.[1], middle, tail?.[1]].filter((part) => part).join('.');
  };
}
