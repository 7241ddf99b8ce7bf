import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  batchNormScale,
  difference,
  float32,
  foldBatchNorm,
  loadWeights,
  type Network,
  network,
  saveSafetensors,
  statistics,
  Weight,
  type Weights,
  weight,
} from '../../src/index.js';
import { mappingOf } from '../../src/values/weight.js';
import { failure, npy } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'changed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Pages of the middle are first read after the change. */
const side = 256;
let files = 0;

async function opened(): Promise<{ path: string; weights: Weights; w: Weight; bn: Record<string, Weight> }> {
  const path = join(folder, `file${files++}`);
  const channels = () => weight(new Float32Array(side).fill(1), [side]);
  await saveSafetensors(path, {
    'fc.weight': weight(new Float32Array(side * side).fill(0.5), [side, side]),
    'fc.double': weight(new Float64Array(side * side).fill(0.5), [side, side]),
    'fc.long': weight(new BigInt64Array(side * side).fill(5n), [side, side]),
    'fc.bytes': weight(new Int8Array(side).fill(3), [side]),
    'bn.running_mean': channels(),
    'bn.running_var': channels(),
  });
  const weights = await loadWeights(path);
  // A clock's tick, within which a system may give two changes one time.
  await new Promise((resolve) => setTimeout(resolve, 30));
  return { path, weights, w: weights.get('fc.weight'), bn: weights.layer('bn') as unknown as Record<string, Weight> };
}

const changes: Record<string, (path: string) => void> = {
  'cut off': (path) => truncateSync(path, 4096),
  'cut off and grown again': (path) => {
    const { size } = statSync(path);
    truncateSync(path, 4096);
    truncateSync(path, size);
  },
  'rewritten in place': (path) => {
    const file = openSync(path, 'r+');
    writeSync(file, new Uint8Array(4096), 0, 4096, 65536);
    closeSync(file);
  },
};

const sum = (w: object): Network => {
  const net = network('sum', { x: float32(side, side) });
  net
    .tensor()
    .add(w as Weight)
    .output('y');
  return net;
};
const bare = (w: Weight) => ({ shape: [side, side], data: w.data });

type Opened = Awaited<ReturnType<typeof opened>>;
/** What reads elements, prepared before the change. */
const users: Record<string, (file: Opened) => () => unknown> = {
  data:
    ({ w }) =>
    () =>
      w.data,
  as:
    ({ w }) =>
    () =>
      w.as('float16'),
  toFloat32:
    ({ weights }) =>
    () =>
      weights.get('fc.double').toFloat32(),
  transpose:
    ({ w }) =>
    () =>
      w.transpose(),
  'split of an inner axis':
    ({ w }) =>
    () =>
      w.split(128, 1),
  'Weight.concat':
    ({ w }) =>
    () =>
      Weight.concat([w]).data,
  foldBatchNorm:
    ({ w, bn }) =>
    () =>
      foldBatchNorm({ weight: w }, bn),
  'foldBatchNorm, of doubles': ({ weights }) => {
    const channels = () => weight(new Float32Array(side).fill(1), [side]);
    const kernel = weights.get('fc.double');
    // Once they were viewed, only folding itself checks.
    expect(kernel.data).toHaveLength(side * side);
    return () => foldBatchNorm({ weight: kernel }, { running_mean: channels(), running_var: channels() });
  },
  batchNormScale:
    ({ bn }) =>
    () =>
      batchNormScale(bn),
  statistics:
    ({ w }) =>
    () =>
      statistics(w),
  'difference, on the left': ({ w }) => {
    const other = weight(new Float32Array(side * side), [side, side]);
    return () => difference(w, other);
  },
  'difference, on the right': ({ w }) => {
    const other = weight(new Float32Array(side * side), [side, side]);
    return () => difference(other, w);
  },
  'difference, of integers': ({ weights }) => {
    const other = weight(new BigInt64Array(side * side), [side, side]);
    return () => difference(other, weights.get('fc.long'));
  },
  'saveSafetensors, of one':
    ({ w }) =>
    () =>
      saveSafetensors(join(folder, 'copy'), { w }),
  saveSafetensors:
    ({ weights }) =>
    () =>
      saveSafetensors(join(folder, 'copy'), weights),
  'a constant of another dtype': ({ w }) => {
    const { data } = w;
    return () => network('c', { x: float32(1) }).constant(data, { dtype: 'float16' });
  },
  'an operand of int8': ({ weights }) => {
    const x = network('c', { x: { dtype: 'int8', shape: [side] } }).inputs[0]!;
    const { data } = weights.get('fc.bytes');
    return () => x.add(data);
  },
  batchNorm: ({ bn }) => {
    const x = network('c', { x: float32(1, side, 2) }).inputs[0]!;
    const [mean, variance] = [bn.running_mean!.data, bn.running_var!.data];
    return () => x.batchNorm({ mean: { shape: [side], data: mean }, variance: { shape: [side], data: variance } });
  },
  'the CPU backend': ({ w }) => {
    const net = sum(w);
    return () => net.compile({ backend: 'cpu' });
  },
  'the CPU backend, with bare elements': ({ w }) => {
    const net = sum(bare(w));
    return () => net.compile({ backend: 'cpu' });
  },
  'compile, with either backend': ({ w }) => {
    const net = sum(bare(w));
    return () => net.compile();
  },
  build: ({ w }) => {
    const net = sum(w);
    return () => net.build();
  },
  'build, with bare elements': ({ w }) => {
    const net = sum(bare(w));
    return () => net.build();
  },
  check: ({ w }) => {
    const net = sum(bare(w));
    return () => net.check();
  },
  toJSON: ({ w }) => {
    const net = sum(bare(w));
    return () => net.toJSON();
  },
};

describe.each(Object.entries(changes))('a file that is %s after loading is noticed by', (_, change) => {
  test.each(Object.entries(users))('%s', async (_, prepare) => {
    const file = await opened();
    const use = prepare(file);
    change(file.path);
    expect((await failure(async () => use())).code).toBe('ERR_WEIGHTS_CHANGED');
    file.weights.dispose();
  });

  test('a feed', async () => {
    const { path, weights, w } = await opened();
    const net = network('feeds', { x: float32(side, side), h: { dtype: 'float16', shape: [side, side] } });
    for (const tensor of net.inputs) tensor.relu().output(`${tensor.name}!`);
    using model = await net.compile({ backend: 'cpu' });
    const { data } = w;
    const [x, h] = [new Float32Array(side * side), new Uint16Array(side * side)];
    change(path);
    for (const feeds of [
      { x: data, h },
      { x: { shape: [side, side], data }, h },
      { x, h: data },
    ]) {
      expect((await failure(() => model.run(feeds))).code).toBe('ERR_WEIGHTS_CHANGED');
    }
    weights.dispose();
  });

  test('the CPU backend, when it happens after the call', async () => {
    const { path, weights, w } = await opened();
    const compiling = sum(w).compile({ backend: 'cpu' });
    change(path);
    expect((await failure(() => compiling)).code).toBe('ERR_WEIGHTS_CHANGED');
    weights.dispose();
  });

  test('build, when it happens after the call', async () => {
    const { path, weights, w } = await opened();
    const building = sum(w).build();
    change(path);
    expect((await failure(() => building)).code).toBe('ERR_WEIGHTS_CHANGED');
    weights.dispose();
  });

  test('saveSafetensors, when it happens while it writes', async () => {
    const { path, weights } = await opened();
    let changed = false;
    const saving = saveSafetensors(join(folder, 'copy'), weights, {}, () => {
      if (!changed) change(path);
      changed = true;
    });
    expect((await failure(() => saving)).code).toBe('ERR_WEIGHTS_CHANGED');
    weights.dispose();
  });
});

describe('a file that is rewritten once its first check has passed is noticed by', () => {
  // What hands out the elements themselves reads none; the others' first check is their last.
  const once = ['data', 'a constant of another dtype', 'an operand of int8', 'batchNorm'];
  const readers = Object.entries(users).filter(([name]) => !once.includes(name));
  test.each(readers)('%s', async (_, prepare) => {
    const file = await opened();
    const use = prepare(file);
    const mapping = mappingOf(file.w.data)!;
    const intact = mapping.intact.bind(mapping);
    let passed = false;
    Object.assign(mapping, {
      intact: () => {
        const is = intact();
        if (!passed) changes['rewritten in place']!(file.path);
        passed = true;
        return is;
      },
    });
    expect((await failure(async () => use())).code).toBe('ERR_WEIGHTS_CHANGED');
    expect(passed).toBe(true);
    file.weights.dispose();
  });
});

test('what a model, an engine and a weight hold copies of stays as it was', async () => {
  const { path, weights, w } = await opened();
  const half = w.as('float16');
  using model = await sum(w).compile({ backend: 'cpu' });
  changes['cut off']!(path);
  const { y } = await model.run({ x: new Float32Array(side * side) });
  expect([...new Set(y!.toFloat32())]).toEqual([0.5]);
  expect([...new Set(half.toFloat32())]).toEqual([0.5]);
  weights.dispose();
});

test('a file replaced by renaming, moved or deleted is as it was', async () => {
  const { path, weights, w } = await opened();
  await saveSafetensors(path, { other: weight(Float32Array.of(1)) });
  rmSync(path);
  expect(statistics(w)).toMatchObject({ min: 0.5, max: 0.5 });
  weights.dispose();
});

test('elements that had to be copied from a file that changed meanwhile are not kept', async () => {
  // In Fortran order, so that reading them makes a copy.
  const path = join(folder, 'order.npy');
  const header = `${"{'descr': '<f4', 'fortran_order': True, 'shape': (256, 256), }".padEnd(117)}\n`;
  writeFileSync(path, npy(header, 4 * side * side));
  using weights = await loadWeights(path);
  const w = weights.get(weights.names()[0]!);
  await new Promise((resolve) => setTimeout(resolve, 30));
  truncateSync(path, 4096);
  for (let i = 0; i < 2; i++) expect((await failure(() => w.data)).code).toBe('ERR_WEIGHTS_CHANGED');
});
