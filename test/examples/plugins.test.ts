import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Network, Tensor } from '../../src/index.js';
import { definitionOfPlugin } from '../../src/plugin/define.js';
import { attributeFields, type OwnParams, recipeOf } from '../../src/plugin/layer.js';
import { bytesOf, viewAs } from '../../src/values/dtype.js';
import { CpuKernels, type KernelRun } from './cuda-on-cpu.js';
import { cases, examples, expectOutputs, groups, networkOf, type PluginCase, type Stored } from './plugin-cases.js';

vi.mock('node-tensorrt', () => import('../../src/index.js'));

const countOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

type Decompose = (inputs: Record<string, Tensor>, attributes: unknown) => Record<string, Tensor>;

const decompositionOf = (example: string) =>
  definitionOfPlugin(examples[example]!.plugin).decompose as unknown as Decompose | undefined;

const runOnCpu = async (net: Network, { inputs }: PluginCase) => {
  using model = await net.compile({ backend: 'cpu' });
  return model.run(inputs);
};

describe.each(groups)('$label', (group) => {
  const { attributes } = examples[group.example]!;
  const decompose = decompositionOf(group.example);

  test.each(group.cases)('the reference computes what PyTorch computes: $size', async (one) => {
    expectOutputs(one, await runOnCpu(networkOf(group), one));
  });

  // onnxruntime adds float16 in float32, and does not round where the sum is cast to float32 again.
  const share = group.example.startsWith('rms-norm') && group.dtype === 'float16' ? 2 : 1;
  if (decompose)
    test.each(group.cases)('so do its layers: $size', async (one) => {
      const net = networkOf(group, (_, inputs) => decompose(inputs, attributes));
      expectOutputs(one, await runOnCpu(net, one), share);
    });
});

const files = [...new Set(Object.values(examples).map(({ file }) => file))];

describe.each(files)('%s.cu, run by threads of the CPU, computes what PyTorch computes', (file) => {
  const all = groups
    .filter(({ example }) => examples[example]!.file === file)
    .flatMap(({ example, cases }) =>
      cases.map((one) => ({
        label: `${example} in ${one.dtype}: ${one.size}`,
        one,
        make: (run: KernelRun): KernelRun => run,
      })),
    );
  if (file === 'select-rows') {
    // 47 blocks: their counts are summed up in two rounds, which takes 65,537 rows in blocks of 256.
    const one = all.find(({ label }) => label === 'select-rows in float32: max')!;
    all.push({ ...one, label: 'select-rows in blocks of 32', make: (run) => withBlock(run, 256, 32) });
  }
  let runs: KernelRun[];
  let kernels: CpuKernels;
  beforeAll(() => {
    runs = all.map(({ one, make }) => make(kernelRun(one)));
    kernels = new CpuKernels(new URL(`../../examples/plugins/${file}.cu`, import.meta.url), runs);
  });
  afterAll(() => kernels?.dispose());

  test.each(all.map(({ label }, i) => [label, i] as const))('%s', (_, i) => {
    const { one } = all[i]!;
    const run = runs[i]!;
    const bytes = run.recipe.inputs.map(({ name }) => bytesOf(one.inputs[name]!.data));
    // The largest sizes take long, so one tactic runs them.
    const tactics = [...run.recipe.tactics.keys()].slice(one.size === 'max' ? -1 : 0);
    for (const tactic of tactics) expectOutputs(one, outputsOf(run, kernels.run(i, bytes, tactic), one));
  });
});

/** A case as it runs on a GPU: recorded with the dynamic dims of its profile, launched with its own sizes. */
function kernelRun({ example, inputs }: PluginCase): KernelRun {
  const { plugin, attributes, dims } = examples[example]!;
  const params: OwnParams = { definition: { name: plugin.name, version: plugin.version }, attributes };
  const tensors = definitionOfPlugin(plugin).inputs.map((name) => ({ ...inputs[name]!, names: dims[name]! }));
  const recorded = tensors.map(({ dtype, shape, names }) => ({
    dtype,
    shape: shape.map((size, axis) => names[axis] ?? size),
  }));
  return {
    recipe: recipeOf(params, recorded),
    attributes: attributeFields(params),
    dims: tensors.map(({ shape }) => shape),
  };
}

/** A run whose blocks have another size, which its kernels take as a template argument. */
function withBlock(run: KernelRun, from: number, to: number): KernelRun {
  const { recipe } = run;
  const expressions = recipe.expressions.map((one) =>
    one.op === 'constant' && one.value === BigInt(from) ? { ...one, value: BigInt(to) } : one,
  );
  return {
    ...run,
    recipe: { ...recipe, expressions, kernels: recipe.kernels.map((name) => name.replace(`${from}`, `${to}`)) },
  };
}

/** Outputs of a kernel; one whose size it wrote is cut off there. */
function outputsOf(
  { recipe }: KernelRun,
  given: readonly Uint8Array[],
  { outputs }: PluginCase,
): Record<string, Stored> {
  const names = recipe.outputs.map(({ name }) => name);
  const count = recipe.outputs.findIndex(({ isSize }) => isSize);
  const written = count < 0 ? undefined : new DataView(given[count]!.buffer).getInt32(0, true);
  return Object.fromEntries(
    names.map((name, i) => {
      const { dtype, dims } = recipe.outputs[i]!;
      const isCut = dims.some((dim) => recipe.expressions[dim]!.op === 'size');
      const { shape } = outputs[name]!;
      const actual = isCut ? [written!, ...shape.slice(1)] : shape;
      const data = viewAs(dtype, given[i]!);
      return [name, { dtype, shape: actual, data: isCut ? data.slice(0, countOf(actual)) : data }];
    }),
  );
}

test('every case of reference.py is one of these', () => {
  expect(groups.flatMap((group) => group.cases).length).toBe(cases.length);
  expect([...new Set(cases.map(({ example }) => example))].sort()).toEqual(Object.keys(examples).sort());
});
