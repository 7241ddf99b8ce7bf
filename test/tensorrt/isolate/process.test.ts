import { expect, test } from 'vitest';
import { resultOf } from '../child.js';
import { runDist, runs, until } from './children.js';

test('a process that is kept holds up no exit, and ends with its parent', async () => {
  const ended = await runDist(`
    (await build()).dispose();
    console.log(JSON.stringify(childrenOf()));`);
  const [child] = resultOf<number[]>(ended);
  expect(child).toBeGreaterThan(0);
  expect(await until(() => !runs(child!))).toBe(true);
});

test('the process stays while a build is all that it does', async () => {
  const ended = await runDist(`build().then((engine) => console.log(engine.size));`);
  expect(resultOf(ended)).toBeGreaterThan(0);
});

test.each([
  ['is killed', "process.kill(process.pid, 'SIGKILL'); await pause(9999);"],
  ['exits', 'process.exit(0);'],
  ['throws', "throw new Error('mine');"],
])('a parent that %s during a build takes the child with it', async (_, end) => {
  const ended = await runDist(`
    build(3000).catch(() => {});
    await until(() => childrenOf().length > 0);
    await pause(700);
    console.log(JSON.stringify(childrenOf()));
    ${end}`);
  const [child] = JSON.parse(ended.stdout.trim()) as number[];
  expect(child).toBeGreaterThan(0);
  expect(await until(() => !runs(child!), 1000)).toBe(true);
});

test('Ctrl-C in a terminal is for the parent: the child is of another group and session', async () => {
  const ended = await runDist(`
    (await build()).dispose();
    // pid (name) state parent group session: proc(5)
    const groupOf = (pid) => fs.readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ').slice(2, 4);
    console.log(JSON.stringify([groupOf('self'), groupOf(childrenOf()[0])]));`);
  const [ours, its] = resultOf<[string[], string[]]>(ended);
  expect(its[0]).not.toBe(ours[0]);
  expect(its[1]).not.toBe(ours[1]);
});

test('in worker threads, each with a process of its own, which ends with its thread', async () => {
  const ended = await runDist(`
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url));
      const size = await new Promise((r) => worker.once('message', r));
      const own = await build();
      const [two] = [childrenOf().length];
      await worker.terminate();
      const one = await until(() => childrenOf().length === 1);
      console.log(JSON.stringify([size === own.size, two, one, (await build()).size > 0]));
    } else {
      parentPort.postMessage((await build()).size);
      setInterval(() => {}, 1000);
    }`);
  expect(resultOf(ended)).toEqual([true, 2, true, true]);
});

test.each<[string, { flags?: string[]; env?: NodeJS.ProcessEnv; program?: string }]>([
  ['with flags', { flags: ['--expose-gc', '--max-old-space-size=500', '--no-deprecation', '--title=mine'] }],
  [
    'without a folder',
    {
      program: `const gone = fs.mkdtempSync('/tmp/gone-');
        process.chdir(gone);
        fs.rmdirSync(gone);`,
    },
  ],
  ['without input', { program: `fs.closeSync(0);` }],
])('%s', async (_, { program = '', ...options }) => {
  const ended = await runDist(`${program} console.log((await build()).size);`, options);
  expect(resultOf(ended)).toBeGreaterThan(0);
});

test('a debugger of the parent is not the child’s', async () => {
  const ended = await runDist(`console.log((await build()).size);`, { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  expect(resultOf(ended)).toBeGreaterThan(0);
  expect(ended.stderr.match(/Debugger listening/g)).toHaveLength(1);
});

test('a process that builds starts none itself, whatever it runs', async () => {
  const ended = await runDist(`console.log(JSON.stringify(await outcome(build())));`, {
    env: { NODE_TENSORRT_BUILD_PROCESS: '1' },
  });
  expect(resultOf(ended)).toEqual([
    'ERR_BUILD_PROCESS',
    'no process could be started for the build: this one was started for a build itself, but runs something else',
  ]);
});

test('a Node that cannot be started', async () => {
  const ended = await runDist(`
    process.execPath = '/nowhere/node';
    console.log(JSON.stringify(await outcome(build())));`);
  expect(resultOf(ended)).toEqual([
    'ERR_BUILD_PROCESS',
    'no process could be started for the build: spawn /nowhere/node ENOENT',
  ]);
});
