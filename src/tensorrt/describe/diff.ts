import type { EngineDescription, IODescription, LayerDescription } from './describe.js';

/** An engine to compare with another. */
export interface EngineFacts {
  /** What `describeEngine` returned. */
  description: EngineDescription;
  /** Bytes of the plan. */
  size?: number | undefined;
  /** Bytes of activation memory per profile. */
  memorySizes?: readonly number[] | undefined;
  /** Milliseconds by TensorRT's name of the layer, as `context.profile` gives them. */
  times?: readonly { name: string; ms: number }[] | undefined;
}

/** Layers of two engines that stand for the same layers of the network, and are not the same. */
export interface LayerChange {
  /**
   * `fused`: the network's layers are divided otherwise; `only`: one engine alone has them; else what is other in a layer
   * that both have.
   */
  changes: readonly ('fused' | 'only' | 'type' | 'kernel' | 'precision' | 'format' | 'shape')[];
  /** The layers in A. */
  a: readonly LayerDescription[];
  /** The layers in B. */
  b: readonly LayerDescription[];
  /** Milliseconds of all of them, where both times are known. */
  ms?: { a: number; b: number } | undefined;
}

/** What `diffEngines` found. */
export interface EngineDifference {
  /** Whether nothing but size and times differs. */
  same: boolean;
  /** Inputs and outputs that differ; `a` or `b` is absent where that engine has none of the name. */
  io: { name: string; a?: IODescription | undefined; b?: IODescription | undefined }[];
  /** Layers that differ. */
  layers: LayerChange[];
  /** Layers that are the same in both, with their times. */
  unchanged: { name: string; ms?: { a: number; b: number } | undefined }[];
  /** Number of layers. */
  counts: { a: number; b: number };
  /** Bytes of the plans. */
  size?: { a: number; b: number } | undefined;
  /** Bytes of activation memory per profile. */
  memorySizes?: { a: readonly number[]; b: readonly number[] } | undefined;
  /** Milliseconds of all layers. */
  totalMs?: { a: number; b: number } | undefined;
}

/** How two engines differ: inputs and outputs, fusions, kernels, precisions, size, and times where they are given. */
export function diffEngines(a: EngineFacts, b: EngineFacts): EngineDifference {
  const groups = groupsOf(a.description.layers, b.description.layers);
  const [timesA, timesB] = [timesOf(a), timesOf(b)];
  const layers: LayerChange[] = [];
  const unchanged: EngineDifference['unchanged'] = [];
  for (const group of groups) {
    const changes = changesIn(group);
    const ms = timesA && timesB && { a: timesA(group.a), b: timesB(group.b) };
    if (changes.length > 0) layers.push({ changes, ...group, ...(ms && { ms }) });
    else unchanged.push({ name: group.a[0]!.name, ...(ms && { ms }) });
  }
  const io = diffIO(a.description.io, b.description.io);
  return {
    same: layers.length === 0 && io.length === 0,
    io,
    layers,
    unchanged,
    counts: { a: a.description.layers.length, b: b.description.layers.length },
    ...both('size', a.size, b.size),
    ...both('memorySizes', a.memorySizes, b.memorySizes),
    ...both('totalMs', timesA?.(a.description.layers), timesB?.(b.description.layers)),
  };
}

const both = <K extends string, T>(key: K, a: T | undefined, b: T | undefined) =>
  (a === undefined || b === undefined ? {} : { [key]: { a, b } }) as Partial<Record<K, { a: T; b: T }>>;

function timesOf({ times }: EngineFacts): ((layers: readonly LayerDescription[]) => number) | undefined {
  if (!times) return undefined;
  const byName = new Map<string, number>();
  for (const { name, ms } of times) byName.set(name, (byName.get(name) ?? 0) + ms);
  return (layers) => layers.reduce((sum, { name }) => sum + (byName.get(name) ?? 0), 0);
}

interface Group {
  a: LayerDescription[];
  b: LayerDescription[];
}

/** What makes layers of two engines the same: a layer of the network in both, or the name where none is known. */
const keysOf = ({ layers, name }: LayerDescription): string[] =>
  layers.length > 0 ? layers.map((layer) => `layer ${layer}`) : [`name ${name}`];

/** Layers of both engines that share a layer of the network, directly or through others, in A's order. */
function groupsOf(a: readonly LayerDescription[], b: readonly LayerDescription[]): Group[] {
  const byKey = new Map<string, Group>();
  const groups = new Set<Group>();
  for (const [side, layers] of [
    ['a', a],
    ['b', b],
  ] as const) {
    for (const layer of layers) {
      const keys = keysOf(layer);
      const [group = { a: [], b: [] }, ...others] = new Set(keys.flatMap((key) => byKey.get(key) ?? []));
      groups.add(group);
      group[side].push(layer);
      for (const other of others) {
        group.a.push(...other.a);
        group.b.push(...other.b);
        groups.delete(other);
        for (const [key, one] of byKey) if (one === other) byKey.set(key, group);
      }
      for (const key of keys) byKey.set(key, group);
    }
  }
  return [...groups];
}

function changesIn({ a, b }: Group): LayerChange['changes'] {
  if (a.length === 0 || b.length === 0) return ['only'];
  const divided = (layers: readonly LayerDescription[]) => layers.map((one) => keysOf(one).sort().join('\n')).sort();
  if (!same(divided(a), divided(b))) return ['fused'];
  const changes = new Set<LayerChange['changes'][number]>();
  for (const [i, one] of sorted(a).entries()) {
    const other = sorted(b)[i]!;
    if (one.type !== other.type) changes.add('type');
    if (!same(kernelOf(one), kernelOf(other))) changes.add('kernel');
    if (one.precision !== other.precision) changes.add('precision');
    const tensors = (layer: LayerDescription) => [...layer.inputs, ...layer.outputs];
    if (
      !same(
        tensors(one).map(({ format }) => format),
        tensors(other).map(({ format }) => format),
      )
    )
      changes.add('format');
    if (
      !same(
        tensors(one).map(({ shape }) => shape),
        tensors(other).map(({ shape }) => shape),
      )
    )
      changes.add('shape');
  }
  return [...changes];
}

const kernelOf = ({ kernel, tactic }: LayerDescription) => kernel ?? tactic;
const sorted = (layers: readonly LayerDescription[]) =>
  [...layers].sort((one, other) => (keysOf(one).join() < keysOf(other).join() ? -1 : 1));
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function diffIO(a: readonly IODescription[], b: readonly IODescription[]): EngineDifference['io'] {
  const others = new Map(b.map((one) => [one.name, one]));
  const found: EngineDifference['io'] = [];
  for (const one of a) {
    const other = others.get(one.name);
    others.delete(one.name);
    if (!other || !same(one, other)) found.push({ name: one.name, a: one, ...(other && { b: other }) });
  }
  for (const [name, one] of others) found.push({ name, b: one });
  return found;
}
