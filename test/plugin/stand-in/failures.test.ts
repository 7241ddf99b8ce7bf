import { describe, expect, test } from 'vitest';
import { releases, runPlugins, standIns } from './support.js';

standIns(...releases);

interface Refusal {
  code: string;
  message: string;
}

const one = `
const net = network('one', { x: float32('n') });
net.tensor('x').plugin(plugins.scale).output('y');
const engine = await net.build({ profiles: [{ n: [0, 4, 8] }] });`;

/** `changed(bytes, find, change)`: what loading and running the engine comes to after `change` of the bytes at `find`. */
const changed = `
const changed = async (find, change) => {
  const bytes = Uint8Array.from(engine.bytes);
  const at = Buffer.from(bytes).indexOf(find);
  if (at < 0) throw new Error('not in the engine: ' + find);
  change(bytes.subarray(at));
  writeFileSync(process.env.ENGINE, bytes);
  return outcome(loadEngine(process.env.ENGINE).then((loaded) => loaded.run({ x: [1, 2] })));
};`;

describe.each(releases)('TensorRT %s', (release) => {
  test('damaged fields are refused, and the process goes on', async () => {
    const { result } = await runPlugins<Refusal[]>(
      `${one}
      process.env.ENGINE = process.env.STANDIN_LOG + '.engine';
      ${changed}
      const put = (...bytes) => (at) => at.set(bytes);
      const results = [
        await changed('NTRP', put(0x58)),                       // not a recipe
        await changed('NTRP', (at) => new DataView(at.buffer, at.byteOffset).setUint32(4, 2, true)),
        await changed('NTRP', (at) => new DataView(at.buffer, at.byteOffset).setUint32(8, 0x7fffffff, true)),
        await changed('.recipe', put(0x2e, 0x72, 0x65, 0x63, 0x69, 0x70, 0x45)),
        await changed('.cubin.90', put(0x2e, 0x63, 0x75, 0x62, 0x69, 0x6e, 0x2e, 0x39, 0x78)),
        await changed('\\x7fELF', put(0)),
        await changed('factor', put(0x46)),
        await changed('Scale\\x01' + '\\0'.repeat(7) + '1', put(0x53, 0x63, 0x61, 0x6c, 0x45)),
      ];
      // Every byte of the recipe, one at a time.
      const at = Buffer.from(engine.bytes).indexOf('NTRP');
      const length = Buffer.from(engine.bytes).indexOf('.cubin') - at - 30;
      const codes = {};
      for (let i = 0; i < length; i++) {
        const { code = 'runs' } = await changed('NTRP', (bytes) => (bytes[i] ^= 1 << i % 8));
        codes[code] = (codes[code] ?? 0) + 1;
      }
      print([...results, codes, await outcome(engine.run({ x: [1, 2] }))]);`,
      { release, limitMs: 170_000 },
    );
    const field = (text: RegExp) => ({ code: 'ERR_PLUGIN_FIELD', message: expect.stringMatching(text) });
    const [magic, newer, text, unknown, capability, cubin, attribute, name, codes, after] = result;
    expect(magic).toEqual(field(/Scale/));
    expect(newer).toEqual(field(/Scale.*newer node-tensorrt/));
    expect(text).toEqual(field(/Scale/));
    expect(unknown).toEqual(field(/'\.recipE' is unknown/));
    expect(capability).toEqual(field(/'\.cubin\.9x' names no compute capability/));
    expect(cubin).toEqual({ code: 'ERR_KERNEL', message: expect.stringMatching(/Scale.*CUDA_ERROR_INVALID_IMAGE/s) });
    expect(attribute).toEqual(field(/'Factor' is missing/));
    expect(name).toEqual(field(/'ScalE'.*its recipe is of 'Scale'/));
    expect(
      Object.keys(codes as object).filter((code) => !/^(runs|ERR_(PLUGIN_FIELD|PLUGIN_RUN|KERNEL|ENGINE))$/.test(code)),
    ).toEqual([]);
    expect(after).toEqual({ y: { shape: [2], data: [2, 4] } });
  }, 180_000);

  test('a creator that nobody has', async () => {
    const { result } = await runPlugins<Refusal>(
      `${one}
      process.env.ENGINE = process.env.STANDIN_LOG + '.engine';
      ${changed}
      print(await changed('node_tensorrt', (at) => at.set([0x4e])));`,
      { release },
    );
    expect(result.code).toBe('ERR_PLUGIN_MISSING');
    expect(result.message).toMatch(/Scale/);
    expect(result.message).toMatch(/Node_tensorrt/);
  });

  test('a grid of 0, or too large', async () => {
    const { result } = await runPlugins<unknown[]>(
      `
      const results = [];
      for (const [blocks, sizes] of [['size - 4', [6, 4, 3]], ['large at 4', [6, 4, 8]]]) {
        const net = network('grid', { x: float32('n') });
        net.tensor('x').plugin(plugins.gridOf(blocks)).output('y');
        const engine = await net.build({ profiles: [{ n: [0, 6, 8] }] });
        for (const n of sizes) results.push(await outcome(engine.run({ x: new Float32Array(n) })));
      }
      print(results.map((one) => one.code ? one : 'ran'));`,
      { release },
    );
    const refused = (text: RegExp) => ({ code: 'ERR_PLUGIN_RUN', message: expect.stringMatching(text) });
    expect(result).toEqual([
      'ran',
      refused(/Grid.*grid.*0/s),
      refused(/Grid.*grid.*-1/s),
      'ran',
      refused(/Grid.*grid.*80,?000/s),
      'ran',
    ]);
  });

  test('an illegal address: that run fails and says which plugin; later runs fail at once; the process lives', async () => {
    const { result, log } = await runPlugins<Refusal[]>(
      `${one}
      const context = await engine.createContext();
      const results = [await outcome(engine.run({ x: [1, 2] }))];
      results.push(await outcome(engine.run({ x: [3, 4] })), await outcome(engine.run({ x: [1, 2] })), await outcome(context.run({ x: [1, 2] })));
      const other = network('other', { x: float32(2) });
      other.tensor('x').relu().output('y');
      results.push(await outcome(other.build().then((built) => built.run({ x: [1, 2] }))));
      engine.dispose();
      print(results);`,
      { release, fail: 'scale:700@2' },
    );
    expect(result[0]).toEqual({ y: { shape: [2], data: [2, 4] } });
    expect(result[1]).toEqual({
      code: 'ERR_CUDA_CONTEXT_LOST',
      message: expect.stringMatching(/Scale.*/s),
    });
    expect(result[1]!.message).toMatch(/ILLEGAL_ADDRESS/);
    for (const later of result.slice(2)) expect(later.code).toBe('ERR_CUDA_CONTEXT_LOST');
    expect(log.filter(({ call }) => call === 'cuLaunchKernel')).toHaveLength(2);
  });

  test('a launch that fails spoils nothing', async () => {
    const { result } = await runPlugins<unknown[]>(
      `${one}
      const results = [];
      for (let i = 0; i < 3; i++) results.push(await outcome(engine.run({ x: [1, 2] })));
      print(results);`,
      { release, fail: 'scale:launch@2' },
    );
    const ran = { y: { shape: [2], data: [2, 4] } };
    expect(result[0]).toEqual(ran);
    expect(result[1]).toMatchObject({ message: expect.stringMatching(/Scale.*kernel 'scale<float>'/s) });
  });
});

test('a driver without cuFuncGetParamInfo runs plugins', async () => {
  const { result } = await runPlugins(`${one}\nprint(await outcome(engine.run({ x: [1, 2] })));`, {
    without: 'cuFuncGetParamInfo',
  });
  expect(result).toEqual({ y: { shape: [2], data: [2, 4] } });
});
