import type { IRWeight } from '../../dsl/ir.js';
import { type NativePlugin, pluginBinding } from '../../plugin/binding.js';
import { bytesOf } from '../../values/dtype.js';
import { checkMapping, type FileMapping } from '../../values/weight.js';
import { aligned } from '../aligned.js';
import { type BuildCallbacks, type BuildReport, binding, type Handle, type NativeProgram } from '../binding.js';
import { isolateBinding } from './binding.js';
import type { SentWeight } from './messages.js';
import type { BuildProcess } from './process.js';

/** The channel holds a few hundred; then the child has to receive first. In ms. */
const waitForChild = 2;

/** A program in a child. The graph goes over as bytes; elements are mapped there, and copied only where they cannot be. */
export class RemoteProgram implements NativeProgram {
  readonly #process: BuildProcess;
  readonly #cancel: () => void;
  /** Mappings by number. */
  readonly #shares: Handle[] = [];
  readonly #numbers = new Map<FileMapping, number | undefined>();
  readonly #weights: SentWeight[] = [];
  /** Files whose elements were copied: the child cannot tell whether they stay as they are. */
  readonly #copied = new Set<FileMapping>();

  constructor(process: BuildProcess, name: string, cancel: () => void) {
    this.#process = process;
    this.#cancel = cancel;
    process.send({ do: 'program', name });
  }

  addGraph(bytes: Uint8Array): void {
    this.#process.send({ do: 'graph', bytes });
  }

  addPlugins(plugins: readonly NativePlugin[]): void {
    this.#process.send({ do: 'kernels', plugins });
  }

  addWeights(weights: readonly IRWeight[]): void {
    const places = weights.map((weight) => this.#placeOf(weight));
    const bytes = weights.reduce((sum, { data }, i) => sum + (places[i] ? 0 : aligned(data.byteLength)), 0);
    const copies =
      bytes > 0
        ? this.#copy(
            weights.filter((_, i) => !places[i]),
            bytes,
          )
        : [];
    for (const [i, { name, dtype, shape, data }] of weights.entries()) {
      this.#weights.push({ name, dtype, shape, length: data.byteLength, ...(places[i] ?? copies.shift()!) });
    }
  }

  /** Where the child finds the elements; undefined if it cannot. */
  #placeOf({ mapping, data }: IRWeight): Place | undefined {
    if (data.byteLength === 0) return nowhere;
    if (!this.#numbers.has(mapping!)) {
      const share = isolateBinding().share(mapping!);
      this.#numbers.set(mapping!, share && this.#shares.push(share) - 1);
    }
    const number = this.#numbers.get(mapping!);
    const offset = number === undefined ? undefined : isolateBinding().placeInShare(this.#shares[number]!, data);
    return offset === undefined ? undefined : { mapping: number!, offset };
  }

  #copy(weights: readonly IRWeight[], bytes: number): Place[] {
    const memory = binding().allocate(bytes, true);
    const number = this.#shares.push(isolateBinding().share(memory)!) - 1;
    let offset = 0;
    const places = weights.map(({ data, mapping }) => {
      const place = { mapping: number, offset };
      new Uint8Array(memory.view(offset, data.byteLength)).set(bytesOf(data));
      if (mapping) this.#copied.add(mapping);
      offset += aligned(data.byteLength);
      return place;
    });
    memory.close();
    return places;
  }

  async build(
    library: string,
    options: object,
    callbacks: BuildCallbacks,
    timingCache?: Uint8Array,
  ): Promise<BuildReport> {
    const process = this.#process;
    const { onEvent } = callbacks;
    callbacks.cancel = this.#cancel;
    await this.#loadPlugins(library);
    for (const share of this.#shares) await this.#send(share);
    process.send({ do: 'weights', weights: this.#weights });
    const heard = onEvent && ((args: readonly unknown[]) => onEvent(...(args as Parameters<typeof onEvent>)));
    const request = { do: 'build', library, options, listens: onEvent !== undefined, timingCache } as const;
    const { report, hasPlan } = await process.ask(request, 'built', heard);
    for (const mapping of this.#copied) checkMapping(mapping);
    return hasPlan ? { ...report, plan: isolateBinding().receivePlan(process.channel) } : report;
  }

  async #loadPlugins(library: string): Promise<void> {
    const paths = pluginBinding().loadedPlugins(library);
    if (paths.length > 0) await this.#process.ask({ do: 'plugins', library, paths }, 'done');
  }

  async #send(share: Handle): Promise<void> {
    while (this.#process.isAlive && !isolateBinding().sendShare(this.#process.channel, share)) {
      await new Promise((resolve) => setTimeout(resolve, waitForChild));
    }
    this.#process.send({ do: 'map' });
  }
}

type Place = Pick<SentWeight, 'mapping' | 'offset'>;

/** Of a weight without elements. */
const nowhere: Place = { mapping: -1, offset: 0 };
