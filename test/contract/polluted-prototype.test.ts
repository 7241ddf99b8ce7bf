import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

const dir = temporaryFolder();
const entry = JSON.stringify(join(root, 'src/index.ts'));

/**
 * One call of everything that reads records of options, tensors or weights by name; prints what came out. The properties are
 * added after the package is loaded: zod does not load where they are.
 */
const script = (added: string) => `
  const t = await import(${entry});
  ${added}
  const seen = [];
  const small = t.network('small', { x: t.float32('batch', 2, 6, 6) });
  const weight = { shape: [3, 2, 3, 3], data: Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)) };
  small.conv2d({ weight, stride: 2, padding: 1 }).clamp({ min: 0 }).flatten().softmax({ axis: 1 }).output('y');
  const nested = t.network('nested', { x: t.float32(4), p: t.bool() });
  const [x, p] = nested.inputs;
  const { state } = nested.loop({ count: 3, state: { s: x } }, (now) => ({ state: { s: now.s.add(1) } }));
  nested.if(p, () => state.s.relu(), () => state.s.neg()).output('y');
  const feeds = { small: { x: new Float32Array(144).fill(1) }, nested: { x: Float32Array.of(1, -9, 3, 4), p: Uint8Array.of(1) } };
  for (const net of [small, nested]) {
    const json = JSON.parse(JSON.stringify(net));
    seen.push(json.nodes.map(({ kind, params }) => [kind, params]), t.Network.fromJSON(json).toJSON().nodes.length);
    const profiles = net === small ? [{ batch: [1, 2, 4] }] : undefined;
    const engine = await net.build({ library: 'rtx1', ...(profiles && { profiles }) });
    seen.push(engine.size, engine.inputs, engine.outputs, Object.keys((await net.check({ library: 'rtx1' })).names));
    const model = await net.compile({ backend: 'cpu' });
    seen.push([...(await model.run(feeds[net.name])).y.data]);
  }
  const path = ${JSON.stringify(join(dir, 'a.safetensors'))};
  await t.saveSafetensors(path, { 'l.a': t.weight(Float32Array.of(1, 2), [2]) }, { key: 'value' });
  const weights = await t.loadWeights(path);
  const renamed = weights.rename({ l: 'm' });
  seen.push(renamed.names(), [...weights.metadata], Object.keys(weights.scope('l').layer('')), [...weights.get('l.a').data]);
  console.log(JSON.stringify(seen));
  process.exit();`;

const run = (added: string) => {
  const args = [
    '--import',
    join(root, 'node_modules/tsx/dist/esm/index.mjs'),
    '--input-type=module',
    '-e',
    script(added),
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root });
  return stdout || stderr;
};

test('enumerable properties that a script added to Object.prototype are nobody’s options', () => {
  const added = 'Object.assign(Object.prototype, { evil: { shape: [1], data: 1 }, odd: true });';
  const plain = run('');
  expect(JSON.parse(plain)).toHaveLength(18);
  expect(run(added)).toBe(plain);
});
