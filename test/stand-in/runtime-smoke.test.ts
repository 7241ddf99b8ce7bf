import { beforeAll, expect, test } from 'vitest';
import { compiling, prepare, runStandIn } from './harness.js';

beforeAll(() => prepare('10.6.0'), compiling);

test('smoke', async () => {
  const { result, ended } = await runStandIn<unknown>(
    `
const { hostTensor, deviceTensor, hostMemory, deviceMemory } = api;
const net = network('n', { x: float32('batch', 4) });
net.relu().output('y');
const engine = await net.build({ profiles: [{ batch: [1, 2, 8] }] });
const out = {};
const c = await engine.createContext();
out.run = [...(await c.run({ x: new Float32Array([1, -2, 3, -4]) })).y.data];
out.sync = [...c.runSync({ x: new Float32Array([-1, 2, 3, -4, 5, 6, -7, 8]) }).y.data];
const many = await Promise.all(Array.from({ length: 100 }, (_, i) => c.run({ x: Float32Array.from({ length: 4 }, () => i) })));
out.many = many.every((r, i) => r.y.data[0] === i);
const h = hostTensor(float32(2, 4)); h.data.set([1, -1, 2, -2, 3, -3, 4, -4]);
const b = c.bind({ feeds: { x: h } });
out.bound = [...b.runSync().y.data];
h.data.fill(7);
out.bound2 = [...(await b.run()).y.data];
const d = deviceTensor(float32(2, 4), Float32Array.from([1, -1, 2, -2, 3, -3, 4, -4]));
const r = await c.run({ x: d }, { outputs: 'device' });
out.device = [...(await r.y.download()).data];
const g = await c.capture({ feeds: { x: h }, outputs: { y: h === null ? 'device' : 'device' } });
h.data.set([9, -9, 8, -8, 0, 1, 2, 3]);
const o = g.launchSync();
out.graph = [...(await o.y.download()).data];
h.data.fill(-5);
h.data[0] = 5;
out.graph2 = [...(await (await g.launch()).y.download()).data];
const a = await engine.createContext({ cudaGraph: true, inFlight: 2 });
for (let i = 0; i < 5; i++) out['auto' + i] = [...(await a.run({ x: new Float32Array([1, -2, 3, i]) })).y.data];
out.profile = (await c.profile({ x: new Float32Array(4) }, { runs: 3 })).layers.length;
out.memory = [hostMemory(), deviceMemory()];
console.log(JSON.stringify(out));
`,
    { env: { STANDIN_DELAY: '200,1' } },
  );
  console.log(JSON.stringify(result, null, 1), ended.stderr);
  expect(ended.code).toBe(0);
}, 120_000);
