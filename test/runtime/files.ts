import { expect } from 'vitest';
import type { RunCase } from './cases.js';

const files = `
import { copyFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync, writeSync, openSync, closeSync, ftruncateSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
const folder = mkdtempSync(join(tmpdir(), 'engine-files-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const path = (name) => join(folder, name);
const x = numbers(12);
const check = async (engine, what) => same((await engine.run({ x })).y.data, relued(x), what);
const ultralytics = (plan, metadata) => {
  const json = Buffer.from(JSON.stringify(metadata));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, plan]);
};
`;

/** What is kept while an engine loads: kilobytes of memory that belongs to no file, at most. */
const watch = `
const anonymous = () => Number(/RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const mostDuring = async (work) => {
  let most = anonymous();
  const timer = setInterval(() => { most = Math.max(most, anonymous()); }, 1);
  try { return [await work(), () => most]; } finally { clearInterval(timer); }
};
`;

export const engineFiles: RunCase[] = [
  {
    title: 'an engine comes back from a container, with its named dims and metadata',
    program: `${files}
    const net = network('pairs', { x: float32('n', 2), z: float32('n', 2) });
    net.tensor('x').relu().output('y');
    net.tensor('z').relu().output('w');
    const built = await net.build({ profiles: [{ n: [1, 4, 16] }] });
    await built.save(path('pairs.engine'), { metadata: { labels: ['a'] } });
    const z = numbers(12, 3);
    for (const source of [path('pairs.engine'), readFileSync(path('pairs.engine'))]) {
      const engine = await loadEngine(source);
      assert.deepEqual(engine.inputs.map(({ shape }) => shape), [['n', 2], ['n', 2]]);
      assert.deepEqual(engine.outputs.map(({ shape }) => shape), [['n', 2], ['n', 2]]);
      same(engine.bytes, built.bytes, 'bytes');
      const { y, w } = await engine.run({ x, z });
      assert.deepEqual(y.shape, [6, 2]);
      same(y.data, relued(x));
      same(w.data, relued(z));
      // One name, one size.
      assert.equal(await codeOf(() => engine.run({ x, z: z.subarray(2) })), 'ERR_FEED');
      assert.deepEqual(engine.metadata.user, { labels: ['a'] });
      assert.equal(engine.metadata.gpu.computeCapability, (await api.doctor()).gpus[0].computeCapability);
      await engine.save(path('again.engine'), { metadata: true });
      same(readFileSync(path('again.engine')), readFileSync(path('pairs.engine')), 'saved again');
    }
    // The plan alone has no names.
    await built.save(path('pairs.plan'));
    const plain = await loadEngine(path('pairs.plan'));
    assert.deepEqual([plain.inputs[0].shape, plain.metadata], [['x_0', 2], undefined]);
    await plain.save(path('late.engine'), { metadata: { late: true } });
    const late = await loadEngine(path('late.engine'));
    assert.deepEqual([late.inputs[0].shape, late.metadata.user], [['x_0', 2], { late: true }]);`,
  },
  {
    title: "an engine comes back from Ultralytics' format, wherever its plan begins",
    program: `${files}
    const { bytes } = await build();
    for (const task of ['detect', 'segment', 'pose', 'obb']) {
      const names = { 0: 'person' };
      writeFileSync(path(task), ultralytics(bytes, { task, names }));
      const engine = await loadEngine(path(task));
      assert.deepEqual(engine.metadata, { user: { task, names } });
      same(engine.bytes, bytes, 'bytes');
      await check(engine, task);
    }`,
  },
  {
    title: 'another thread gets the metadata with the engine',
    program: `${files}
    if (isMainThread) {
      await (await build()).save(path('shared.engine'), { metadata: { a: 1 } });
      const engine = await loadEngine(path('shared.engine'));
      assert.deepEqual(await messageOf(startWorker(await engine.share())), { metadata: { a: 1 }, shape: ['n'], bytes: engine.size });
    } else {
      const engine = await loadEngine(workerData);
      await check(engine, 'in a worker');
      parentPort.postMessage({ metadata: engine.metadata.user, shape: engine.inputs[0].shape, bytes: engine.bytes.length });
    }`,
  },
  {
    title: 'an engine whose file is cut off afterwards still runs, and has no bytes any more',
    program: `${files}
    await (await build()).save(path('cut.plan'));
    const engine = await loadEngine(path('cut.plan'));
    await check(engine, 'before');
    truncateSync(path('cut.plan'), 64);
    await check(engine, 'after');
    assert.equal(await codeOf(() => engine.bytes), 'ERR_ENGINE_FILE');
    assert.equal(await codeOf(() => engine.save(path('copy.plan'))), 'ERR_SAVE');
    // One that was replaced by renaming keeps its bytes.
    await (await build()).save(path('whole.plan'));
    const other = await loadEngine(path('whole.plan'));
    await (await build('copy')).save(path('whole.plan'));
    same((await loadEngine(other.bytes)).bytes, other.bytes, 'renamed');
    await check(await loadEngine(other.bytes), 'from bytes');`,
  },
  {
    title: 'damaged containers and plans are errors',
    program: `${files}
    await (await build()).save(path('good.engine'), { metadata: true });
    const good = readFileSync(path('good.engine'));
    for (const at of [0, 9, 13, 70, 100, 4000, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] ^= 4;
      writeFileSync(path('bad.engine'), bad);
      assert.equal(await codeOf(() => loadEngine(path('bad.engine'))), 'ERR_ENGINE_FILE', 'byte ' + at);
      assert.equal(await codeOf(() => loadEngine(bad)), 'ERR_ENGINE_FILE', 'byte ' + at + ' in memory');
    }
    const { bytes } = await loadEngine(path('good.engine'));
    for (const part of [bytes.subarray(0, 40), bytes.subarray(0, bytes.length >> 1)])
      assert.equal(await codeOf(() => loadEngine(part)), 'ERR_ENGINE');
    assert.equal(await codeOf(() => loadEngine(bytes.subarray(64))), 'ERR_ENGINE_FILE');
    await check(await loadEngine(path('good.engine')), 'the good one');`,
  },
  {
    title: 'a plan of a gigabyte is loaded without a copy of it',
    onStandIn: true,
    program: `${files}${watch}
    const { bytes } = await build();
    const file = openSync(path('sparse.plan'), 'w');
    writeSync(file, bytes);
    ftruncateSync(file, 2 ** 30);
    closeSync(file);
    collect();
    const before = anonymous();
    const [engine, most] = await mostDuring(() => loadEngine(path('sparse.plan')));
    await check(engine, 'sparse');
    console.log(JSON.stringify({ before, most: most(), after: anonymous(), size: engine.size }));`,
    check: ({ result }) => {
      const { before, most, after, size } = result as Record<'before' | 'most' | 'after' | 'size', number>;
      expect(size).toBe(2 ** 30);
      expect([most - before < 100_000, after - before < 100_000], JSON.stringify(result)).toEqual([true, true]);
    },
  },
];
