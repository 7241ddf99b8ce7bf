import type { RunCase } from './cases.js';

/** Files of tensors, and a network that gives what it makes of them. */
const files = `
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
const { weight, saveSafetensors, foldBatchNorm, batchNormScale, Weight } = api;
const folder = mkdtempSync(join(tmpdir(), 'refit-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const shapes = { 'conv.weight': [4, 2, 3, 3], 'conv.bias': [4], 'bn.weight': [4], 'bn.bias': [4], 'bn.running_mean': [4], 'bn.running_var': [4], 'fc.weight': [6, 4], 'fc.bias': [6], 'bn.num_batches_tracked': [] };
const store = async (seed, { leave = [], shape = {} } = {}) => {
  const path = join(folder, seed + '-' + Math.random() + '.safetensors');
  const sizes = Object.entries({ ...shapes, ...shape }).filter(([name]) => !leave.includes(name));
  const tensors = Object.fromEntries(sizes.map(([name, shape], k) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return [name, weight(Float32Array.from({ length: count }, (_, i) => 0.25 + Math.abs(Math.sin(seed + k + i))), shape)];
  }));
  await saveSafetensors(path, tensors);
  return await loadWeights(path);
};
/** The results are known: what code makes of the file. */
const made = (w) => {
  const { weight: kernel, bias } = foldBatchNorm(w.layer('conv'), w.layer('bn'));
  const { scale } = batchNormScale(w.layer('bn'));
  return { kernel, bias, scale, plain: w.get('fc.weight'), turned: w.get('fc.weight').transpose(), half: w.get('fc.bias').as('float16').as('float32'), joined: Weight.concat([w.get('fc.bias'), w.get('conv.bias')]) };
};
const record = (w, name = 'refit') => {
  const net = network(name, { x: float32(4) });
  net.tensor('x').relu().output('y');
  for (const [output, one] of Object.entries(made(w))) net.constant(one).relu().output(output);
  net.constant([1, 2, 3]).relu().output('fixed');
  return net;
};
const x = Float32Array.of(1, -1, 2, -2);
/** Whether results are those of a store. */
const check = (results, w, what) => {
  same(results.y.data, relued(x), what + ' y');
  same(results.fixed.data, Float32Array.of(1, 2, 3), what + ' fixed');
  for (const [output, one] of Object.entries(made(w))) same(results[output].data, one.toFloat32(), what + ' ' + output);
};
const sources = ['conv.weight', 'conv.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var', 'fc.weight', 'fc.bias'];
const sorted = (list) => [...list].sort();
`;

const program = (body: string) => `${files}${body}`;

export const refits: RunCase[] = [
  ...(['refit', 'refitIndividual'] as const).flatMap((option) =>
    (['10.6.0', '10.16.0', '11.1.0'] as const).map(
      (release): RunCase => ({
        title: `${option}: the engine computes what another file gives, TensorRT ${release}`,
        onStandIn: true,
        standIn: { release },
        program: program(`
        const [first, second] = [await store(1), await store(2)];
        const engine = await record(first).build({ ${option}: true });
        const contexts = [await engine.createContext(), await engine.createContext({ cudaGraph: true }), await engine.createContext({ inFlight: 3 })];
        const runAll = async (w, what) => {
          for (const one of [engine, ...contexts]) for (let i = 0; i < 3; i++) check(await one.run({ x }), w, what + i);
          check(engine.runSync({ x }), w, what + ' sync');
        };
        await runAll(first, 'before');
        const report = await engine.refit(second);
        await runAll(second, 'after');
        assert.deepEqual(sorted(report.refitted), sorted(sources));
        assert.deepEqual([report.missing, report.unused], [[], []]);
        assert.equal(report.kept.length, ${option === 'refit' ? 1 : 0});
        assert(report.ms > 0);
        await engine.refit(first);
        await runAll(first, 'back');
        await engine.refit(second.as('float32'));
        await runAll(second, 'again');
        // What it is serialized to has the weights.
        const loaded = await loadEngine(engine.bytes);
        check(await loaded.run({ x }), second, 'bytes');
        assert.equal(engine.size, engine.bytes.length);
        await engine.save(join(folder, 'x.plan'));
        check(await (await loadEngine(join(folder, 'x.plan'))).run({ x }), second, 'saved');`),
      }),
    ),
  ),
  {
    title: 'what is missing, unused, misshapen or of another dtype is told before anything is replaced',
    onStandIn: true,
    program: program(`
    const [first, second] = [await store(1), await store(2)];
    const engine = await record(first).build({ refit: true });
    const fail = async (weights, code, message, options) => {
      const error = await errorOf(() => engine.refit(weights, options));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      check(await engine.run({ x }), first, code);
    };
    await fail(await store(2, { leave: ['fc.bias', 'bn.bias'] }), 'ERR_REFIT_MISSING', /lack bn.bias, fc.bias; with { partial: true }/);
    await engine.refit(first);
    await fail(await store(2, { shape: { 'fc.bias': [7] } }), 'ERR_WEIGHTS_SHAPE', /fc.bias of .*: expected shape \\[6\\], as the engine was built from, given \\[7\\]/);
    await fail(second.as('float16'), 'ERR_WEIGHTS_DTYPE', /expected float32, as the engine was built from, given float16 of conv.weight; convert it/);
    await fail(null, 'ERR_REFIT', /expected weights of loadWeights/);
    await fail({ 'fc.bias': 3 }, 'ERR_REFIT', /fc.bias: expected a weight/, { partial: true });
    await fail(second, 'ERR_REFIT', /no option is called 'parts'; there are partial, validate/, { parts: 1 });
    await fail(second, 'ERR_REFIT', /partial: expected true or false, given 1/, { partial: 1 });
    second.dispose();
    await fail(second, 'ERR_DISPOSED', /./);
    // Some weights, and one more.
    const some = await store(3, { leave: sources.filter((name) => name !== 'fc.weight'), shape: { other: [2] } });
    const report = await engine.refit(some, { partial: true });
    assert.deepEqual([report.refitted, report.unused], [['fc.weight'], ['other']]);
    assert.deepEqual(sorted(report.missing), sorted(sources.filter((name) => name !== 'fc.weight')));
    const results = await engine.run({ x });
    same(results.plain.data, some.get('fc.weight').data);
    same(results.turned.data, some.get('fc.weight').transpose().data);
    same(results.joined.data, made(first).joined.data);
    // By name, in arrays of the caller's, who changes them.
    const mine = Float32Array.from({ length: 24 }, (_, i) => i);
    const done = engine.refit({ 'fc.weight': { shape: [6, 4], data: mine } }, { partial: true });
    mine.fill(9);
    await done;
    same((await engine.run({ x })).plain.data, Float32Array.from({ length: 24 }, (_, i) => i));
    const plain = await record(first).build();
    assert.equal(await codeOf(() => plain.refit(first)), 'ERR_REFIT');
    check(await plain.run({ x }), first);
    engine.dispose();
    assert.equal(await codeOf(() => engine.refit(first)), 'ERR_DISPOSED');`),
  },
  {
    title: 'a stripped plan runs only with weights',
    onStandIn: true,
    standIn: { release: '10.16.0' },
    program: program(`
    const [first, second] = [await store(1), await store(2)];
    for (const options of [{ refitIndividual: true }, { refit: true }, { refitIdentical: true }, {}]) {
      const isIdentical = !options.refit && !options.refitIndividual;
      const net = record(first);
      const whole = await net.build({ ...options, ...(!Object.keys(options).length && { refitIdentical: true }) });
      const engine = await net.build({ ...options, stripPlan: true });
      assert(engine.size < whole.size - 200, engine.size + ' of ' + whole.size);
      assert.equal(await codeOf(() => engine.run({ x })), 'ERR_ENGINE_WEIGHTS');
      assert.equal(await codeOf(() => engine.createContext()), 'ERR_ENGINE_WEIGHTS');
      assert.equal(engine.bytes.length, engine.size);
      if (isIdentical) {
        const error = await errorOf(() => engine.refit(second));
        assert.equal(error.code, 'ERR_REFIT');
        assert.match(error.message, /built with refitIdentical takes the elements that it was built from, given others/);
      }
      const w = isIdentical ? first : second;
      // A container says how its weights are made.
      const path = join(folder, 'stripped.engine');
      await engine.save(path, { metadata: true });
      const bare = await loadEngine(path);
      assert.equal(await codeOf(() => bare.run({ x })), 'ERR_ENGINE_WEIGHTS');
      await bare.refit(w);
      check(await bare.run({ x }), w, 'bare');
      check(await (await loadEngine(path, { weights: w })).run({ x }), w, 'loaded with weights');
      assert.equal(await codeOf(async () => loadEngine(path, { weights: await store(2, { leave: ['bn.bias'] }) })), 'ERR_REFIT_MISSING');
      await bare.save(path, { metadata: true });
      const full = await loadEngine(path);
      check(await full.run({ x }), w, 'saved with weights');
      await full.refit(w);
      check(await full.run({ x }), w, 'refitted again');
      await engine.refit(w);
      check(await engine.run({ x }), w, JSON.stringify(options));
      check(await (await loadEngine(engine.bytes)).run({ x }), w, 'bytes');
    }`),
  },
  {
    title: 'runs see all weights of one refit: those before it the old ones, those after it the new',
    onStandIn: true,
    standIn: { env: { STANDIN_COMPUTE_US: '2000' } },
    seeds: [1, 2],
    program: program(`
    const stores = [await store(1), await store(2), await store(3)];
    const engine = await record(stores[0]).build({ refit: true });
    const contexts = await Promise.all([{}, { inFlight: 2 }, { cudaGraph: true }].map((one) => engine.createContext({ ...one, maxQueued: 1000 })));
    const plains = stores.map((w) => made(w).plain.data[0]);
    const seen = [];
    const done = [];
    let version = 0;
    for (let i = 0; i < 240; i++) {
      const context = contexts[i % 3];
      if (i % 60 === 30) {
        const next = ++version % 3;
        done.push(engine.refit(stores[next]));
      }
      const one = i % 29 === 28 ? Promise.resolve().then(() => contexts[0].runSync({ x })) : context.run({ x });
      done.push(one.then((results) => {
        const which = plains.indexOf(results.plain.data[0]);
        assert(which >= 0);
        check(results, stores[which], 'run ' + i);
        (seen[i % 3] ??= []).push(which);
      }));
      if (i % 8 === 7) await tick(2);
    }
    await Promise.all(done);
    check(await engine.run({ x }), stores[version % 3], 'last');
    assert(new Set(seen.flat()).size > 1);`),
  },
  {
    title: 'a captured graph has the weights from when it was captured, and is refused',
    onStandIn: true,
    program: program(`
    const [first, second] = [await store(1), await store(2)];
    const engine = await record(first).build({ refit: true });
    const context = await engine.createContext();
    const feed = hostTensor(float32(4));
    feed.data.set(x);
    const graph = await context.capture({ feeds: { x: feed } });
    check(await graph.launch(), first, 'graph');
    await engine.refit(second);
    for (const launch of [() => graph.launch(), async () => graph.launchSync()]) {
      const error = await errorOf(launch);
      assert.equal(error.code, 'ERR_CAPTURE');
      assert.match(error.message, /was refitted after the graph had been captured/);
    }
    check(await (await context.capture({ feeds: { x: feed } })).launch(), second, 'anew');`),
  },
  {
    title: 'an engine that TensorRT refitted in part does not run',
    onStandIn: true,
    standIn: { env: { STANDIN_REFIT: 'fail' } },
    program: program(`
    const [first, second] = [await store(1), await store(2)];
    const engine = await record(first).build({ refit: true });
    const context = await engine.createContext();
    check(await engine.run({ x }), first);
    const error = await errorOf(() => engine.refit(second));
    assert.equal(error.code, 'ERR_REFIT');
    assert.match(error.message, /failed to refit the engine, which cannot run now/);
    assert(error.log.some((line) => line.includes('STANDIN_REFIT')), error.log);
    for (const run of [() => engine.run({ x }), () => context.run({ x }), async () => context.runSync({ x }), async () => engine.bytes])
      assert.equal(await codeOf(run), 'ERR_ENGINE_WEIGHTS');
    const other = await record(first).build({ refit: true });
    check(await other.run({ x }), first);`),
  },
  {
    title: 'weights that TensorRT has joined are told',
    onStandIn: true,
    standIn: { env: { STANDIN_COMBINED: 'fc.weight,fc.weight:transpose,fc.bias:float16:float32' } },
    program: program(`
    const [first, second] = [await store(1), await store(2, { leave: ['fc.bias'] })];
    const engine = await record(first).build({ refit: true });
    const error = await errorOf(() => engine.refit(second, { partial: true }));
    assert.equal(error.code, 'ERR_REFIT');
    assert.match(error.message, /needs fc.bias:float16:float32 too; the engine is as it was/);
    check(await engine.run({ x }), first);
    await engine.refit(await store(2));
    check(await engine.run({ x }), await store(2));`),
  },
  {
    title: 'a refit reaches the threads that share the engine',
    onStandIn: true,
    program: program(`
    if (isMainThread) {
      const [first, second] = [await store(1), await store(2)];
      const engine = await record(first).build({ refit: true });
      check(await engine.run({ x }), first);
      const worker = startWorker({ token: await engine.share(), path: second.info('fc.bias').file });
      assert.equal(await messageOf(worker), 'refitted');
      check(await engine.run({ x }), second, 'by the worker');
      worker.postMessage('end');
    } else {
      const engine = await loadEngine(workerData.token);
      const second = await loadWeights(workerData.path);
      await engine.refit(second);
      check(await engine.run({ x }), second, 'in the worker');
      check(await (await loadEngine(engine.bytes)).run({ x }), second, 'bytes in the worker');
      parentPort.postMessage('refitted');
      await messageOf(parentPort);
    }`),
  },
  {
    title: "a plan of somebody else's is refitted by TensorRT's names",
    onStandIn: true,
    program: program(`
    const [first, second] = [await store(1), await store(2)];
    const net = network('names', { x: float32(4) });
    net.tensor('x').relu().output('y');
    net.constant(first.get('fc.weight')).relu().output('plain');
    const engine = await loadEngine((await net.build({ refit: true })).bytes);
    const report = await engine.refit(second);
    same((await engine.run({ x })).plain.data, second.get('fc.weight').data);
    assert.deepEqual(report.refitted, ['fc.weight']);
    // What was made of tensors has other names, so that nobody takes one for the other.
    const folded = await loadEngine((await record(first).build({ refit: true })).bytes);
    const error = await errorOf(() => folded.refit(second));
    assert.equal(error.code, 'ERR_REFIT_MISSING');
    assert.match(error.message, /conv.weight:foldBatchNorm/);
    const weights = await errorOf(() => loadEngine(engine.bytes, { weights: first }).then((one) => one.run({ x })));
    same(weights.plain?.data ?? (await (await loadEngine(engine.bytes, { weights: first })).run({ x })).plain.data, first.get('fc.weight').data);`),
  },
];
