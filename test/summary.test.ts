import { fileURLToPath } from 'node:url';
// The examples are written for the package, by its name.
import { float32, loadWeights, type Network, network, type Tensor } from 'node-tensorrt';
import { describe, expect, test } from 'vitest';
import { port as bert } from '../examples/bert/network.js';
import { port as gpt2 } from '../examples/gpt2/network.js';

const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

/** torchvision's resnet50, batch norms as layers of their own. */
function resnet50(): Network {
  const net = network('resnet50', { image: float32('batch', 3, 224, 224) });
  const conv = (x: Tensor, channels: number, size: number, stride = 1) => {
    const weight = zeros(channels, x.shape[1] as number, size, size);
    const [one, two, mean, variance] = [0, 1, 2, 3].map(() => zeros(channels));
    return x
      .conv2d({ weight, stride, padding: size >> 1 })
      .batchNorm({ weight: one!, bias: two!, running_mean: mean!, running_var: variance! });
  };
  let x = conv(net.tensor(), 64, 7, 2).relu().maxPool({ kernel: 3, stride: 2, padding: 1 });
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 << stage;
    for (let i = 0; i < blocks; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const wide = conv(conv(conv(x, width, 1).relu(), width, 3, stride).relu(), 4 * width, 1);
      x = wide.add(i === 0 ? conv(x, 4 * width, 1, stride) : x).relu();
    }
  }
  x.mean({ axes: [2, 3] })
    .linear({ weight: zeros(1000, 2048), bias: zeros(1000) })
    .output('logits');
  return net;
}

const lines = (text: string) => text.split('\n');

describe('summary', () => {
  test('counts the parameters of resnet50 as torchvision does', () => {
    // https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet50.html, num_params
    const { parameters, bytes, dtypes } = resnet50().summary();
    expect(parameters).toBe(25_557_032);
    expect(bytes).toBe(4 * 25_557_032);
    expect(dtypes).toEqual({ float32: 25_557_032 });
  });

  test.each([bert, gpt2])('$name has as many parameters as the file that PyTorch wrote', async ({ name, build }) => {
    using w = await loadWeights(fileURLToPath(new URL(`../examples/${name}/weights.safetensors`, import.meta.url)));
    const count = w.names().reduce((sum, one) => sum + w.info(one).shape.reduce((a, b) => a * b, 1), 0);
    const config = JSON.parse(w.metadata.get('config')!);
    expect(build(w, config, 'float32').summary().parameters).toBe(count);
    expect(build(w, config, 'float16').summary().bytes).toBe(2 * count);
  });

  const small = () => {
    const net = network('small', { x: float32('batch', 4) });
    const weight = { ...zeros(4, 4), dtype: 'float32' };
    net.scope('encoder', () => {
      let x = net.tensor();
      for (const i of [0, 1]) net.scope(`layer${i}`, () => (x = x.linear({ weight }).relu()));
      const { state } = net.loop({ count: 3, state: { x } }, ({ x }) => ({ state: { x: x.mul(2).tanh() } }));
      state.x.output('y');
    });
    return net;
  };

  test('counts a weight of several layers once, and numbers in the code not at all', () => {
    const { rows, parameters, layers } = small().summary();
    expect(parameters).toBe(16);
    expect(layers).toBe(rows.length);
    expect(rows.find(({ kind }) => kind === 'activation')).toMatchObject({
      name: 'encoder.layer0.activation',
      nesting: 0,
      layers: 1,
      outputs: [{ dtype: 'float32', shape: ['batch', 4] }],
      parameters: 0,
    });
    expect(rows.filter(({ nesting }) => nesting === 1).map(({ kind }) => kind)).toContain('element_wise');
  });

  test('takes layers below a depth together', () => {
    const rows = small().summary({ depth: 2 }).rows;
    expect(rows.slice(0, 2)).toMatchObject([
      { name: 'encoder.layer0', kind: undefined, layers: 3, parameters: 16, bytes: 64 },
      { name: 'encoder.layer1', layers: 3, parameters: 0 },
    ]);
  });

  test.each([80, 200])('is a table of at most %d columns', (width) => {
    const net = network('wide', { x: float32('batch', 4) });
    net.scope('a'.repeat(90), () => net.tensor().relu({ name: 'x\u001b[31m' }).output('y'));
    const text = net.summary().toString(width);
    expect(Math.max(...lines(text).map(({ length }) => length))).toBeLessThanOrEqual(width);
    expect(text).not.toContain('\u001b');
    expect(lines(text).at(-1)).toBe('1 layers, 0 parameters, 0 bytes');
    expect(text.replace(/\s/g, '')).toContain(width === 80 ? 'activation' : 'a'.repeat(90));
  });

  test('refuses other options', () => {
    for (const options of [{ depth: 0 }, { deep: 1 }, 2])
      expect(() => small().summary(options as never)).toThrow(expect.objectContaining({ code: 'ERR_PARAMETER' }));
  });
});
