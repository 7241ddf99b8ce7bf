import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/shared/exit.js';
import { readInputs } from '../../../src/cli/shared/inputs.js';
import type { EngineIO } from '../../../src/index.js';
import { saveSafetensors, weight } from '../../../src/index.js';
import { write } from '../../setup/checkout.js';
import { temporaryFolder } from '../../setup/fake-library.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const x: EngineIO = { name: 'x', dtype: 'float32', shape: ['batch', 2] };
const ids: EngineIO = { name: 'ids', dtype: 'int32', shape: ['batch', 'tokens'] };

describe('--input', () => {
  test('random: by seed and name, in the range of the dtype, as large as --dims says', async () => {
    const feeds = await readInputs(['x=random:7'], [x, ids], { batch: 3, tokens: 100 });
    expect(feeds.x!.shape).toEqual([3, 2]);
    expect(feeds.ids!.shape).toEqual([3, 100]);
    const floats = Array.from(feeds.x!.data as Float32Array);
    expect(floats.every((value) => value >= 0 && value < 1)).toBe(true);
    expect([...new Set(Array.from(feeds.ids!.data as Int32Array))].sort()).toEqual([0, 1]);
    const again = await readInputs(['random:7'], [x, ids], { batch: 3, tokens: 100 });
    expect(again.x).toEqual(feeds.x);
    expect((await readInputs(['x=random:8'], [x], { batch: 3 })).x).not.toEqual(feeds.x);
  });

  test('elements that decide shapes are those the engine was tuned for', async () => {
    const sizes: EngineIO = {
      name: 'sizes',
      dtype: 'int64',
      shape: [2],
      values: [{ min: [1, 1], opt: [4, 8], max: [9, 9] }],
    };
    expect((await readInputs([], [sizes])).sizes).toEqual({
      dtype: 'int64',
      shape: [2],
      data: BigInt64Array.of(4n, 8n),
    });
  });

  test('a file: of one input without its name; its sizes hold for random inputs', async () => {
    await saveSafetensors(at('f.safetensors'), {
      x: weight(Float64Array.of(1, 2, 3, 4, 5, 6), [3, 2]),
      other: weight(Float32Array.of(7, 8), [1, 2]),
    });
    const feeds = await readInputs([`x=${at('f.safetensors')}`], [ids, x], { tokens: 4 });
    expect(feeds.x).toEqual({ dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect(feeds.ids!.shape).toEqual([3, 4]);
    expect((await readInputs([`${at('f.safetensors')}:other`], [x])).x!.data).toEqual(Float32Array.of(7, 8));
  });

  test('names with an equals sign, files with one or a colon', async () => {
    const odd: EngineIO = { name: 'a=b', dtype: 'float32', shape: [2] };
    await saveSafetensors(at('c=d:e.safetensors'), { t: weight(Float32Array.of(1, 2), [2]) });
    const named = await readInputs([`a=b=${at('c=d:e.safetensors')}`], [odd]);
    expect(named['a=b']!.data).toEqual(Float32Array.of(1, 2));
    const feeds = await readInputs([at('c=d:e.safetensors')], [{ ...odd, name: 'y' }]);
    expect(feeds.y!.data).toEqual(Float32Array.of(1, 2));
  });

  test('what does not fit is refused', async () => {
    await saveSafetensors(at('two.safetensors'), {
      a: weight(BigInt64Array.of(300n), [1]),
      b: weight(Float32Array.of(0.5), [1]),
    });
    const bytes: EngineIO = { name: 'u', dtype: 'uint8', shape: [1] };
    const cases: [string[], EngineIO[], RegExp][] = [
      [['y=random'], [x, ids], /no input is called 'y'; there are x, ids/],
      [['x=random', 'x=random'], [x], /'x' is given twice/],
      [[], [x], /input 'x' is \[batch, 2\]: give --dims batch=/],
      [[at('two.safetensors')], [x, ids], /expected name=source for one of x, ids/],
      [[at('two.safetensors')], [bytes], /has 2 tensors, and none called 'u'.*name one: u=/],
      [[`${at('two.safetensors')}:c`], [bytes], /none called 'c'/],
      [[`${at('two.safetensors')}:a`], [bytes], /element 0 does not fit uint8 exactly/],
      [[`${at('two.safetensors')}:b`], [bytes], /expected uint8, given b of .*float32/],
      [[at('none.npy')], [bytes], /none\.npy/],
    ];
    for (const [args, io, message] of cases)
      await expect(readInputs(args, io), String(message)).rejects.toThrow(message);
    await expect(readInputs(['y=random'], [x, ids])).rejects.toThrow(UsageError);
  });

  test('numpy’s files', async () => {
    // np.save of np.float64([[1.5, 2.5]]) as numpy 2.3 writes it.
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }";
    const bytes = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
      Buffer.from(`${header.padEnd(117)}\n`),
      Buffer.from(Float64Array.of(1.5, 2.5).buffer),
    ]);
    write(folder, 'n.npy', '');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(at('n.npy'), bytes);
    expect((await readInputs([at('n.npy')], [x])).x).toEqual({
      dtype: 'float32',
      shape: [1, 2],
      data: Float32Array.of(1.5, 2.5),
    });
  });
});

describe('a picture', () => {
  const pixels = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30);
  const raw = { raw: { width: 2, height: 2, channels: 3 as const } };

  test('channels first as floats, channels last as bytes, grey, stretched', async () => {
    await sharp(pixels, raw).png().toFile(at('p.png'));
    const planes: EngineIO = { name: 'image', dtype: 'float32', shape: ['batch', 3, 'h', 'w'] };
    const image = (await readInputs([at('p.png')], [planes])).image!;
    expect(image.shape).toEqual([1, 3, 2, 2]);
    expect(image.data).toEqual(
      Float32Array.of(255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30).map((value) => value / 255),
    );
    const last: EngineIO = { name: 'image', dtype: 'uint8', shape: [1, 2, 2, 3] };
    expect((await readInputs([at('p.png')], [last])).image!.data).toEqual(pixels);
    const grey: EngineIO = { name: 'image', dtype: 'float32', shape: [1, 4, 6] };
    expect((await readInputs([at('p.png')], [grey])).image!.shape).toEqual([1, 4, 6]);
  });

  test('what is no picture, and an input that is none', async () => {
    write(folder, 'broken.png', 'no picture');
    const planes: EngineIO = { name: 'image', dtype: 'float32', shape: [1, 3, 2, 2] };
    await expect(readInputs([at('broken.png')], [planes])).rejects.toMatchObject({ code: 'ERR_PICTURE' });
    await expect(readInputs([at('p.png')], [x])).rejects.toThrow(/a picture needs/);
  });

  test('without sharp a sentence says what to install', () => {
    const program = `import { register } from 'node:module';
      register('data:text/javascript,export const resolve = (name, context, next) => { if (name === "sharp") throw new Error("not here"); return next(name, context); };');
      const { readInputs } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/cli/shared/inputs.ts'))});
      await readInputs(['a.png'], [{ name: 'image', dtype: 'float32', shape: [1, 3, 2, 2] }]).catch(({ code, message }) => console.log(code, message));`;
    const said = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/^ERR_PICTURE pictures are read by the package sharp: npm install sharp/);
  });
});
