import { cutTo } from '../errors/roll-back.js';
import type { Fail } from './define-layer.js';
import { nameProblem } from './name.js';

/** The name of a layer's output until the caller gives it another. */
export const outputName = (layer: string, index: number, count: number): string =>
  count === 1 ? layer : `${layer}:${index}`;

/** The names of a network's layers. */
export class LayerNames {
  readonly #taken = new Set<string>();
  /** Names of layers not yet copied. */
  #reserved: ReadonlySet<string> = new Set();
  /** The layer being replaced: its reserved name is free for the replacement. */
  replaced: string | undefined;
  /** By scope: how many names each stem has produced. */
  readonly #counts = new Map<string, Map<string, number>>();

  get size(): number {
    return this.#taken.size;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  add(name: string): void {
    this.#taken.add(name);
  }

  /** Frees all names but the first `size`. */
  cutTo(size: number): void {
    cutTo(this.#taken, size);
    this.#counts.clear();
  }

  /** Reserves names for `copied`, and frees earlier reservations. */
  reserve(names: Iterable<string>): void {
    this.#reserved = new Set(names);
  }

  /** The layer's name in another network or, if that is taken here, a name that begins with it. */
  copied(name: string): string {
    return this.#taken.has(name) ? this.made('', name) : name;
  }

  /** A name given by the user; it must be unused. */
  given(scope: string, name: string, fail: Fail): string {
    const problem = nameProblem(name);
    if (problem) fail('ERR_NAME', problem, { option: 'name' });
    const isReplaced = name === this.replaced && scope === `${name}.`;
    const full = isReplaced ? name : scope + name;
    if (this.#taken.has(full) || (this.#reserved.has(full) && !isReplaced))
      fail('ERR_DUPLICATE_NAME', `a layer named '${full}' exists already`);
    return full;
  }

  /** A new name that begins with the stem. */
  made(scope: string, stem: string): string {
    let counts = this.#counts.get(scope);
    if (!counts) {
      counts = new Map();
      this.#counts.set(scope, counts);
    }
    let n = counts.get(stem) ?? 0;
    let name: string;
    do {
      name = scope + stem + (n ? `_${n}` : '');
      n++;
    } while (this.#taken.has(name) || this.#reserved.has(name));
    counts.set(stem, n);
    return name;
  }
}
