import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseTensorRT } from '../../../src/tensorrt/library/find.js';
import { temporaryFolder } from '../../setup/fake-library.js';
import { resultOf, runChild } from '../child.js';
import { fakeGpu } from './fake-gpu.js';

interface Call {
  call: string;
  given: string;
  thrown: string;
}

const folder = temporaryFolder();
const library = fakeGpu(folder, '10.6.0');
const { path: builder } = await chooseTensorRT({ for: 'build' });
const binding = JSON.stringify(new URL('../../../src/tensorrt/binding.js', import.meta.url).href);

/** In a child, since what is tested would crash the process. `use`: all that takes a handle, by the kind it wants. */
const begin = `
const { binding } = await import(${binding});
const addon = binding();
const library = ${JSON.stringify(library)};
let plan;
const planBytes = addon.planBytes;
addon.planBytes = (handle) => { plan = handle; return planBytes(handle); };
const built = await chain(1).build({ library: ${JSON.stringify(builder)} });
built.bytes;
addon.planBytes = planBytes;
const { handle: engine } = await addon.deserialize(library, Uint8Array.of(1), 0, false);
const options = { profile: 0, inFlight: 1, graphs: 0, memory: 'own', priority: 0 };
const { handle: context } = await addon.createContext(engine, options);
const program = new addon.Program('p');
const file = addon.mapFile(library);
const mapped = { dtype: 'uint8', shape: [8], data: new Uint8Array(file.view(0, 8)) };
// cache, update, at, sizes; next, filled
const shapes = [[4], [1], [], [2]];
const io = [...shapes.map((shape) => ({ shape, memory: addon.hostTensor(16).handle })), undefined, undefined];
const bound = addon.bind(context, io);
const { handle: host } = addon.hostTensor(16);
const device = addon.deviceTensor(0, 16);
const lock = addon.tryLock(${JSON.stringify(join(folder, 'lock'))});
const { channel, end } = addon.openChannel();
const share = addon.share(file);
// No process has this id.
const nobody = 2 ** 31 - 1;
const timing = { warmUp: 0, duration: 0, iterations: 1, idle: 0, threads: false, graph: false, spin: false, transfers: true };
const use = {
  planBytes: ['plan', (handle) => addon.planBytes(handle)],
  planPart: ['plan', (handle) => addon.planPart(handle, 0, 1)],
  planIntact: ['plan', (handle) => addon.planIntact(handle)],
  planView: ['plan', (handle) => addon.planView(handle, 0, 1)],
  planChecksums: ['plan', (handle) => addon.planChecksums(handle, 1024)],
  deserialize: ['plan', (handle) => addon.deserialize(library, handle, 0, false)],
  createContext: ['engine', (handle) => addon.createContext(handle, options)],
  inspectEngine: ['engine', (handle) => addon.inspectEngine(handle)],
  shareEngine: ['engine', (handle) => addon.shareEngine(handle)],
  refittable: ['engine', (handle) => addon.refittable(handle)],
  refit: ['engine', (handle) => addon.refit(handle, [{ name: 'w', ...mapped, mapping: file }], true, false)],
  'refit from': ['file', (handle) => addon.refit(engine, [{ name: 'w', ...mapped, mapping: handle ?? null }], true, false)],
  markStripped: ['engine', (handle) => addon.markStripped(handle)],
  refits: ['engine', (handle) => addon.refits(handle)],
  serializeEngine: ['engine', (handle) => addon.serializeEngine(handle, true)],
  serializeEngineSync: ['engine', (handle) => addon.serializeEngineSync(handle, true)],
  run: ['context', (handle) => addon.run(handle, io, 0)],
  runSync: ['context', (handle) => addon.runSync(handle, io)],
  cancelRun: ['context', (handle) => addon.cancelRun(handle, 0)],
  inferShapes: ['context', (handle) => addon.inferShapes(handle, io)],
  graphRefused: ['context', (handle) => addon.graphRefused(handle)],
  profileRuns: ['context', (handle) => addon.profileRuns(handle, io, 1)],
  measure: ['context', (handle) => addon.measure([handle], [io], timing, {})],
  'measure two': ['context', (handle) => addon.measure([context, handle], [io, io], timing, {})],
  runtimeCache: ['context', (handle) => addon.runtimeCache(handle)],
  bind: ['context', (handle) => addon.bind(handle, io)],
  capture: ['context', (handle) => addon.capture(handle, io)],
  outputShapes: ['bound', (handle) => addon.outputShapes(handle)],
  runBound: ['bound', (handle) => addon.runBound(handle, 0)],
  runBoundSync: ['bound', (handle) => addon.runBoundSync(handle)],
  launch: ['graph', (handle) => addon.launch(handle, 0)],
  launchSync: ['graph', (handle) => addon.launchSync(handle)],
  pointerOf: ['device', (handle) => addon.pointerOf(handle)],
  upload: ['device', (handle) => addon.upload(handle, new Uint8Array(16))],
  download: ['device', (handle) => addon.download(handle)],
  disposeTensor: ['host or device', (handle) => addon.disposeTensor(handle)],
  addWeights: ['file', (handle) => program.addWeights([{ ...mapped, mapping: handle ?? null }])],
  unlock: ['lock', (handle) => addon.unlock(handle)],
  holdChild: ['channel', (handle) => addon.holdChild(handle, nobody)],
  closeChannel: ['channel', (handle) => addon.closeChannel(handle)],
  share: ['file', (handle) => addon.share(handle)],
  placeInShare: ['share', (handle) => addon.placeInShare(handle, mapped.data)],
  sendShare: ['channel', (handle) => addon.sendShare(handle, share)],
  'sendShare of': ['share', (handle) => addon.sendShare(channel, handle)],
  sendPlan: ['channel', (handle) => addon.sendPlan(handle, plan)],
  'sendPlan of': ['plan', (handle) => addon.sendPlan(channel, handle)],
  receiveMapping: ['channel', (handle) => addon.receiveMapping(handle)],
  receivePlan: ['channel', (handle) => addon.receivePlan(handle)],
  release: ['any', (handle) => addon.release(handle)],
};
const handles = { plan, engine, context, bound, host, device, file, lock, channel, share };
const outcome = (call) => { try { call(); return 'nothing'; } catch (error) { return error.constructor.name + ' ' + error.code + ': ' + error.message; } };
`;

test('a function refuses every handle but that of its kind', async () => {
  const ended = await runChild(
    `${begin}
    const forged = Object.fromEntries(Object.entries(handles).flatMap(([kind, handle]) => [
      ['Object.create ' + kind, Object.create(handle)],
      ['prototype of ' + kind, Object.setPrototypeOf({}, Object.getPrototypeOf(handle))],
      ['Proxy of ' + kind, new Proxy(handle, {})],
      ['copy of ' + kind, { ...handle }],
    ]));
    const { port1 } = new MessageChannel();
    const others = { ...forged, program, port: port1, 'no argument': undefined, null: null, '{}': {}, '[]': [], function: () => {}, 7: 7, text: 'plan', symbol: Symbol('plan'),
      bigint: 1n, date: new Date(), map: new Map(), revoked: (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })() };
    const calls = [];
    for (const [call, [kind, run]] of Object.entries(use)) {
      const wrong = { ...Object.fromEntries(Object.entries(handles).filter(([one]) => kind !== 'any' && !kind.split(' or ').includes(one))), ...others };
      for (const [given, value] of Object.entries(wrong)) calls.push({ call, given, thrown: outcome(() => run(value)) });
    }
    port1.close();
    console.log(JSON.stringify([calls, Object.keys(addon).filter((name) => !(name in use))]));`,
    { env: { LD_LIBRARY_PATH: folder } },
  );
  const [calls, without] = resultOf<[Call[], string[]]>(ended);
  // What takes no handle; anything else belongs into `use`.
  const free = [
    'loadLibrary',
    'cudaInfo',
    'layerTable',
    'shutdown',
    'traceCalls',
    'traced',
    'Program',
    'mapFile',
    'mapPlan',
    'planOf',
    'allocate',
    'convert',
    'crc32',
    'swallowUnthrowable',
    'evaluateRecipe',
    'launchRecipe',
    'pluginCreators',
    'loadPluginLibrary',
    'describePlugin',
    'nvrtcVersion',
    'compileKernel',
    'claimEngine',
    'hostTensor',
    'deviceTensor',
    'deviceTensorAt',
    'hostMemory',
    'deviceMemory',
    'optionTable',
    'combineTimingCaches',
    'buildRoutes',
    'tryLock',
    'openChannel',
    'joinChannel',
    'closeEnd',
    'serveParent',
    'loadedPlugins',
    'openDevice',
    'stayAwakeBy',
  ];
  expect(without.sort()).toEqual(free.sort());
  expect(calls.length).toBeGreaterThan(45 * 45);
  const expected =
    /^TypeError ERR_ARGUMENT: expected (the handle of an? [\w -]+|a handle)( as ((mapping of )?item \d of )?argument \d, given .+|, given that of an? .+)$/;
  expect(calls.filter(({ thrown }) => !expected.test(thrown))).toEqual([]);
});

test('the right handles are taken, and refused once released', async () => {
  const ended = await runChild(
    `${begin}
    const sizes = { plan: addon.planBytes(plan).byteLength, json: (await addon.inspectEngine(engine)).length > 0 };
    await Promise.all(Object.values(handles).map(addon.release));
    const after = Object.entries(use).filter(([, [kind]]) => kind in handles).map(([, [kind, run]]) => outcome(() => run(handles[kind])));
    await Promise.all(Object.values(handles).map(addon.release));
    console.log(JSON.stringify({ sizes, size: built.size, after }));`,
    { env: { LD_LIBRARY_PATH: folder } },
  );
  const { sizes, size, after } = resultOf<{ sizes: object; size: number; after: string[] }>(ended);
  expect(sizes).toEqual({ plan: size, json: true });
  expect(after).toEqual(Array(45).fill('Error ERR_DISPOSED: the native object was disposed'));
});

test('methods of a program refuse another object as their own', async () => {
  const ended = await runChild(
    `${begin}
    const { prototype } = addon.Program;
    const others = [plan, engine, context, {}, null, Object.create(program), Object.create(prototype), new Proxy(program, {})];
    const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
    console.log(JSON.stringify({ names, thrown: names.flatMap((name) => others.map((other) => outcome(() => prototype[name].call(other, new Uint8Array(1)))) )}));`,
    { env: { LD_LIBRARY_PATH: folder } },
  );
  const { names, thrown } = resultOf<{ names: string[]; thrown: string[] }>(ended);
  expect(names.sort()).toEqual(['addGraph', 'addPlugins', 'addWeights', 'build']);
  expect(thrown).toHaveLength(4 * 8);
  // V8's own check, which has no code.
  expect([...new Set(thrown)]).toEqual(['TypeError undefined: Illegal invocation']);
});

test('other arguments of the wrong type are refused too', async () => {
  const ended = await runChild(
    `${begin}
    const bytes = new Uint8Array(8);
    const weight = { ...mapped, mapping: file };
    const calls = {
      'loadLibrary()': () => addon.loadLibrary(),
      'planOf(7)': () => addon.planOf(7),
      'planPart(half a byte)': () => addon.planPart(plan, 0, 0.5),
      'planView(-1)': () => addon.planView(plan, -1, 1),
      'planChecksums(null)': () => addon.planChecksums(plan, null),
      'mapPlan(no file)': () => addon.mapPlan('0', 0, 1),
      'deserialize(7)': () => addon.deserialize(7, bytes, 0, false),
      'deserialize(floats)': () => addon.deserialize(library, new Float32Array(1), 0, false),
      'deserialize(NaN)': () => addon.deserialize(library, bytes, NaN, false),
      'deserialize(host code: 1)': () => addon.deserialize(library, bytes, 0, 1),
      'deserialize(a budget of null)': () => addon.deserialize(library, bytes, 0, false, null),
      'claimEngine(7)': () => addon.claimEngine(7),
      'createContext(0)': () => addon.createContext(engine, 0),
      'createContext(half a profile)': () => addon.createContext(engine, { ...options, profile: 0.5 }),
      'createContext(no runs in flight)': () => addon.createContext(engine, { ...options, inFlight: undefined }),
      'createContext(memory of another kind)': () => addon.createContext(engine, { ...options, memory: plan }),
      'run(null)': () => addon.run(context, null, 0),
      'run([null])': () => addon.run(context, [null], 0),
      'run(six times null)': () => addon.run(context, Array(6).fill(null), 0),
      'run(no data)': () => addon.run(context, [{ shape: [4] }, ...io.slice(1)], 0),
      'run(a shape of text)': () => addon.run(context, [{ ...io[0], shape: ['4'] }, ...io.slice(1)], 0),
      'run(floats)': () => addon.run(context, [{ shape: [4], data: new Float32Array(4) }, ...io.slice(1)], 0),
      'runSync(memory of another kind)': () => addon.runSync(context, [{ shape: [4], memory: plan }, ...io.slice(1)]),
      'bind(no memory)': () => addon.bind(context, [...io.slice(0, 4), {}, undefined]),
      'profileRuns(half a run)': () => addon.profileRuns(context, io, 0.5),
      'hostTensor(-1)': () => addon.hostTensor(-1),
      'deviceTensor(half a byte)': () => addon.deviceTensor(0, 0.5),
      'deviceTensorAt(7)': () => addon.deviceTensorAt(0, 7, 16),
      'upload(floats)': () => addon.upload(device, new Float32Array(4)),
      'deviceMemory()': () => addon.deviceMemory(),
      'allocate(-1)': () => addon.allocate(-1),
      'new Program()': () => new addon.Program(),
      'addGraph(null)': () => program.addGraph(null),
      'addGraph(buffer)': () => program.addGraph(bytes.buffer),
      'addWeights(null)': () => program.addWeights(null),
      'addWeights([{}])': () => program.addWeights([{}]),
      'addWeights([null])': () => program.addWeights([null]),
      'addWeights(typed arrays)': () => program.addWeights([bytes]),
      'addWeights(no shape)': () => program.addWeights([{ ...weight, shape: undefined }]),
      'addWeights(half a size)': () => program.addWeights([{ ...weight, shape: [0.5] }]),
      'addWeights(a name of no text)': () => program.addWeights([{ ...weight, name: 7 }]),
      'addWeights(no elements)': () => program.addWeights([{ ...weight, data: bytes.buffer }]),
      'addWeights(a mapping of null)': () => program.addWeights([{ ...weight, mapping: null }]),
      'addWeights(a mapping of no file)': () => program.addWeights([{ ...weight, mapping: {} }]),
      'addPlugins(null)': () => program.addPlugins(null),
      'addPlugins([null])': () => program.addPlugins([null]),
      'addPlugins([{}])': () => program.addPlugins([{}]),
      'evaluateRecipe(null)': () => addon.evaluateRecipe(null, [], []),
      'launchRecipe(null)': () => addon.launchRecipe(0, null, [], 0),
      'pluginCreators()': () => addon.pluginCreators(),
      'loadPluginLibrary(7)': () => addon.loadPluginLibrary(library, 7),
      'describePlugin(null)': () => addon.describePlugin(library, null),
      'nvrtcVersion()': () => addon.nvrtcVersion(),
      'compileKernel(null)': () => addon.compileKernel(library, null),
      'combineTimingCaches(null)': () => addon.combineTimingCaches(library, null, false),
      'combineTimingCaches([7])': () => addon.combineTimingCaches(library, [7], false),
      'combineTimingCaches(mismatch: 1)': () => addon.combineTimingCaches(library, [bytes], 1),
      'buildRoutes(7)': () => addon.buildRoutes(7),
      'tryLock(7)': () => addon.tryLock(7),
      'joinChannel(text)': () => addon.joinChannel('3'),
      'joinChannel(half a descriptor)': () => addon.joinChannel(0.5),
      'closeEnd()': () => addon.closeEnd(),
      'closeEnd(half a descriptor)': () => addon.closeEnd(0.5),
      'holdChild(text)': () => addon.holdChild(channel, '1'),
      'placeInShare(buffer)': () => addon.placeInShare(share, bytes.buffer),
      'placeInShare(null)': () => addon.placeInShare(share, null),
      'loadedPlugins(7)': () => addon.loadedPlugins(7),
      'refit(null)': () => addon.refit(engine, null, true, false),
      'refit([null])': () => addon.refit(engine, [null], true, false),
      'refit([{}])': () => addon.refit(engine, [{}], true, false),
      'refit(no shape)': () => addon.refit(engine, [{ name: 'w', ...weight, shape: undefined }], true, false),
      'refit(whole: 1)': () => addon.refit(engine, [], 1, false),
      'refit(validate: 1)': () => addon.refit(engine, [], true, 1),
      'serializeEngine(1)': () => addon.serializeEngine(engine, 1),
      'serializeEngineSync(1)': () => addon.serializeEngineSync(engine, 1),
      'measure(null)': () => addon.measure(null, [io], timing, {}),
      'measure(no placements)': () => addon.measure([context], null, timing, {}),
      'measure(placements of null)': () => addon.measure([context], [null], timing, {}),
      'measure(half an iteration)': () => addon.measure([context], [io], { ...timing, iterations: 0.5 }, {}),
      'measure(a warm-up as text)': () => addon.measure([context], [io], { ...timing, warmUp: '1' }, {}),
      'measure(no end)': () => addon.measure([context], [io], { ...timing, duration: Infinity }, {}),
      'measure(a negative rest)': () => addon.measure([context], [io], { ...timing, idle: -1 }, {}),
      'measure(no options)': () => addon.measure([context], [io], null, {}),
      'measure(no callbacks)': () => addon.measure([context], [io], timing),
      'build()': () => program.build(),
      'build(null)': () => program.build(library, null, {}),
      'build([])': () => program.build(library, [], {}),
    };
    program.addWeights([weight]);
    new addon.Program('empty').addWeights([]);
    console.log(JSON.stringify(Object.entries(calls).map(([name, call]) => [name, outcome(call)])));`,
    { env: { LD_LIBRARY_PATH: folder } },
  );
  const thrown = resultOf<[string, string][]>(ended);
  expect(
    thrown.filter(
      ([, error]) =>
        !/^TypeError ERR_ARGUMENT: (expected .+ as .+, given .+|expected the handle .+, given that of .+|the bytes do not fit)/.test(
          error,
        ),
    ),
  ).toEqual([]);
});
