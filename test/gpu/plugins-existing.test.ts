import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  type Engine,
  float32,
  int32,
  loadEngine,
  loadPluginLibrary,
  loadWeights,
  network,
  pluginCreators,
  type Result,
  type Weight,
} from '../../src/index.js';
import { chooseTensorRT } from '../../src/tensorrt/library/find.js';
import { temporaryFolder } from '../setup/fake-library.js';
import { resultOf, runChild } from '../tensorrt/child.js';
import { describeGpu, reportFigure } from './support.js';

// References: fixtures/plugins_existing.py.
const references = await loadWeights(
  fileURLToPath(new URL('./fixtures/plugins_existing.safetensors', import.meta.url)),
);
const folder = temporaryFolder();
const reference = (name: string): Weight => references.get(name);
const feed = ({ data, shape, dtype }: Weight) => ({ data, shape, dtype }) as never;

/** Largest difference, relative to the reference's root mean square. */
function difference(result: Result, wanted: Weight): number {
  const [actual, expected] = [result.toFloat32(), wanted.data as Float32Array];
  expect(result.shape).toEqual(wanted.shape);
  const rms = Math.sqrt(expected.reduce((sum, one) => sum + one * one, 0) / expected.length);
  return actual.reduce((worst, one, i) => Math.max(worst, Math.abs(one - expected[i]!)), 0) / rms;
}

const limit = 1e-5;

describeGpu("NVIDIA's plugins", () => {
  test('are registered', async () => {
    const names = (await pluginCreators()).map(({ name, version }) => `${name} ${version}`);
    expect(names).toEqual(expect.arrayContaining(['ROIAlign_TRT 2', 'MultiscaleDeformableAttnPlugin_TRT 1']));
  });

  describe('ROIAlign_TRT 2 (IPluginV3) as torchvision', () => {
    const fields = (aligned: number, sampling_ratio: number) => ({
      coordinate_transformation_mode: aligned,
      mode: 1,
      output_height: 5,
      output_width: 4,
      sampling_ratio,
      spatial_scale: 0.25,
    });
    const inputs = {
      x: feed(reference('roi.x')),
      boxes: feed(reference('roi.boxes')),
      images: feed(reference('roi.images')),
    };
    const roiNetwork = (aligned: number, ratio: number) => {
      const net = network('roi', { x: float32('n', 3, 20, 24), boxes: float32('rois', 4), images: int32('rois') });
      const [x, boxes, images] = net.inputs as [never, never, never];
      const [y] = net.plugin('ROIAlign_TRT', {
        version: '2',
        fields: fields(aligned, ratio),
        inputs: [x, boxes, images],
      });
      y!.output('y');
      return net;
    };
    const profiles = [{ n: [1, 2, 2], rois: [1, 9, 16] }] as never;

    test.each([
      [0, 0],
      [0, 2],
      [1, 0],
      [1, 2],
    ])('coordinate_transformation_mode %i, sampling_ratio %i', async (aligned, ratio) => {
      await loadPluginLibrary();
      const net = roiNetwork(aligned, ratio);
      expect(net.outputs[0]!.tensor.shape).toEqual(['rois', 3, 5, 4]);
      await net.check();
      using engine: Engine = await net.build({ profiles });
      const { y } = await engine.run(inputs);
      const found = difference(y!, reference(`roi.y_${aligned}_${ratio}`));
      reportFigure(`ROIAlign_TRT ${aligned} ${ratio}`, found, limit);
      expect(found).toBeLessThan(limit);
    });

    test('an engine is loaded by a new process that never heard of the plugin', async () => {
      await loadPluginLibrary();
      using engine = await roiNetwork(1, 2).build({ profiles });
      const path = join(folder, 'roi.plan');
      await engine.save(path);
      const file = fileURLToPath(new URL('./fixtures/plugins_existing.safetensors', import.meta.url));
      const program = `using w = await loadWeights(${JSON.stringify(file)});
        const feed = (name) => { const { data, shape, dtype } = w.get(name); return { data, shape, dtype }; };
        using engine = await loadEngine(${JSON.stringify(path)});
        const { y } = await engine.run({ x: feed('roi.x'), boxes: feed('roi.boxes'), images: feed('roi.images') });
        const wanted = w.get('roi.y_1_2').data;
        console.log(JSON.stringify(Math.max(...y.data.map((one, i) => Math.abs(one - wanted[i])))));`;
      expect(resultOf<number>(await runChild(program))).toBeLessThan(1e-4);
    });

    // Beside TensorRT 10 from Maven and from pip: ROIAlign_TRT 2 in a library that may be serialized.
    test('a plugin library travels in a version-compatible engine', async ({ skip }) => {
      await loadPluginLibrary();
      const { path } = await chooseTensorRT({ for: 'build' });
      const plugins = join(dirname(path), 'libnvinfer_vc_plugin.so.10');
      if (!existsSync(plugins)) skip(`there is no ${plugins}`);
      const options = { versionCompatible: true, excludeLeanRuntime: true, pluginsToSerialize: [plugins] };
      using engine = await roiNetwork(1, 2).build({ profiles, ...options });
      expect(engine.options).toMatchObject(options);
      await expect(loadEngine(engine.bytes)).rejects.toMatchObject({
        code: 'ERR_HOST_CODE',
        message: expect.stringContaining('allowHostCode: true'),
      });
      using loaded = await loadEngine(engine.bytes, { allowHostCode: true });
      const { y } = await loaded.run(inputs);
      expect(difference(y!, reference('roi.y_1_2'))).toBeLessThan(limit);
    });
  });

  test('MultiscaleDeformableAttnPlugin_TRT 1 (IPluginV2DynamicExt) as PyTorch', async () => {
    await loadPluginLibrary();
    const net = network('attention', {
      value: float32('n', 60, 4, 8),
      shapes: int32(2, 2),
      starts: int32(2),
      locations: float32('n', 'queries', 4, 2, 3, 2),
      weights: float32('n', 'queries', 4, 2, 3),
    });
    const [y] = net.plugin('MultiscaleDeformableAttnPlugin_TRT', { inputs: net.inputs });
    expect(y!.shape).toEqual(['n', 'queries', 4, 8]);
    y!.output('y');
    await net.check();
    using engine = await net.build({ profiles: [{ n: [1, 2, 4], queries: [1, 7, 32] }] });
    const names = ['value', 'shapes', 'starts', 'locations', 'weights'];
    const feeds = Object.fromEntries(names.map((name) => [name, feed(reference(`attention.${name}`))]));
    const { y: result } = await engine.run(feeds as never);
    const found = difference(result!, reference('attention.y'));
    reportFigure('MultiscaleDeformableAttnPlugin_TRT', found, limit);
    expect(found).toBeLessThan(limit);
  });
});
