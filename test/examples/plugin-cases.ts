import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { cachedAttention } from '../../examples/plugins/cached-attention.js';
import { hardSwish } from '../../examples/plugins/hard-swish.js';
import { rmsNorm } from '../../examples/plugins/rms-norm.js';
import { roiAlign } from '../../examples/plugins/roi-align.js';
import { selectRows } from '../../examples/plugins/select-rows.js';
import { difference } from '../../examples/run.js';
import {
  type AnyPlugin,
  type DType,
  loadWeights,
  type Network,
  network,
  type Profile,
  type Tensor,
  type TypedArray,
} from '../../src/index.js';
import { decodeElements } from '../../src/values/elements.js';

interface Example {
  plugin: AnyPlugin;
  /** Its two files in examples/plugins. */
  file: string;
  attributes: Record<string, number | boolean>;
  /** Names of dynamic dims, by input. Where there is none, the size is that of the stored input. */
  dims: Record<string, readonly string[]>;
}

const rois = { features: [], rois: ['n'], batch: ['n'] };
const pooled = { pooledHeight: 4, pooledWidth: 5, spatialScale: 0.25 };
const tokens = { x: ['a', 'b'], residual: ['a', 'b'], weight: [] };
const steps = ['query', 'key', 'value', 'keys', 'values', 'position'].map((name) => [name, ['batch']]);

/** Examples import the package's dist/, of which the types of src/ know nothing. */
const plugins = { hardSwish, rmsNorm, roiAlign, cachedAttention, selectRows } as unknown as Record<string, AnyPlugin>;

/** By the names that examples/plugins/reference.py gives them. */
export const examples: Record<string, Example> = {
  'hard-swish': { plugin: plugins.hardSwish!, file: 'hard-swish', attributes: {}, dims: { x: ['n'] } },
  'rms-norm': { plugin: plugins.rmsNorm!, file: 'rms-norm', attributes: { eps: 1e-5 }, dims: tokens },
  'rms-norm odd': { plugin: plugins.rmsNorm!, file: 'rms-norm', attributes: { eps: 1e-5 }, dims: tokens },
  'roi-align': { plugin: plugins.roiAlign!, file: 'roi-align', attributes: { ...pooled, aligned: true }, dims: rois },
  'roi-align legacy': {
    plugin: plugins.roiAlign!,
    file: 'roi-align',
    attributes: { ...pooled, samplingRatio: 2 },
    dims: rois,
  },
  'cached-attention': {
    plugin: plugins.cachedAttention!,
    file: 'cached-attention',
    attributes: {},
    dims: Object.fromEntries(steps),
  },
  'select-rows': {
    plugin: plugins.selectRows!,
    file: 'select-rows',
    attributes: { threshold: 0.5 },
    dims: { rows: ['n'], scores: ['n'] },
  },
};

export interface Stored {
  dtype: DType;
  shape: readonly number[];
  data: TypedArray;
}

/** What PyTorch computed of one example, in one dtype, at one of the sizes. */
export interface PluginCase {
  example: string;
  dtype: DType;
  size: 'min' | 'opt' | 'max';
  inputs: Record<string, Stored>;
  outputs: Record<string, Stored>;
}

const reference = fileURLToPath(new URL('../../examples/plugins/reference.safetensors', import.meta.url));

async function readCases(): Promise<PluginCase[]> {
  using file = await loadWeights(reference);
  const cases = new Map<string, PluginCase>();
  for (const path of file.names()) {
    const [example, dtype, size, group, name] = path.split('/') as [string, DType, PluginCase['size'], string, string];
    const key = `${example}/${dtype}/${size}`;
    const one = cases.get(key) ?? { example, dtype, size, inputs: {}, outputs: {} };
    cases.set(key, one);
    const { shape, data, ...rest } = file.get(path);
    one[group === 'in' ? 'inputs' : 'outputs'][name] = {
      dtype: rest.dtype as DType,
      shape,
      data: data.slice() as TypedArray,
    };
  }
  const order = Object.keys(examples);
  return [...cases.values()].sort((a, b) => order.indexOf(a.example) - order.indexOf(b.example));
}
export const cases = await readCases();

/** Examples by dtype, with their cases: min, opt and max. */
export const groups = cases
  .filter(({ size }) => size === 'min')
  .map((min) => {
    const { example, dtype } = min;
    const other = (size: PluginCase['size']) =>
      cases.find((one) => one.example === example && one.dtype === dtype && one.size === size)!;
    return { label: `${example} in ${dtype}`, example, dtype, cases: [min, other('opt'), other('max')] as const };
  });
export type Group = (typeof groups)[number];

type Make = (
  net: Network,
  inputs: Record<string, Tensor>,
  attributes: Record<string, number | boolean>,
) => Record<string, Tensor>;

/** A network of one example and nothing else, with dynamic dims; `make` is what stands in place of the plugin. */
export function networkOf({ example, cases: [stored] }: Group, make?: Make): Network {
  const { plugin, attributes, dims } = examples[example]!;
  const net = network(example);
  const inputs = Object.fromEntries(
    Object.entries(dims).map(([name, names]) => {
      const { dtype, shape } = stored.inputs[name]!;
      return [name, net.input(name, { dtype, shape: shape.map((size, axis) => names[axis] ?? size) })];
    }),
  );
  const record: Make = make ?? ((one, tensors, given) => one.plugin(plugin, tensors, given));
  for (const [name, tensor] of Object.entries(record(net, inputs, attributes))) tensor.output(name);
  return net;
}

/** From the sizes of its cases. */
export function profileOf({ example, cases: all }: Group): Profile {
  const { dims } = examples[example]!;
  return Object.fromEntries(
    Object.entries(dims).flatMap(([input, names]) =>
      names.map((name, axis) => [
        name,
        all.map(({ inputs }) => inputs[input]!.shape[axis]!) as [number, number, number],
      ]),
    ),
  );
}

/** Largest difference over the root mean square of the reference: the project's tolerance. */
const tolerances: Partial<Record<DType, number>> = { float32: 1e-5, float16: 2e-3, bfloat16: 1.6e-2 };

const floats = ({ dtype, shape, data }: Stored) =>
  decodeElements(
    dtype,
    data,
    shape.reduce((a, b) => a * b, 1),
  );

/**
 * Compares outputs with PyTorch's, which are float32 where something was computed; what was copied must be equal. Returns the largest
 * difference as a share of the allowed one; `allowed` of it pass.
 */
export function expectOutputs({ dtype, outputs }: PluginCase, given: Record<string, Stored>, allowed = 1): number {
  expect(Object.keys(given).sort()).toEqual(Object.keys(outputs).sort());
  let most = 0;
  for (const [name, wanted] of Object.entries(outputs)) {
    const one = given[name]!;
    const isComputed = wanted.dtype === 'float32';
    expect([name, one.dtype, one.shape]).toEqual([name, isComputed ? dtype : wanted.dtype, wanted.shape]);
    if (!isComputed) {
      expect([...one.data], name).toEqual([...wanted.data]);
    } else if (wanted.data.length > 0) {
      const share = difference(floats(one), floats(wanted)) / tolerances[dtype]!;
      expect(share, name).toBeLessThanOrEqual(allowed);
      most = Math.max(most, share);
    }
  }
  return most;
}
