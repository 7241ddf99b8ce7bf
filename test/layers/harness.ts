import { describe, expect, test } from 'vitest';
import type { RecordedNode } from '../../src/dsl/network.js';
import {
  float32,
  type LoweringReport,
  Network,
  network,
  type Profile,
  type Result,
  type Tensor,
  TensorRTError,
} from '../../src/index.js';
import { without } from '../../src/tensorrt/compile/build.js';
import { type Dim, evaluateDim } from '../../src/values/dim.js';
import type { DType } from '../../src/values/dtype.js';
import { decodeElements } from '../../src/values/elements.js';
import { readFixture, type Stored, type StoredCase } from './fixture.js';

/** A network of a layer kind, with its reference in fixtures/KIND.safetensors. */
export interface LayerCase {
  /** Key in the fixture. */
  name: string;
  /** Records the network from the fixture's inputs and weights. The tensors it returns are compared with the fixture's outputs in order. */
  build(inputs: Record<string, Tensor>, weights: Record<string, Stored>, net: Network): Tensor | Tensor[];
  /** Shapes of dynamic inputs, with named dims. Such a case runs a second time with these. */
  dynamic?: Record<string, Dim[]>;
  /** Axes whose sizes depend on the data, by output; no other size may be unknown. */
  unknown?: Readonly<Record<number, readonly number[]>>;
  /** Other sizes that its dynamic dims may have, if `otherSizes` finds none. */
  otherSizes?: Record<string, number>;
  /** Its dynamic dims have only one possible size. */
  onlySize?: true;
  /** Ranges of inputs whose elements TensorRT computes shapes from. */
  ranges?: Profile;
  /** Largest |ours − theirs| ≤ atol + rtol·|theirs|. Default by dtype, see `tolerances`. */
  tolerance?: { atol: number; rtol: number };
  /**
   * One step of what the outputs are quantized to. A GPU may compute a value beside a rounding boundary to its other side: at
   * most one element in ten may differ by that much there, all others by no more than `tolerance`.
   */
  step?: { atol: number; rtol: number };
  /**
   * Why a tier cannot run this case, in TensorRT's or onnxruntime's own words: `cpu` and `build` must then fail with that text.
   * `fallback`: the layers that replace this one if a release lacks it. */
  refused?: { build?: RegExp; cpu?: RegExp; gpu?: RegExp; fallback?: RegExp };
}

/** TensorRT 10's builder, about a layer that computes with int8 tensors: it takes them for quantized ones. */
export const int8Refused: LayerCase['refused'] = { gpu: /cannot be quantized/ };

/** One rounding of the dtype and a few float32 operations of headroom. */
export const tolerances: Partial<Record<DType, { atol: number; rtol: number }>> = {
  float32: { atol: 2e-5, rtol: 2e-5 },
  float16: { atol: 2e-3, rtol: 2e-3 },
  bfloat16: { atol: 1.6e-2, rtol: 1.6e-2 },
};

export interface Recorded {
  net: Network;
  outputs: Tensor[];
}

/** Records a case's network; with `dynamic`, its inputs have named dims, or the given sizes in their place. */
export function record(
  one: LayerCase,
  stored: StoredCase,
  dynamic: boolean,
  sizes: Readonly<Record<string, number>> = {},
): Recorded {
  const net = network(one.name);
  const inputs = Object.fromEntries(
    Object.entries(stored.inputs).map(([name, { dtype, shape }]) => [
      name,
      net.input(name, { dtype, shape: ((dynamic && one.dynamic?.[name]) || shape).map((dim) => sizes[dim] ?? dim) }),
    ]),
  );
  const outputs = [one.build(inputs, stored.weights, net)].flat();
  outputs.forEach((tensor, i) => {
    tensor.output(`out${i}`);
  });
  return { net, outputs };
}

/** Sizes of a case's named dims. */
export function sizesOf(one: LayerCase, stored: StoredCase): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const [name, dims] of Object.entries(one.dynamic ?? {})) {
    dims.forEach((dim, axis) => {
      if (typeof dim === 'string') sizes[dim] = stored.inputs[name]!.shape[axis]!;
    });
  }
  return sizes;
}

const changes: readonly ((size: number) => number)[] = [(n) => n + 1, (n) => 2 * n, (n) => n + 2, (n) => n - 1];

/** Other sizes of the dynamic dims: all changed, then only those that are equal, then one. */
function* otherSizes(one: LayerCase, stored: StoredCase): Generator<Record<string, number>> {
  if (one.otherSizes) yield one.otherSizes;
  const own = sizesOf(one, stored);
  const names = Object.keys(own);
  const equal = [...new Set(Object.values(own))].map((size) => names.filter((name) => own[name] === size));
  for (const group of [names, ...equal, ...names.map((name) => [name])]) {
    for (const change of changes)
      yield { ...own, ...Object.fromEntries(group.map((name) => [name, change(own[name]!)])) };
  }
}

/** A case at the first other sizes that inference accepts; undefined if it accepts none. */
function recordOther(one: LayerCase, stored: StoredCase): (Recorded & { sizes: Record<string, number> }) | undefined {
  for (const sizes of otherSizes(one, stored)) {
    try {
      return { ...record(one, stored, true, sizes), sizes };
    } catch (error) {
      if (!(error instanceof TensorRTError)) throw error;
    }
  }
  return undefined;
}

/** A case's profile: its own sizes, and its ranges of elements. */
export function profilesOf(one: LayerCase, stored: StoredCase, dynamic: boolean): Profile[] | undefined {
  return dynamic || one.ranges ? [{ ...(dynamic && sizesOf(one, stored)), ...one.ranges }] : undefined;
}

/**
 * Compares a result with a reference: dtype, shape, and every element within the tolerance; NaN equals NaN. Returns the largest
 * difference as a share of the allowed one.
 */
export function expectClose(
  result: { dtype: DType; shape: readonly number[]; data: Result['data'] },
  expected: Stored,
  tolerance?: LayerCase['tolerance'],
): number {
  expect(result.dtype).toBe(expected.dtype);
  expect(result.shape).toEqual(expected.shape);
  let worst = 0;
  for (const { i, a, b, allowed, share } of compared(result, expected, toleranceOf(expected, tolerance))) {
    if (!(share <= 1)) expect.fail(`element ${i} of [${expected.shape}]: ${a}, expected ${b} ± ${allowed}`);
    worst = Math.max(worst, share);
  }
  return worst;
}

/** Expects that at least nine elements in ten are within the tolerance. */
export function expectMostlyClose(
  result: Pick<Result, 'dtype' | 'data'>,
  expected: Stored,
  tolerance?: LayerCase['tolerance'],
): void {
  const all = [...compared(result, expected, toleranceOf(expected, tolerance))];
  const close = all.filter(({ share }) => share <= 1);
  expect(close.length / all.length, 'share of elements within the tolerance').toBeGreaterThanOrEqual(0.9);
}

const toleranceOf = ({ dtype }: Stored, given: LayerCase['tolerance']) =>
  given ?? tolerances[dtype] ?? { atol: 0, rtol: 0 };

/** Every element beside its reference; `share` is its difference over what is allowed, 0 for equal elements. */
function* compared(
  result: Pick<Result, 'dtype' | 'data'>,
  expected: Stored,
  { atol, rtol }: NonNullable<LayerCase['tolerance']>,
): Generator<{ i: number; a: number; b: number; allowed: number; share: number }> {
  const count = expected.shape.reduce((a, b) => a * b, 1);
  const [ours, theirs] = [result, expected].map(({ dtype, data }) => decodeElements(dtype, data, count));
  const isWhole = expected.dtype === 'int32' || expected.dtype === 'int64';
  for (let i = 0; i < count; i++) {
    const [a, b] = [ours![i]!, theirs![i]!];
    const allowed = atol + rtol * Math.abs(b);
    // Decoded, integers are rounded to float32.
    const same = isWhole ? result.data[i] === expected.data[i] : Object.is(a, b) || a === b;
    yield { i, a, b, allowed, share: same ? 0 : Math.abs(a - b) / allowed };
  }
}

const plain = (shape: readonly Dim[]) => shape.map((dim) => (typeof dim === 'number' ? dim : -1));

/** Numbers rounded to float32, as TensorRT's setters take them. */
const narrowed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, v) => (typeof v === 'number' ? Math.fround(v) : v));

/**
 * Expects that every parameter of every layer, including nested ones, was read back through TensorRT's getters, unless the
 * release has no getter for it or the layer is composed of others. TensorRT-RTX has every getter that exists.
 */
export function expectReadBack(net: Network, { readBack, library }: LoweringReport): void {
  const byName = new Map(readBack.map((one) => [one.layer, one]));
  const visit = (nodes: readonly RecordedNode[]) => {
    for (const node of nodes) {
      for (const body of Object.values(node.bodies ?? {})) visit(body.nodes);
      const held = byName.get(node.name);
      expect(held?.kind, `what was read of '${node.name}'`).toBe(node.kind);
      if (held!.parts.length > 0) continue;
      for (const [name, value] of Object.entries(node.params)) {
        const what = `${node.kind} '${node.name}', ${name}`;
        if (held!.unread.includes(name)) {
          if (library.flavor === 'rtx1' && without.length === 0)
            expect(toldByNoGetter, what).toContain(`${node.kind}.${name}`);
          continue;
        }
        // See lower_pooling: TensorRT counts differently if rounding up adds to the end.
        if (name === 'averageCountExcludesPadding' && node.params.paddingMode === 'explicit_round_up') continue;
        if (value !== null) expect(narrowed(held!.parameters[name]), what).toEqual(narrowed(value));
      }
    }
  };
  visit(net.graph.nodes);
}

/** Parameters that have no getter, and `useFp32Acc` if the operands are not float16: it has no effect then. */
const toldByNoGetter = [
  ...['operation', 'reduceOperation', 'root', 'groups'].map((name) => `dist_collective.${name}`),
  'matrix_multiply.useFp32Acc',
  'resize.factors',
];

/**
 * Compares TensorRT's dtype and shape of every layer with the inferred ones, and what was read back from every layer with
 * what was recorded. With `anyRelease`, a dim that only one side knows is not compared: releases differ in which sizes they
 * know before the build. With `refused`, TensorRT may refuse to create the network with that text; nothing is returned then.
 */
export async function expectSameInference(
  net: Network,
  options: { library?: string; anyRelease?: boolean; refused?: RegExp } = {},
): Promise<LoweringReport | undefined> {
  let report: LoweringReport;
  try {
    report = await net.check({ library: options.library });
  } catch (error) {
    if (options.refused?.test((error as Error).message)) return undefined;
    throw error;
  }
  expectReadBack(net, report);
  const theirs = new Map<string, { dtype: DType; shape: number[] }[]>();
  for (const { name, dtype, shape } of report.layers) theirs.set(name, [...(theirs.get(name) ?? []), { dtype, shape }]);
  for (const node of net.graph.nodes) {
    const ours = node.outputs.map(({ dtype, shape }) => ({ dtype, shape: plain(shape) }));
    const found = (theirs.get(node.name) ?? []).map(({ dtype, shape }, i) => {
      const mine = ours[i]?.shape ?? [];
      const known = (dim: number, axis: number) => !options.anyRelease || (dim !== -1 && mine[axis] !== -1);
      return { dtype, shape: shape.map((dim, axis) => (known(dim, axis) ? dim : (mine[axis] ?? dim))) };
    });
    expect(found, `layer '${node.name}'`).toEqual(ours);
  }
  return report;
}

/** The three tiers of a kind: infer (no addon), build (TensorRT's inference, and a real engine), run (CPU backend against the reference). */
export function testLayer(kind: string, cases: readonly LayerCase[], area?: 'layers' | 'modules'): void {
  const fixture = readFixture(kind, area);
  test(`${kind}: every case of the fixture is used, and has a reference`, () => {
    expect(cases.map((one) => one.name).sort()).toEqual([...fixture.keys()].sort());
  });
  const variants = cases.flatMap((one) => {
    const stored = fixture.get(one.name);
    if (!stored) return [];
    return (one.dynamic ? [false, true] : [false]).map((dynamic) => ({
      label: dynamic ? `${one.name} (dynamic)` : one.name,
      one,
      stored,
      dynamic,
    }));
  });
  describe(`${kind}: infer`, () => {
    test.each(variants)('$label', ({ one, stored, dynamic }) => {
      const { outputs } = record(one, stored, dynamic);
      const sizes = sizesOf(one, stored);
      expect(outputs.map((t) => t.dtype)).toEqual(stored.outputs.map((o) => o.dtype));
      outputs.forEach((tensor, i) => {
        const expected = stored.outputs[i]!.shape;
        expect(tensor.shape.length).toBe(expected.length);
        const known = tensor.shape.map((dim) => evaluateDim(dim, sizes));
        const unknown = known.flatMap((size, axis) => (size === undefined ? [axis] : []));
        if (dynamic || !one.dynamic) expect(unknown).toEqual(one.unknown?.[i] ?? []);
        expect(known.map((size, axis) => (one.unknown?.[i]?.includes(axis) ? (size ?? expected[axis]) : size))).toEqual(
          expected,
        );
      });
    });
  });
  describe(`${kind}: build`, () => {
    test.each(variants)('$label', async ({ one, stored, dynamic }) => {
      const { net } = record(one, stored, dynamic);
      const profiles = profilesOf(one, stored, dynamic);
      await expectSameInference(net, { refused: one.refused?.build });
      if (one.refused?.build) {
        await expect(net.build({ profiles })).rejects.toThrow(one.refused.build);
        return;
      }
      using engine = await net.build({ profiles });
      expect(engine.bytes.byteLength).toBeGreaterThan(1000);
    });
  });
  describe.skipIf(!cases.some((one) => one.dynamic))(`${kind}: TensorRT's shapes at other sizes`, () => {
    test.each(variants.filter(({ dynamic }) => dynamic))('$label', async ({ one, stored }) => {
      const { outputs } = record(one, stored, true);
      const other = recordOther(one, stored);
      expect(other === undefined, 'whether it takes no other size').toBe(one.onlySize ?? false);
      if (!other) return;
      const { layers } = await other.net.check();
      for (const [i, tensor] of outputs.entries()) {
        const { id } = other.outputs[i]!;
        const node = other.net.graph.nodes.find((node) => node.outputs.some((output) => output.id === id));
        if (!node) continue;
        const theirs = layers.filter(({ name }) => name === node.name);
        const { shape } = theirs[node.outputs.findIndex((output) => output.id === id)]!;
        const ours = tensor.shape.map((dim, axis) => evaluateDim(dim, other.sizes) ?? shape[axis]);
        expect(ours, `${tensor} with ${JSON.stringify(other.sizes)}`).toEqual(shape);
      }
    });
  });
  describe(`${kind}: run on the CPU`, () => {
    test.each(variants)('$label', async ({ one, stored, dynamic }) => {
      const { net } = record(one, stored, dynamic);
      const run = async () => {
        using model = await net.compile({ backend: 'cpu' });
        return await model.run(stored.inputs);
      };
      if (one.refused?.cpu) {
        await expect(run()).rejects.toThrow(one.refused.cpu);
        return;
      }
      const results = await run();
      stored.outputs.forEach((expected, i) => {
        expectClose(results[`out${i}`]!, expected, one.tolerance);
      });
    });
  });
}

/** Expects that recording fails with `code`, naming the caller's file. */
export function expectRefusal(record: () => unknown, code: string, message?: RegExp): void {
  let error: unknown;
  try {
    record();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TensorRTError);
  expect((error as TensorRTError).code).toBe(code);
  if (message) expect((error as TensorRTError).message).toMatch(message);
  expect((error as TensorRTError).source?.file, 'the place in the caller’s code').toMatch(/\.test\.ts$/);
}

/** A network with one float32 input `x` of the given shape. */
export const oneInput = (...shape: Dim[]): Tensor => network('test', { x: float32(...shape) }).tensor();

/** Expects that a network is unchanged by a round trip through JSON, except for the places that recorded its layers. */
export function expectSameJSON(net: Network): void {
  const json = net.toJSON();
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value, (key, v) => (key === 'source' ? undefined : v)));
  expect(plain(Network.fromJSON(json).toJSON())).toEqual(plain(json));
}
