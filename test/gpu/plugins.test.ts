import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { attr, definePlugin, float32, loadEngine, loadPluginLibrary, network, type Tensor } from '../../src/index.js';
import { definitionOfPlugin } from '../../src/plugin/define.js';
import { examples, expectOutputs, groups, networkOf, profileOf } from '../examples/plugin-cases.js';
import { root } from '../setup/checkout.js';
import { describeGpu, reportFigure } from './support.js';

vi.mock('node-tensorrt', () => import('../../src/index.js'));

let folder: string;
const about = { suite: 'plugins', files: ['examples/plugins', 'test/examples', 'test/gpu/plugins.test.ts'] };
const groupOf = (label: string) => groups.find((one) => one.label === label)!;

/** A process with the package alone, and without NVRTC; it ends by itself. */
function child(script: string, env: NodeJS.ProcessEnv = {}, input?: Uint8Array) {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, {
    cwd: root,
    input,
    maxBuffer: 2 ** 28,
    timeout: 200_000,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
}

describeGpu(
  'plugins on a GPU',
  () => {
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'plugins-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test.each(groups)('$label: PyTorch’s numbers at min, opt and max, built and loaded', async (group) => {
      using built = await networkOf(group).build({ profiles: [profileOf(group)], tf32: false });
      using loaded = await loadEngine(built.bytes);
      let most = 0;
      for (const engine of [built, loaded])
        for (const one of [...group.cases, ...group.cases.toReversed()])
          most = Math.max(most, expectOutputs(one, await engine.run(one.inputs)));
      reportFigure('largest difference, of what is allowed', most, 1);
    });

    // onnxruntime and TensorRT may keep in float32 what float16 would round between two layers.
    const layers = groups.filter(({ example, dtype }) => dtype === 'float32' && example !== 'select-rows');
    test.each(layers)('$label: its layers compute the same', async (group) => {
      const { plugin, attributes } = examples[group.example]!;
      const decompose = definitionOfPlugin(plugin).decompose as unknown as
        | ((inputs: Record<string, Tensor>, given: unknown) => Record<string, Tensor>)
        | undefined;
      if (!decompose) return;
      const net = networkOf(group, (_, inputs) => decompose(inputs, attributes));
      using engine = await net.build({ profiles: [profileOf(group)], tf32: false });
      for (const one of group.cases) expectOutputs(one, await engine.run(one.inputs));
    });

    test('engines run in a new process without definition and NVRTC', async () => {
      for (const label of ['rms-norm in float16', 'select-rows in float32', 'cached-attention in float32']) {
        const group = groupOf(label);
        const plan = join(folder, 'one.plan');
        using engine = await networkOf(group).build({ profiles: [profileOf(group)] });
        await engine.save(plan);
        const script = `
          import { readFileSync, writeSync } from 'node:fs';
          import { deserialize, serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
          import { loadEngine } from 'node-tensorrt';
          const engine = await loadEngine(${JSON.stringify(plan)});
          const all = [];
          for (const inputs of deserialize(readFileSync(0))) all.push({ ...await engine.run(inputs) });
          const bytes = serialize(all.map((one) => Object.fromEntries(
            Object.entries(one).map(([name, { dtype, shape, data }]) => [name, { dtype, shape: [...shape], data }]))));
          for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
          process.exit(0);`;
        const input = serialize(group.cases.map(({ inputs }) => inputs));
        const { status, stdout, stderr } = child(script, { NODE_TENSORRT_NVRTC: '/nowhere' }, input);
        expect([status, stderr.toString()]).toEqual([0, '']);
        const results = deserialize(stdout) as Parameters<typeof expectOutputs>[1][];
        for (const [i, one] of group.cases.entries()) expectOutputs(one, results[i]!);
      }
    });

    test('two contexts at once, of two sizes', async () => {
      for (const label of ['rms-norm in float32', 'select-rows in float16']) {
        const group = groupOf(label);
        using engine = await networkOf(group).build({ profiles: [profileOf(group)] });
        using a = await engine.createContext();
        using b = await engine.createContext();
        const [, opt, max] = group.cases;
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            const [one, context] = i % 2 ? [opt, a] : [max, b];
            expectOutputs(one, await context.run(one.inputs));
          }),
        );
      }
    });

    test('a cache is updated in a copy of the caller’s, step by step', async () => {
      const group = groupOf('cached-attention in float32');
      using engine = await networkOf(group).build({ profiles: [profileOf(group)] });
      const [, two] = group.cases;
      const caches = [two.inputs.keys!.data.slice(), two.inputs.values!.data.slice()];
      let { keys, values } = two.inputs as Record<string, (typeof two.inputs)[string]>;
      for (const position of [0, 1, 2]) {
        const at = { dtype: 'int32' as const, shape: [2], data: Int32Array.of(position, position) };
        const out = await engine.run({ ...two.inputs, keys: keys!, values: values!, position: at });
        [keys, values] = [out.keysOut, out.valuesOut];
      }
      expect([two.inputs.keys!.data, two.inputs.values!.data]).toEqual(caches);
      const [, heads, capacity, size] = two.inputs.keys!.shape as [number, number, number, number];
      const key = two.inputs.key!.data as Float32Array;
      for (const [head, row] of [
        [0, 0],
        [1, 2],
        [2 * heads - 1, 1],
      ] as const) {
        const from = (head * capacity + row) * size;
        expect([...keys!.data.slice(from, from + size)]).toEqual([...key.slice(head * size, (head + 1) * size)]);
      }
    });

    test('ROI align beside NVIDIA’s ROIAlign_TRT', async () => {
      await loadPluginLibrary();
      for (const label of ['roi-align in float32', 'roi-align in float16']) {
        const group = groupOf(label);
        // NVIDIA's has rois of the features' dtype: in float16 they have steps of 1/16 of a pixel here.
        const net = networkOf(group, (one, inputs, attributes) => {
          const { features, rois, batch } = inputs as Record<'features' | 'rois' | 'batch', Tensor>;
          const fields = {
            coordinate_transformation_mode: 1,
            mode: 1,
            output_height: 4,
            output_width: 5,
            sampling_ratio: 0,
            spatial_scale: 0.25,
          };
          const shape = [rois.shape[0]!, features.shape[1]!, 4, 5];
          const theirs = one.plugin('ROIAlign_TRT', {
            version: '2',
            fields,
            inputs: [features, rois.cast(group.dtype), batch],
            outputs: [{ dtype: group.dtype, shape }],
          });
          return { theirs: theirs[0]!, y: one.plugin(examples[group.example]!.plugin, inputs, attributes).y! };
        });
        using engine = await net.build({ profiles: [profileOf(group)], tf32: false });
        for (const one of group.cases) {
          const { theirs, y } = await engine.run(one.inputs);
          expectOutputs(one, { y: y! });
          if (group.dtype === 'float32') expectOutputs(one, { y: theirs! });
          else expect(theirs!.shape).toEqual(y!.shape);
        }
      }
    });

    const scaled = (version: string, factor: number) =>
      definePlugin({
        name: 'Scaled',
        version,
        inputs: ['x'],
        attributes: { plus: attr.float32(0) },
        types: [{ x: 'float32', y: 'float32' }],
        outputs: ({ x }) => ({ y: x.shape }),
        cuda: `extern "C" __global__ void scale(float const* x, float* y, int size, float plus) {
          int const i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < size) y[i] = x[i] * ${factor} + plus;
        }`,
        launch: ({ x, y, plus, int32, ceilDiv }) => [
          { kernel: 'scale', grid: ceilDiv(x.size, 128), block: 128, args: [x, y, int32(x.size), plus] },
        ],
      });
    const two = scaled('1', 2);
    const three = scaled('2', 3);

    test('two versions of one name in one process, in one engine and in two', async () => {
      const feeds = { x: Float32Array.of(1, -2, 3) };
      const make = (record: (x: Tensor) => Tensor) => {
        const net = network('scaled', { x: float32('n') });
        record(net.tensor()).output('y');
        return net.build({ profiles: [{ n: [1, 3, 300] }] });
      };
      using both = await make((x) => x.plugin(two, { plus: 1 }).plugin(three));
      using second = await make((x) => x.plugin(three));
      using first = await make((x) => x.plugin(two));
      using again = await loadEngine(both.bytes);
      for (const [engine, wanted] of [
        [both, [9, -9, 21]],
        [second, [3, -6, 9]],
        [first, [2, -4, 6]],
        [again, [9, -9, 21]],
      ] as const)
        expect([...(await engine.run(feeds)).y!.data]).toEqual(wanted);
    });

    test('an illegal address fails the run, says which plugin, and leaves the process alive', () => {
      const script = `
        import { definePlugin, float32, network } from 'node-tensorrt';
        const broken = definePlugin({
          name: 'Broken', version: '1', inputs: ['x'],
          types: [{ x: 'float32', y: 'float32' }],
          outputs: ({ x }) => ({ y: x.shape }),
          cuda: 'extern "C" __global__ void broken(float* y) { y[1ll << 40] = 1; }',
          launch: ({ y }) => [{ kernel: 'broken', grid: 1, block: 1, args: [y] }],
        });
        const net = network('broken', { x: float32(4) });
        net.plugin(broken, { x: net.tensor() }).y.output('y');
        const engine = await net.build();
        const say = (error) => console.log(JSON.stringify({ code: error.code, message: error.message }));
        for (let i = 0; i < 2; i++) await engine.run({ x: new Float32Array(4) }).then(() => say({ code: 'none' }), say);
        engine.dispose();
        const other = network('other', { x: float32(4) });
        other.relu().output('y');
        const model = await other.compile({ backend: 'cpu' }).catch(() => undefined);
        console.log(JSON.stringify({ alive: true, cpu: model && [...(await model.run({ x: Float32Array.of(-1, 2, -3, 4) })).y.data] }));
        process.exit(0);`;
      const { status, stdout, stderr } = child(script);
      const lines = stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect([status, lines.map(({ code }) => code)], stderr.toString()).toEqual([
        0,
        ['ERR_CUDA_CONTEXT_LOST', 'ERR_CUDA_CONTEXT_LOST', undefined],
      ]);
      expect(lines[0].message).toContain('Broken');
      expect(lines[2].alive).toBe(true);
    });

    /** MiB of the GPU in use by all; undefined if nvidia-smi is not found. */
    const gpuMemory = (): number | undefined => {
      try {
        const args = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
        return Number(execFileSync('nvidia-smi', args, { encoding: 'utf8' }).split('\n')[0]);
      } catch {
        return undefined;
      }
    };

    test('100 builds and 10,000 runs do not grow', { timeout: 600_000 }, async () => {
      const group = groupOf('rms-norm in float32');
      const [, opt] = group.cases;
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc') as () => void;
      const collect = async () => {
        for (let i = 0; i < 3; i++) {
          gc();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      const look = async () => {
        await collect();
        return { rss: process.memoryUsage().rss / 2 ** 20, gpu: gpuMemory() };
      };
      const build = () => networkOf(group).build({ profiles: [profileOf(group)], optimizationLevel: 0 });
      const seen: Awaited<ReturnType<typeof look>>[] = [];
      for (let i = 0; i < 100; i++) {
        using engine = await build();
        expectOutputs(opt, await engine.run(opt.inputs));
        if (i % 10 === 9) seen.push(await look());
      }
      using engine = await build();
      using context = await engine.createContext();
      const runs: typeof seen = [];
      for (let i = 0; i < 10; i++) {
        for (let k = 0; k < 1000; k++) await context.run(opt.inputs);
        runs.push(await look());
      }
      expectOutputs(opt, await context.run(opt.inputs));
      // The least of the last ones against the least of those after the first.
      for (const [what, all] of [
        ['builds', seen],
        ['runs', runs],
      ] as const) {
        const grown = (key: 'rss' | 'gpu') =>
          Math.min(...all.slice(7).map((one) => one[key] ?? 0)) -
          Math.min(...all.slice(1, 4).map((one) => one[key] ?? 0));
        reportFigure(`MiB that ${what} grew by`, Math.round(grown('rss') * 10) / 10, 24);
        reportFigure(
          `MiB of the GPU that ${what} grew by`,
          all[0]!.gpu === undefined ? 'nvidia-smi not found' : grown('gpu'),
          2,
        );
        const text = all.map(({ rss, gpu }) => `${Math.round(rss)}/${gpu}`).join(' ');
        expect(grown('rss'), text).toBeLessThan(24);
        expect(grown('gpu'), text).toBeLessThanOrEqual(2);
      }
    });
  },
  about,
);
