import { expect, it } from 'vitest';
import { z } from 'zod';
import { createCpuModel } from '../../src/cpu/session.js';
import { type CpuLayer, defineLayer, type InferContext, type InferredValue } from '../../src/dsl/define-layer.js';
import { float16, float32, network, type Tensor } from '../../src/index.js';
import { addDims, unknownDim } from '../../src/values/dim.js';

type None = Record<string, never>;
let kinds = 0;
/** Records a throwaway kind with the given inference and mapping. */
function layer(
  x: Tensor,
  infer: (c: InferContext<None>) => InferredValue,
  cpu?: (g: never, l: CpuLayer<None>) => string,
) {
  const definition = defineLayer({
    kind: `test_guard_${++kinds}`,
    params: z.strictObject({}) as unknown as z.ZodType<None>,
    infer,
    cpu: cpu ?? ((g, { input }) => g.op('Identity', [input(0)])),
  });
  return x.network.record(definition, { inputs: [x], params: {}, name: 'guarded' })[0]!;
}

it('holds inference to the shapes that come out', async () => {
  const net = network('lies', { x: float32('n', 2) });
  const [x] = net.inputs as [Tensor];
  layer(x, ({ input }) => ({ dtype: 'float32', shape: [addDims(input(0).shape[0]!, 1), 2] })).output('y');
  using model = await createCpuModel(net);
  await expect(model.run({ x: new Float32Array(6) })).rejects.toMatchObject({
    code: 'ERR_INTERNAL',
    message: "network 'lies': output 'y' was inferred as [n + 1, 2] = [4, 2], but the CPU backend returned [3, 2]",
  });
});

it('holds a size that only the data tells to one value', async () => {
  const net = network('unknown', { a: float32('n'), b: float32('m') });
  const [a, b] = net.inputs as [Tensor, Tensor];
  const size = unknownDim('k');
  for (const [name, tensor] of [['ya', a] as const, ['yb', b] as const]) {
    net.scope(name, () => layer(tensor, () => ({ dtype: 'float32', shape: [size] })).output(name));
  }
  using model = await createCpuModel(net);
  const { ya } = await model.run({ a: [1, 2], b: [3, 4] });
  expect(ya!.shape).toEqual([2]);
  await expect(model.run({ a: [1, 2], b: [3] })).rejects.toMatchObject({ code: 'ERR_INTERNAL', actual: [1] });
});

it('holds inference to the dtypes of every layer, before anything runs', async () => {
  const net = network('types', { x: float32(2) });
  layer(net.inputs[0]!, () => ({ dtype: 'int64', shape: [2] }));
  net.relu().output('y');
  await expect(createCpuModel(net)).rejects.toMatchObject({ code: 'ERR_CPU_BACKEND', layer: 'guarded' });
});

it('names the layer whose mapping fails, and its place', async () => {
  const net = network('mapping', { x: float16(2) });
  const cpu = (_: never, { input }: CpuLayer<None>) => input(1);
  layer(net.inputs[0]!, () => ({ dtype: 'float16', shape: [2] }), cpu).output('y');
  await expect(createCpuModel(net)).rejects.toMatchObject({
    code: 'ERR_INTERNAL',
    layer: 'guarded',
    source: { file: import.meta.filename },
  });
});

it('names the layer that onnxruntime refuses', async () => {
  const net = network('refused', { x: float32(2) });
  const cpu = (g: { op: (t: string, i: string[]) => string }, { input }: CpuLayer<None>) =>
    g.op('Conv', [input(0), input(0)]);
  layer(net.inputs[0]!, () => ({ dtype: 'float32', shape: [2] }), cpu as never).output('y');
  await expect(createCpuModel(net)).rejects.toMatchObject({
    code: 'ERR_CPU_BACKEND',
    layer: 'guarded',
    message: expect.stringContaining("network 'refused': onnxruntime refused the network: "),
  });
});
