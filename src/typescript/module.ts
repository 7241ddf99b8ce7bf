import { dirname, relative } from 'node:path';
import type { IROutput, ValueId } from '../dsl/ir.js';
import type { Network, RecordedNode } from '../dsl/network.js';
import { concat } from '../layers/kinds/concatenation.js';
import { einsumOf } from '../layers/kinds/einsum.js';
import { where } from '../layers/kinds/select.js';
import { definitionOf } from '../plugin/registry.js';
import { type IOTraits, noteOf } from '../values/io-options.js';
import type { ValueType } from '../values/spec.js';
import type { WeightDType } from '../weights/dtype.js';
import { type Weight, weight } from '../weights/weight.js';
import { call, type Doc, group, layOut } from './doc.js';
import { dataText, quoted } from './expression.js';
import { functionName } from './identifiers-of.js';
import { Lifter, Restart } from './lift.js';
import { Literals, type Store } from './literals.js';
import { camelCase, Identifiers, isIdentifier } from './names.js';
import { type Item, liftParts, Partition } from './partition.js';
import { countUses, countWeights, statementsIn } from './usage.js';
import { type ModuleParts, Writer } from './writer.js';

/** Options of `toTypeScript`. */
export interface TypeScriptOptions {
  /** Path of the file that the code will be in: files of weights are then named relative to it. Default: as they were loaded. */
  path?: string | undefined;
  /** Name of the file beside the code with the weights that are in no file and too large for the code. Default: `NAME.safetensors`, after the network. */
  weightsFile?: string | undefined;
  /** Most elements of a weight that is written into the code, unless all are equal. 4-bit weights always are. Default 16. */
  inline?: number | undefined;
  /**
   * The modules that export plugins of `definePlugin`, by the plugins' names; an export is called like the plugin in camel case. Other
   * plugins of your own are recorded by `net.layer`, after an import of the file that defines them.
   */
  plugins?: Readonly<Record<string, string>> | undefined;
}

/** A network as code. */
export interface TypeScriptCode {
  /** A module whose default export is the network. */
  code: string;
  /** What belongs into the file beside it, for `saveSafetensors`; empty if it needs none. */
  weights: Map<string, Weight>;
  /** The name of that file. */
  weightsFile: string;
}

const specs = ['bfloat16', 'bool', 'float8e4m3', 'float16', 'float32', 'int4', 'int8', 'int32', 'int64', 'uint8'];

/** Puts the parts of a module together. */
export class Module {
  readonly #net: Network;
  readonly #options: TypeScriptOptions;
  readonly #literals: Literals;
  readonly #identifiers = new Identifiers();
  readonly #imports = new Set<string>(['network']);
  readonly #plugins = new Map<string, string>();
  readonly #weightsFile: string;

  constructor(net: Network, options: TypeScriptOptions) {
    this.#net = net;
    this.#options = options;
    const { plugins = {}, inline = 16 } = options;
    this.#weightsFile = options.weightsFile ?? `${fileName(net.name)}.safetensors`;
    this.#literals = new Literals(net, {
      inline,
      imports: (name) => Object.hasOwn(plugins, name),
      functions: { concat, einsum: einsumOf, where },
    });
    for (const name of ['network', 'loadWeights', 'concat', 'einsum', 'where', 'Tensor', 'Weights', ...specs])
      this.#identifiers.take(name);
  }

  write(): TypeScriptCode {
    const { items, inputs } = this.#lift();
    const stores = this.#stores();
    const weights = new Map(
      [...countWeights(items)]
        .filter(([id, uses]) => uses > 1 && !this.#isStable(id))
        .map(([id]) => {
          const { name = 'constant' } = this.#literals.weight(id);
          return [id, this.#identifiers.make(name.split('.').slice(-2).join('_'), 'constant')];
        }),
    );
    const net = this.#identifiers.make('net');
    const order = this.#outputOrder(items);
    const parts: ModuleParts = {
      literals: this.#literals,
      stores,
      weights,
      net,
      plugin: (name) => this.#plugin(name),
      imports: (name) => this.#imports.add(name),
      identifiers: this.#identifiers,
      functions: new Set(functionNames(items)),
      marks: order.marks,
    };
    const writer = new Writer(parts);
    const scope = writer.scope();
    // The names of inputs are for them alone.
    scope.marks = true;
    for (const name of stores.values()) scope.identifiers.take(name);
    for (const { id, name } of this.#net.inputs) {
      const own = parts.functions.has(camelCase(name)) ? `${name}_input` : name;
      scope.values.set(id, scope.identifiers.make(own, 'x'));
    }
    const used = new Set<ValueId>([...order.rest.map(([id]) => id), ...this.#net.debugIds]);
    const taken = new Set([...countUses(items, []).keys(), ...used]);
    const results = Array.from(used, (id) => ({ is: 'tensor', id }) as const);
    const body: Doc[] = [];
    let late: readonly Item[] = items;
    for (const { id, before } of inputs.late) {
      const first = late.slice(0, before - (items.length - late.length));
      late = late.slice(first.length);
      body.push(...writer.lines(first, [...results, ...this.#allOf(late)], scope));
      body.push(this.#input(net, id, taken.has(id) ? scope.values.get(id) : undefined));
    }
    body.push(...writer.lines(late, results, scope));
    for (const [id, mark] of order.rest) body.push([scope.values.get(id)!, mark, ';']);
    return {
      code: this.#text(writer, net, stores, weights, body, inputs.first, scope.values, taken),
      ...this.#beside(),
    };
  }

  #allOf(items: readonly Item[]) {
    const ids = new Set<ValueId>();
    for (const item of items)
      for (const { call: made } of statementsIn(item)) for (const id of tensorsOf(made)) ids.add(id);
    return Array.from(ids, (id) => ({ is: 'tensor', id }) as const);
  }

  /** Finds the calls. Inputs that are declared between layers stay where they are. */
  #lift() {
    for (;;) {
      try {
        return this.#liftOnce();
      } catch (error) {
        if (!(error instanceof Restart)) throw error;
      }
    }
  }

  #liftOnce() {
    const { graph } = this.#net;
    const lifter = new Lifter(this.#net, this.#literals);
    const partition = new Partition(this.#net.weights);
    const firstId = graph.nodes.length > 0 ? lowestId(graph.nodes[0]!) : Number.POSITIVE_INFINITY;
    const first = graph.inputs.filter(({ id }) => id < firstId);
    for (const { id } of first) lifter.input(id);
    const items: Item[] = [];
    const late: { id: ValueId; before: number }[] = [];
    let rest: readonly RecordedNode[] = graph.nodes;
    for (const { id } of graph.inputs.slice(first.length)) {
      const count = rest.findIndex((node) => lowestId(node) > id);
      const now = count < 0 ? rest : rest.slice(0, count);
      items.push(...liftParts(lifter, partition.parts(now)));
      late.push({ id, before: items.length });
      rest = rest.slice(now.length);
      lifter.input(id);
    }
    items.push(...liftParts(lifter, partition.parts(rest)));
    return { items, inputs: { first: first.map(({ id }) => id), late } };
  }

  /** Whether the code gets the same object each time it asks for a weight. */
  #isStable(id: number): boolean {
    const place = this.#literals.place(id);
    return place.is === 'stored' && !place.dtype && !place.shape;
  }

  #stores(): Map<Store, string> {
    const identifiers = new Identifiers(this.#identifiers);
    const { stores } = this.#literals;
    const isMixed = stores.some(({ files }) => files);
    return new Map(stores.map((store) => [store, identifiers.make(store.files || !isMixed ? 'w' : 'own')]));
  }

  /** Outputs that can be marked where their tensors are made, and those that have to wait for others. */
  #outputOrder(items: readonly Item[]) {
    const made = new Map<ValueId, number>();
    for (const item of items) for (const { ids } of statementsIn(item)) for (const id of ids) made.set(id, made.size);
    const { outputs } = this.#net.graph;
    const places = outputs.map(({ id }) => made.get(id) ?? -1);
    const inOrder = places.every((place, i) => place >= (places[i - 1] ?? 0));
    const marks = new Map<ValueId, Doc[]>();
    const mark = (output: IROutput): Doc => call('.output', [quoted(output.name), ...ioOptions(output)]);
    for (const output of inOrder ? outputs : []) {
      marks.set(output.id, [...(marks.get(output.id) ?? []), mark(output)]);
    }
    return { marks, rest: inOrder ? [] : outputs.map((output) => [output.id, mark(output)] as const) };
  }

  #spec({ dtype, shape }: ValueType): Doc {
    if (!specs.includes(dtype)) return dataText<Doc>({ dtype, shape: [...shape] }, plainDocs);
    this.#imports.add(dtype);
    return call(
      dtype,
      shape.map((dim) => dataText<Doc>(dim, plainDocs)),
    );
  }

  #input(net: string, id: ValueId, name: string | undefined): Doc {
    const input = this.#net.inputs.find((one) => one.id === id)!;
    const declared = this.#net.graph.inputs.find((one) => one.id === id)!;
    const args = [quoted(input.name), this.#spec(input), ...ioOptions(declared)];
    return [name === undefined ? net : `const ${name} = ${net}`, call('.input', args), ';'];
  }

  #plugin(name: string): string {
    const known = this.#plugins.get(name);
    if (known) return known;
    const made = this.#identifiers.make(name, 'plugin');
    this.#plugins.set(name, made);
    return made;
  }

  #beside(): { weights: Map<string, Weight>; weightsFile: string } {
    const weights = new Map<string, Weight>();
    for (const [name, { data, shape, dtype }] of this.#literals.beside)
      weights.set(name, weight(data, shape, dtype as WeightDType, name));
    return { weights, weightsFile: this.#weightsFile };
  }

  /** The path of a file, as the code names it. */
  #file(path: string, isBeside: boolean): Doc {
    const { path: own } = this.#options;
    if (!isBeside && own === undefined) return quoted(path);
    const near = isBeside ? `./${path}` : this.#near(path);
    return `new URL(${quoted(near)}, import.meta.url)`;
  }

  /** A path from the code's folder, if that is known. */
  #near(path: string): string {
    const { path: own } = this.#options;
    return own === undefined ? path : `./${relative(dirname(own), path)}`.replace(/^\.\/\.\.\//, '../');
  }

  #text(
    writer: Writer,
    net: string,
    stores: ReadonlyMap<Store, string>,
    weights: ReadonlyMap<number, string>,
    body: readonly Doc[],
    first: readonly ValueId[],
    values: ReadonlyMap<ValueId, string>,
    used: ReadonlySet<ValueId>,
  ): string {
    const head: Doc[] = [];
    for (const [store, name] of stores) {
      this.#imports.add('loadWeights');
      const files = store.files?.map((file) => this.#file(file, false)) ?? [this.#file(this.#weightsFile, true)];
      const path = files.length === 1 ? files[0]! : group('[', files, ']');
      const loaded: Doc = ['await ', call('loadWeights', [path])];
      const whole: Doc = store.dtype ? ['(', loaded, ')', call('.as', [quoted(store.dtype)])] : loaded;
      head.push([`const ${name} = `, whole, ';']);
    }
    for (const [id, name] of weights) head.push([`const ${name} = `, writer.weight(id, writer.scope()), ';']);
    // `network()` takes specs alone.
    const inCalls = this.#net.graph.inputs.some((one) => ioOptions(one).length > 0 && first.includes(one.id));
    const named = inCalls ? [] : first.map((id) => this.#net.inputs.find((one) => one.id === id)!);
    const inputs: Doc[] = named.map((input) => [
      `${isIdentifier(input.name) ? input.name : quoted(input.name)}: `,
      this.#spec(input),
    ]);
    const accumulation = this.#net.useFp32Acc ? ['{ useFp32Acc: true }'] : [];
    const args: Doc[] = [quoted(this.#net.name)];
    if (inputs.length > 0 || accumulation.length > 0) args.push(group('{', inputs, '}', { spaced: true }));
    head.push([`const ${net} = `, call('network', [...args, ...accumulation]), ';']);
    for (const id of inCalls ? first : []) head.push(this.#input(net, id, used.has(id) ? values.get(id) : undefined));
    for (const input of named) {
      if (!used.has(input.id)) continue;
      const get = named.length === 1 && this.#net.inputs.length === 1 ? '.tensor()' : `.tensor(${quoted(input.name)})`;
      head.push(`const ${values.get(input.id)} = ${net}${get};`);
    }
    const debug = this.#net.debugTensors.map(({ id }) => `${values.get(id)}.debug();`);
    const functions = Array.from(writer.functions, ([text, name]) => `function ${name}${text}`);
    const sections = [
      this.#importLines(),
      head.map((line) => layOut(line)).join('\n'),
      ...functions,
      [...body, ...debug].map((line) => layOut(line)).join('\n'),
      `export default ${net};`,
    ];
    return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
  }

  #importLines(): string {
    const order = (name: string) => name.replace(/^type /, '').toLowerCase();
    const names = [...this.#imports].sort((a, b) => (order(a) < order(b) ? -1 : 1));
    const lines: Doc[] = [['import ', group('{', names, '}', { spaced: true }), " from 'node-tensorrt';"]];
    for (const [plugin, name] of this.#plugins) {
      const exported = camelCase(plugin) || 'plugin';
      const imported = exported === name ? name : `${exported} as ${name}`;
      lines.push(`import { ${imported} } from ${quoted(this.#options.plugins![plugin]!)};`);
    }
    for (const file of this.#definedIn()) lines.push(`import ${quoted(this.#near(file))};`);
    return lines.map((line) => layOut(line)).join('\n');
  }

  /** Files that define plugins which are not imported by name. */
  #definedIn(): Set<string> {
    const files = new Set<string>();
    const visit = (nodes: readonly RecordedNode[]) => {
      for (const { kind, params, bodies } of nodes) {
        const { definition } = params as { definition?: { name: string; version: string } };
        if (kind === 'plugin' && definition && !this.#plugins.has(definition.name)) {
          const { source } = definitionOf(definition.name, definition.version);
          if (source) files.add(source.file);
        }
        for (const inner of Object.values(bodies ?? {})) visit(inner.nodes as readonly RecordedNode[]);
      }
    };
    visit(this.#net.graph.nodes);
    return files;
  }
}

function* functionNames(items: readonly Item[]): Generator<string> {
  for (const item of items) {
    if (item.is === 'call') continue;
    yield functionName(item.prefix);
    yield* functionNames(item.items);
  }
}

function* tensorsOf(made: { on?: unknown; args: readonly unknown[] }): Generator<ValueId> {
  const visit = function* (value: unknown): Generator<ValueId> {
    if (typeof value !== 'object' || value === null) return;
    const one = value as Record<string, unknown>;
    if (one.is === 'tensor') yield one.id as ValueId;
    else if (one.is !== 'data') for (const inner of Object.values(one)) yield* visit(inner);
  };
  yield* visit(made.on);
  for (const arg of made.args) yield* visit(arg);
}

/** The least number of a layer's own values, those inside it included. */
function lowestId({ outputs, bodies = {} }: RecordedNode): number {
  const inner = Object.values(bodies).flatMap(({ inputs, nodes }) => [
    ...inputs.map(({ id }) => id),
    ...nodes.map((node) => lowestId(node as RecordedNode)),
  ]);
  return Math.min(...outputs.map(({ id }) => id), ...inner);
}

/** The last argument of `input` and `output`, where there is one. */
function ioOptions({ formats, note }: IOTraits): Doc[] {
  const options = {
    ...(formats && { format: formats.length === 1 ? formats[0]! : [...formats] }),
    ...noteOf({ note }),
  };
  return Object.keys(options).length > 0 ? [dataText<Doc>(options, plainDocs)] : [];
}

const plainDocs = {
  text: (code: string): Doc => code,
  list: (items: Doc[]): Doc => group('[', items, ']', { fills: true }),
  object: (entries: [string, Doc][]): Doc =>
    group(
      '{',
      entries.map(([key, value]): Doc => [`${key}: `, value]),
      '}',
      { spaced: true },
    ),
  call: (name: string, items: Doc[]): Doc => group(`${name}(`, items, ')', { fills: true }),
};

const fileName = (name: string): string =>
  name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+|-+$/g, '') || 'network';
