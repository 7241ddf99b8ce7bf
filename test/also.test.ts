import * as onnxruntime from 'onnxruntime-node';
import { describe, expect, test, vi } from 'vitest';
import { snapshot, withOwnElements } from '../src/dsl/snapshot.js';
import { bool, extract, float32, int32, type Network, network, weight } from '../src/index.js';
import { moreOutputs } from '../src/passes/more-outputs.js';
import { take } from '../src/tensorrt/compile/program.js';
import { expectIdentical, recorded, sample } from './passes/support.js';

/** TensorRT-RTX builds here without a GPU; the model then runs on the CPU. */
const backends = ['cpu', 'auto'] as const;
const one = { shape: [1], data: Float32Array.of(1) };

/** y = relu(x + w), z = 2 relu(x + w). */
function chain(w: { shape: number[]; data: Float32Array } = one): Network {
  const net = network('chain', { x: float32('n'), unused: float32(1) });
  const sum = net.tensor('x').add(w, { name: 'sum' });
  const relu = sum.relu({ name: 'relu' }).output('y');
  relu.mul(2, { name: 'double' }).output('z');
  return net;
}

const feeds = { x: [-3, 4], unused: [0] };
const values = async (results: ReturnType<Awaited<ReturnType<Network['compile']>>['run']>) =>
  Object.fromEntries(Object.entries(await results).map(([name, result]) => [name, [...result.toFloat32()]]));

describe.each(backends)("model.run(feeds, { also }) with backend '%s'", (backend) => {
  test('has the tensors of layers, inputs and outputs beside the outputs', async () => {
    using model = await chain().compile({ backend });
    const outputs = { y: [0, 5], z: [0, 10] };
    expect(await values(model.run(feeds, { also: ['sum'] }))).toEqual({ ...outputs, sum: [-2, 5] });
    const all = { ...outputs, x: [-3, 4], unused: [0], relu: [0, 5], double: [0, 10], sum: [-2, 5] };
    expect(await values(model.run(feeds, { also: ['x', 'sum', 'relu', 'y', 'double', 'unused', 'sum'] }))).toEqual(all);
    for (const options of [undefined, {}, { also: [] }, { also: undefined }] as const)
      expect(await values(model.run(feeds, options as never))).toEqual(outputs);
    expect(await values(model.run(feeds, { also: ['z', 'relu'] }))).toEqual({ ...outputs, relu: [0, 5] });
  });

  test('what was given at compile and at run counts', async () => {
    const data = new Float32Array(1024).fill(1);
    const net = network('given', { x: float32(1024) });
    const sum = net.tensor().add({ shape: [1024], data }, { name: 'sum' });
    sum.relu({ name: 'relu' }).output('y');
    const compiling = net.compile({ backend });
    data.fill(9);
    // Under its new name it has nothing to do with the model.
    sum.output('renamed');
    sum.neg({ name: 'later' }).output('w');
    using model = await compiling;
    const x = new Float32Array(1024).fill(-3);
    const running = model.run({ x }, { also: ['sum'] });
    x.fill(9);
    const { y, sum: given, ...others } = await running;
    expect([y!.toFloat32()[0], given!.toFloat32()[0], others]).toEqual([0, -2, {}]);
    for (const name of ['renamed', 'later', 'w'])
      await expect(model.run({ x }, { also: [name] })).rejects.toMatchObject({ code: 'ERR_NAME' });
  });

  test('elements of Weight objects that share memory with the caller', async () => {
    const data = Float32Array.of(1);
    const net = network('given', { x: float32(1) });
    net.tensor().add(weight(data), { name: 'sum' }).relu().output('y');
    using model = await net.compile({ backend });
    data.fill(9);
    expect(await values(model.run({ x: [1] }, { also: ['sum'] }))).toEqual({ y: [2], sum: [2] });
  });

  test('prepares the network once for a set of names', async () => {
    const create = vi.spyOn(onnxruntime.InferenceSession, 'create');
    using model = await chain().compile({ backend });
    const before = create.mock.calls.length;
    await Promise.all([model.run(feeds, { also: ['sum'] }), model.run(feeds, { also: ['sum', 'y'] })]);
    await model.run(feeds, { also: ['relu', 'sum'] });
    expect(create.mock.calls.length).toBe(before + 1);
    await model.run(feeds, { also: ['sum', 'x'] });
    await model.run(feeds, { also: ['x', 'sum'] });
    expect(create.mock.calls.length).toBe(before + 2);
    create.mockRestore();
  });

  test('is disposed with the model', async () => {
    const model = await chain().compile({ backend });
    await model.run(feeds, { also: ['sum'] });
    const running = model.run(feeds, { also: ['x'] });
    model.dispose();
    await expect(running).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(model.run(feeds, { also: ['sum'] })).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});

test('feeds and assertions are checked as without it', async () => {
  const net = network('checked', { x: float32('n'), ok: bool() });
  net.tensor('ok').assert('is not ok');
  net.tensor('x').exp({ name: 'e' }).log().output('y');
  using model = await net.compile({ backend: 'cpu' });
  await expect(model.run({ x: [1] }, { also: ['e'] })).rejects.toThrow(/input 'ok': it is missing/);
  const refused = model.run({ x: [1], ok: false }, { also: ['e'] });
  await expect(refused).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  await expect(model.run({ x: [1], ok: true }, { also: ['e'] })).resolves.toHaveProperty('e');
});

test('names that mean no tensor, or several, are refused', async () => {
  const net = network('names', { x: float32(2), k: int32() });
  const x = net.tensor('x');
  x.relu({ name: 'relu' }).output('y');
  x.exp({ name: 'y' }).output('z');
  x.neg({ name: 'other' });
  x.tanh({ name: 'tanh' }).output('other');
  x.topk(1, { axis: 0, name: 'best' })[0].output('b');
  const { state } = net.loop({ count: net.tensor('k'), state: { sum: x } }, ({ sum }) => ({
    state: { sum: sum.add(x, { name: 'inner' }) },
  }));
  state.sum.output('total');
  using model = await net.compile({ backend: 'cpu' });
  const run = (also: unknown) => model.run({ x: [1, 2], k: 2 }, { also } as never);
  await expect(run(['x', 'rellu'])).rejects.toMatchObject({
    code: 'ERR_NAME',
    message: expect.stringContaining("the network has no tensor 'rellu'; did you mean 'relu'?"),
    option: 'also[1]',
    source: { file: import.meta.filename },
  });
  await expect(run(['best'])).rejects.toThrow(/no tensor 'best'; did you mean 'best:.' or 'best:.'/);
  // The layer 'other' is no output, and the output 'other' is another tensor.
  await expect(run(['other'])).rejects.toThrow(/2 tensors have the name 'other'/);
  await expect(run(['loop.inner'])).rejects.toMatchObject({
    code: 'ERR_NESTED_TENSOR',
    message: expect.stringContaining("'loop.inner' belongs to the body of loop 'loop': return it from the body"),
  });
  for (const bad of ['y', 1, null, {}, [1], [undefined], [['y']]])
    await expect(run(bad), String(bad)).rejects.toMatchObject({
      code: expect.stringMatching(/ERR_PARAMETER|ERR_INPUT/),
    });
  await expect(model.run({}, { alos: [] } as never)).rejects.toThrow(/there is no option 'alos'; there are also/);
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  await expect(run(proxy)).rejects.toMatchObject({ code: 'ERR_INPUT' });
  await expect(model.run({}, null as never)).rejects.toMatchObject({ code: 'ERR_PARAMETER' });
  // As an output's name: the layer 'y' is the output 'z'.
  const { y, 'best:1': index } = await run(['y', 'best:1']);
  expect([[...y!.toFloat32()], [...index!.data]]).toEqual([[1, 2], [1]]);
});

test('extract takes the names of layers that are outputs, and suggests names', () => {
  const net = chain();
  expect(extract(net, { outputs: { a: 'relu' } }).graph.nodes.map(({ name }) => name)).toEqual([
    'constant',
    'sum',
    'relu',
  ]);
  expect(() => extract(net, { outputs: ['reluu'] })).toThrow(/did you mean 'relu'/);
});

test('on TensorRT, a second engine is built, with the same options but the signal', async () => {
  const stop = new AbortController();
  const levels: string[] = [];
  const options = {
    library: 'rtx1',
    computeCapabilities: [89],
    profiles: [{ n: [1, 2, 4] as [number, number, number] }],
    signal: stop.signal,
    onLog: ({ message }: { message: string }) => void levels.push(message),
  };
  const model = await chain({ shape: [1], data: Float32Array.of(1) }).compile({ ...options, backend: 'tensorrt' });
  stop.abort();
  const plain = await model.run(feeds).catch((error) => error);
  const also = await model.run(feeds, { also: ['sum', 'x'] }).catch((error) => error);
  // Neither runs without a GPU.
  if (plain instanceof Error) expect(also).toMatchObject({ code: (plain as { code?: string } & Error).code });
  else expect([...also.sum.toFloat32(), ...also.x.toFloat32()]).toEqual([-2, 5, -3, 4]);
  model.dispose();
});

test.each([
  ['the addon', (net: Network) => take(net)],
  ['JavaScript', (net: Network) => withOwnElements(snapshot(net))],
])('elements copied by %s at compile are not copied again', (_, copy) => {
  const taken = copy(chain());
  const { weights } = moreOutputs(taken, ['sum'], 'run', 'also').record();
  expect(weights.map(({ data }) => data)).toEqual(taken.weights.map(({ data }) => data));
  for (const [i, { data, mapping }] of weights.entries()) {
    expect(mapping).toBe(taken.weights[i]!.mapping);
    expect(mapping).toBeDefined();
    expect(data.buffer).toBe(taken.weights[i]!.data.buffer);
  }
  if ('release' in taken) (taken as ReturnType<typeof take>).release();
});

describe('random graph', () => {
  const some = sample.filter(([i]) => i % 64 === 0 || i % 64 === 57);
  test.each(some.map((graph) => [graph[0], graph] as const))('%i', async (_, graph) => {
    const { net, feeds: given } = recorded(graph);
    const isIO = new Set([...net.inputs, ...net.outputs.map(({ tensor }) => tensor)]);
    const tensors = net.graph.nodes.flatMap(({ outputs }) => outputs.map(({ id }) => net.tensorOf(id)!));
    const wanted = tensors.filter((tensor, i) => i % 3 === 0 && !isIO.has(tensor));
    const outputs = net.outputs.map(({ name, tensor }) => [name, tensor] as const);
    const whole = extract(net, {
      outputs: Object.fromEntries([...outputs, ...wanted.map((tensor) => [tensor.name, tensor] as const)]),
    });
    const needed = new Set(whole.inputs.map(({ name }) => name));
    using reference = await whole.compile({ backend: 'cpu' });
    using model = await net.compile({ backend: 'cpu' });
    expectIdentical(
      await model.run(given, { also: wanted.map(({ name }) => name) }),
      await reference.run(Object.fromEntries(Object.entries(given).filter(([name]) => needed.has(name)))),
    );
  });
});
