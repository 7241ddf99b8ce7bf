import { inspect } from 'node:util';
import type { IRNode, IRWeight, WeightId } from './dsl/ir.js';
import type { Network } from './dsl/network.js';
import { show } from './errors/error.js';
import { refuse } from './errors/refusal.js';
import { countOf, formatShape } from './values/dim.js';
import { byteLength, type DType, isFloat } from './values/dtype.js';
import type { ValueType } from './values/spec.js';

/** Options of `summary`. */
export interface SummaryOptions {
  /** How many parts of a name, between dots, have a row of their own: layers below are counted together. Default: every layer has a row. */
  depth?: number | undefined;
}

/** A layer, or layers whose names begin alike. */
export interface SummaryRow {
  /** The layer's name, or what the names begin with. */
  name: string;
  /** TensorRT's kind; undefined for several layers. */
  kind: string | undefined;
  /** Loops and conditionals around it. */
  nesting: number;
  /** Layers that the row stands for, those inside a loop or conditional not counted. */
  layers: number;
  /** Outputs of the last layer. */
  outputs: readonly ValueType[];
  /** Elements of weights that no row above has. */
  parameters: number;
  /** Size of these weights. */
  bytes: number;
}

const head = ['Layer', 'Kind', 'Output', 'Parameters', 'Bytes'];
const gap = 2;
/** The narrowest that a column of text becomes. */
const narrowest = 12;

/** What a network is made of. As text, it is a table. */
export class Summary {
  /** Name of the network. */
  readonly name: string;
  /** One row for every layer, in order. */
  readonly rows: readonly SummaryRow[];
  /** Layers in all, those inside loops and conditionals too. */
  readonly layers: number;
  /**
   * Elements of all weights. One that several layers use counts once, as in PyTorch. Numbers that stand in the code count as no weights:
   * constants without a name that are integers, or a single element.
   */
  readonly parameters: number;
  /** Bytes of all weights. */
  readonly bytes: number;
  /** Parameters by dtype. */
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;

  /** @internal */
  constructor(name: string, rows: readonly SummaryRow[], layers: number, weights: readonly IRWeight[]) {
    this.name = name;
    this.rows = rows;
    this.layers = layers;
    const dtypes: Partial<Record<DType, number>> = {};
    for (const { dtype, shape } of weights) dtypes[dtype] = (dtypes[dtype] ?? 0) + countOf(shape);
    this.dtypes = dtypes;
    this.parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
    this.bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  }

  /**
   * The table and the totals.
   * @param width columns of the terminal; longer names and shapes go on in the next line. Default: those of standard output, or 100
   */
  toString(width = process.stdout.columns || 100): string {
    const cells = this.rows.map((row) => [
      '  '.repeat(row.nesting) + escaped(row.name),
      row.kind ?? `(${row.layers} layers)`,
      row.outputs.map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`).join(', '),
      row.parameters === 0 ? '' : grouped(row.parameters),
      row.bytes === 0 ? '' : sizeText(row.bytes),
    ]);
    const widths = fitted([head, ...cells], width);
    const rule = '─'.repeat(widths.reduce((a, b) => a + b + gap, -gap));
    const lines = [head, ...cells].flatMap((row) => wrapped(row, widths));
    const byDType = Object.entries(this.dtypes).map(([dtype, count]) => `${grouped(count)} ${dtype}`);
    const types = byDType.length > 1 ? ` (${byDType.join(', ')})` : '';
    const totals = `${grouped(this.layers)} layers, ${grouped(this.parameters)} parameters${types}, ${sizeText(this.bytes)}`;
    const [first, ...rest] = lines;
    return [`Network ${escaped(this.name)}`, rule, first, rule, ...rest, rule, totals].join('\n');
  }
}

// Not in the class: its declaration would need @types/node.
Object.defineProperty(Summary.prototype, inspect.custom, {
  value(this: Summary): string {
    return this.toString();
  },
});

/** Names may come from files of strangers, and could otherwise control the terminal. */
const escaped = (text: string): string =>
  text.replace(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power ? (bytes / 1024 ** power).toFixed(1) : bytes} ${units[power]}`;
}

/** Widths of the columns; names and shapes give way where all together are too wide. */
function fitted(rows: readonly (readonly string[])[], width: number): number[] {
  const widths = head.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const total = () => widths.reduce((a, b) => a + b + gap, -gap);
  while (total() > width) {
    const widest = widths[0]! >= widths[2]! ? 0 : 2;
    if (widths[widest]! <= narrowest) break;
    widths[widest]!--;
  }
  return widths;
}

/** A row as lines: text that is longer than its column goes on below. */
function wrapped(row: readonly string[], widths: readonly number[]): string[] {
  const parts = row.map((cell, i) => {
    const indent = /^ */.exec(cell)![0];
    const pieces: string[] = [];
    let rest = cell;
    while (rest.length > widths[i]! && widths[i]! > indent.length) {
      pieces.push(rest.slice(0, widths[i]));
      rest = indent + rest.slice(widths[i]);
    }
    return [...pieces, rest];
  });
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    parts
      .map((pieces, i) => {
        const text = pieces[line] ?? '';
        return i < 3 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!);
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Whether a layer's weight is a number of the code. */
const isNumber = ({ kind }: IRNode, { name, dtype, shape }: IRWeight): boolean =>
  kind === 'constant' && name === undefined && (countOf(shape) === 1 || !isFloat(dtype));

/** Collects rows in the order of the layers. */
class Collector {
  readonly rows: SummaryRow[] = [];
  layers = 0;
  readonly counted = new Set<WeightId>();
  readonly #weights: readonly IRWeight[];
  readonly #depth: number;

  constructor(weights: readonly IRWeight[], depth: number) {
    this.#weights = weights;
    this.#depth = depth;
  }

  add(nodes: readonly IRNode[], nesting: number): void {
    for (const node of nodes) {
      this.layers++;
      const row = this.#row(node, nesting);
      const last = this.rows.at(-1);
      const joins = last && last.nesting === nesting && row.name !== node.name && last.name === row.name;
      if (joins) {
        last.layers++;
        last.kind = undefined;
        last.outputs = row.outputs;
        last.parameters += row.parameters;
        last.bytes += row.bytes;
      } else this.rows.push(row);
      for (const body of Object.values(node.bodies ?? {})) this.add(body.nodes, nesting + 1);
    }
  }

  #row(node: IRNode, nesting: number): SummaryRow {
    const parts = node.name.split('.');
    const name = parts.length > this.#depth ? parts.slice(0, this.#depth).join('.') : node.name;
    const outputs = node.outputs.map(({ dtype, shape }) => ({ dtype, shape }));
    const row: SummaryRow = { name, kind: node.kind, nesting, layers: 1, outputs, parameters: 0, bytes: 0 };
    for (const id of Object.values(node.weights)) {
      const weight = this.#weights[id]!;
      if (this.counted.has(id) || isNumber(node, weight)) continue;
      this.counted.add(id);
      const count = countOf(weight.shape);
      row.parameters += count;
      row.bytes += byteLength(weight.dtype, count);
    }
    return row;
  }
}

/** @throws ERR_PARAMETER */
export function summaryOf(net: Network, options: SummaryOptions = {}): Summary {
  if (typeof options !== 'object' || options === null || Object.keys(options).some((key) => key !== 'depth'))
    refuse('summary', 'ERR_PARAMETER', `expected { depth }, given ${show(options)}`);
  const { depth = Number.POSITIVE_INFINITY } = options;
  if (!(typeof depth === 'number' && depth >= 1))
    refuse('summary', 'ERR_PARAMETER', `expected a number from 1, given ${show(depth)}`, { option: 'depth' });
  const collector = new Collector(net.weights, depth);
  collector.add(net.graph.nodes as readonly IRNode[], 0);
  return new Summary(
    net.name,
    collector.rows,
    collector.layers,
    Array.from(collector.counted, (id) => net.weights[id]!),
  );
}
