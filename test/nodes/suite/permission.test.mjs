import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);
const skip = major < 22 && 'the permission model of Node 20 is an experiment under another flag';
const net = process.allowedNodeEnvironmentFlags.has('--allow-net');

/** What a program prints under the permission model, as JSON, in a folder that it may write to. */
function under(flags, program) {
  const folder = mkdtempSync(join(project, 'permitted-'));
  const text = `import * as t from 'node-tensorrt';
    const net = t.network('small', { x: t.float32(8) }).relu().output('y').network;
    const say = (call) => call().then(() => 'ok', ({ code, message }) => code + ' ' + message.split('\\n')[0]);
    const folder = ${JSON.stringify(folder)};
    ${program}`;
  const args = ['--permission', ...flags, `--allow-fs-write=${folder}`, '--input-type=module', '-e', text];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  return { said: JSON.parse(stdout), folder };
}
const read = '--allow-fs-read=*';

test('with addons, engines are built and saved; a file keeps its mode', { skip }, () => {
  const { said, folder } = under(
    [read, '--allow-addons'],
    `import { chmodSync, writeFileSync } from 'node:fs';
     writeFileSync(folder + '/x.engine', 'old');
     chmodSync(folder + '/x.engine', 0o640);
     const engine = await net.build();
     const saved = await say(() => engine.save(folder + '/x.engine', { metadata: true }));
     const cached = (await net.build({ cache: folder + '/cache' })).log;
     const isolated = await say(() => net.build({ isolate: true }));
     const cpu = await say(() => net.compile({ backend: 'cpu' }));
     console.log(JSON.stringify({ saved, cached, isolated, cpu }));`,
  );
  assert.deepEqual({ ...said, isolated: undefined }, { saved: 'ok', cached: [], cpu: 'ok', isolated: undefined });
  assert.match(said.isolated, /^ERR_BUILD_PROCESS .*--allow-(child-process|net)/);
  assert.equal(statSync(join(folder, 'x.engine')).mode & 0o777, 0o640);
  assert.equal(
    readdirSync(join(folder, 'cache')).some((name) => name.endsWith('.engine')),
    true,
  );
});

test('builds in a process of their own need child processes, and sockets where Node asks for them', { skip }, () => {
  const isolated = `console.log(JSON.stringify({ isolated: await say(() => net.build({ isolate: true })) }));`;
  const flags = [read, '--allow-addons', '--allow-child-process'];
  if (net) assert.match(under(flags, isolated).said.isolated, /^ERR_BUILD_PROCESS .*--allow-net/);
  assert.equal(under(net ? [...flags, '--allow-net'] : flags, isolated).said.isolated, 'ok');
});

test('without addons, networks are recorded, and errors name the flag', { skip }, () => {
  const { said } = under(
    [read],
    `const weights = await say(() => t.loadWeights('lenet.safetensors'));
     const cpu = await say(() => net.compile({ backend: 'cpu' }).then((model) => model.run({ x: new Float32Array(8) })));
     const build = await say(() => net.build());
     console.log(JSON.stringify({ weights, cpu, build }));`,
  );
  for (const [what, text] of Object.entries(said)) assert.match(text, /^ERR_\w+ .*--allow-addons/, what);
});
