import { expect, test } from 'vitest';
import { float16, network } from '../../src/index.js';
import { describeGpu } from './support.js';

describeGpu('inspecting an engine', () => {
  const product = (useFp32Acc: boolean) => {
    const net = network('product', { x: float16(64, 512) });
    const weight = { dtype: 'float16', shape: [256, 512], data: new Uint16Array(256 * 512).fill(0x3c00) };
    net.linear({ weight, useFp32Acc }).output('y');
    return net;
  };

  test('names of layers, or all that TensorRT knows of them', async () => {
    using named = await product(false).build();
    const { Layers, Bindings } = await named.inspect();
    expect(Layers.length).toBeGreaterThan(0);
    expect(Layers.every((layer) => typeof layer === 'string')).toBe(true);
    expect(Bindings).toEqual(['x', 'y']);
    using detailed = await product(false).build({ profilingVerbosity: 'detailed' });
    for (const layer of (await detailed.inspect()).Layers) expect(layer).toHaveProperty('LayerType');
  });

  test('useFp32Acc is a kernel that multiplies float16 and adds float32', async () => {
    // NVIDIA's names of kernels: operands, output, accumulator.
    const kernels = async (useFp32Acc: boolean) => {
      using engine = await product(useFp32Acc).build({ profilingVerbosity: 'detailed' });
      return (await engine.inspect()).Layers.map((layer) => (layer as { TacticName?: string }).TacticName ?? '').join();
    };
    expect(await kernels(true)).toMatch(/f16f16_f16f32_f32/);
    expect(await kernels(false)).not.toMatch(/f32f32_f32/);
  });
});
