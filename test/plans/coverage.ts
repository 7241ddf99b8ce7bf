import { readFileSync } from 'node:fs';
import type { RecordedNode } from '../../src/dsl/network.js';
import { binding } from '../../src/tensorrt/binding.js';
import { uncovered, unseen } from './uncovered.js';

/** What no compared case reaches, and entries that do not belong on that list. */
interface Gaps {
  missing: string[];
  stale: string[];
}

/** Interfaces for running engines, which plans do not show. */
const running =
  /^I(Runtime|RuntimeConfig|RuntimeCache|CudaEngine|ExecutionContext|EngineInspector|HostMemory|TimingCache)::/;
const telling = /::(add|set|mark|clear|create|remove)/;

const table = readFileSync(new URL('../../native/tensorrt/enums.def', import.meta.url), 'utf8');
const rows = [...table.matchAll(/^ENUM\((\w+), (\w+),/gm)].map(([, type, name]) => `${type}::${name}`);

/** What the cases with equal plans told TensorRT, according to the addon's trace. */
export class Coverage {
  cases = 0;
  readonly #calls = new Map<string, Set<string>>();
  readonly #enumerators = new Set<string>();
  readonly #kinds = new Set<string>();

  add(calls: Record<string, string[]>, enumerators: readonly string[], nodes: readonly RecordedNode[]): void {
    this.cases++;
    for (const [method, lists] of Object.entries(calls)) {
      const known = this.#calls.get(method) ?? new Set();
      for (const list of lists) known.add(list);
      this.#calls.set(method, known);
    }
    for (const name of enumerators) this.#enumerators.add(name);
    this.#addKinds(nodes);
  }

  #addKinds(nodes: readonly RecordedNode[]): void {
    for (const { kind, bodies } of nodes) {
      this.#kinds.add(kind);
      for (const body of Object.values(bodies ?? {})) this.#addKinds(body.nodes);
    }
  }

  kinds(): Gaps {
    const all = binding().layerTable();
    return gaps(
      uncovered.kinds,
      all.map(({ kind }) => kind),
      (kind) => this.#kinds.has(kind),
    );
  }

  /** A method that is always called with the same arguments might as well be dropped, so each needs at least two variants. */
  methods(): Gaps {
    const known = [...this.#calls.keys()].filter((method) => telling.test(method) && !running.test(method));
    const all = known.filter((method) => !unseen.includes(method));
    const { missing, stale } = gaps(uncovered.methods, all, (method) => {
      const lists = [...this.#calls.get(method)!];
      const hasNumbers = lists.some((list) => list !== '' && !/^object(, object)*$/.test(list));
      return lists.length > (hasNumbers ? 1 : 0);
    });
    return { missing, stale: [...stale, ...unseen.filter((method) => !known.includes(method))] };
  }

  enumerators(): Gaps {
    return gaps(uncovered.enumerators, rows, (name) => this.#enumerators.has(name));
  }
}

/** `list` has reasons by name; a name that ends in `*` covers all names with that beginning. */
function gaps(
  list: Readonly<Record<string, string>>,
  all: readonly string[],
  isReached: (name: string) => boolean,
): Gaps {
  const matches = (entry: string, name: string) =>
    entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry;
  const entries = Object.keys(list);
  return {
    missing: all.filter((name) => !isReached(name) && !entries.some((entry) => matches(entry, name))),
    // An entry must cover something, and nothing that is reached.
    stale: entries.filter((entry) => {
      const named = all.filter((name) => matches(entry, name));
      return named.length === 0 || named.some(isReached);
    }),
  };
}
