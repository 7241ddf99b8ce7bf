// Called by run.sh: runs the GPU tier in several processes, longest first, and writes one report.
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { doctor, findTensorRT } from '../../src/index.js';
import { isStale, merge, noResults, type Results, readResults, root, type Tier, writeResults } from './results.js';

/** The work of one process. */
interface Unit {
  label: string;
  file: string;
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** Expected duration, from earlier runs. */
  seconds: number;
  /** Runs after all others. */
  alone?: true;
}

const start = Date.now();

function refuse(message: string): never {
  console.error(`run.sh: ${message}`);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string', default: '540' },
    processes: { type: 'string', default: '6' },
    rest: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
  },
});
const [suites, libraries] = positionals[0] === 'networks' ? [['networks'], positionals.slice(1)] : [positionals, []];
const unknown = suites.filter((name) => !['build', 'models', 'plugins', 'networks'].includes(name));
if (suites.length === 0 || unknown.length > 0 || (suites[0] === 'networks' && libraries.length === 0))
  refuse(`expected some of build, models and plugins, or networks LIBRARY…, given '${positionals.join(' ')}'`);
const [limit, processes] = [Number(values.limit), Number(values.processes)];
if (!(limit > 0) || !(processes >= 1)) refuse('--limit and --processes: expected numbers above 0');

const out = process.env.OUT!;
const parts = join(root, '.gpu', 'parts');
rmSync(parts, { recursive: true, force: true });
mkdirSync(parts, { recursive: true });
const before = readResults();

/** Names of the libraries that a tier runs with, as in the rows. */
const named = new Map<Tier, string[]>();
const nameOf = async (library?: string): Promise<string[]> => {
  if (library && !existsSync(library)) refuse(`${library}: no such file`);
  const found = await findTensorRT(library ? { env: { ...process.env, NODE_TENSORRT_LIBRARY: library } } : {});
  const used = library
    ? found.find(({ path }) => path === realpathSync(library))
    : found.find((one) => one.usableFor.run);
  if (library && !used?.version) refuse(`${library}: ${used?.refused ?? 'no TensorRT library is there'}`);
  if (used?.flavor === 'trt11') await standInForKernels(used.path, used.version!);
  return used ? [`${used.flavor === 'rtx1' ? 'TensorRT-RTX' : 'TensorRT'} ${used.version}`] : [];
};
named.set('run', await nameOf());
named.set('networks', (await Promise.all(libraries.map(nameOf))).flat());

/** TensorRT 11 loads its kernels as soon as a builder is created; see test/gpu/no-kernels.c. */
async function standInForKernels(library: string, version: string): Promise<void> {
  const folder = dirname(library);
  for (const { computeCapability } of (await doctor()).gpus) {
    const name = `libnvinfer_builder_resource_sm${computeCapability.replace('.', '')}.so.${version}`;
    if (!existsSync(join(folder, name))) copyFileSync(join(root, 'build', 'no-kernels.so'), join(folder, name));
  }
  process.env.LD_LIBRARY_PATH = `${process.env.LD_LIBRARY_PATH}:${folder}`;
}

/** Whether all libraries of a tier have a complete result for exactly this code. */
const isDone = (tier: Tier, suite: string) =>
  named.get(tier)!.length > 0 &&
  named
    .get(tier)!
    .every((library) =>
      before.rows.some(
        (row) =>
          row.library === library && row.tier === tier && row.suite === suite && row.unfinished === 0 && !isStale(row),
      ),
    );

function expected(tier: Tier, suite: string, cases: number): number {
  const known = before.rows.filter((row) => row.tier === tier && row.suite === suite && row.unfinished === 0);
  const each = tier === 'run' ? 2.5 : 0.05 * libraries.length;
  return known.length > 0 ? Math.max(...known.map(({ seconds }) => seconds)) : cases * each;
}

/** Groups kinds by process: long ones alone, short ones together. */
function layerUnits(tier: Tier): Unit[] {
  const kinds = (['layers', 'modules'] as const).flatMap((area) => {
    const files = readdirSync(join(root, 'test', area)).filter((name) => name.endsWith('.cases.ts'));
    return files.map((name) => {
      const suite = (area === 'layers' ? '' : `${area}/`) + name.replace('.cases.ts', '');
      const cases = readFileSync(join(root, 'test', area, name), 'utf8').split('\n').length / 8;
      return { suite, seconds: expected(tier, suite, cases) };
    });
  });
  const todo = kinds.filter(({ suite }) => !values.rest || !isDone(tier, suite)).sort((a, b) => b.seconds - a.seconds);
  const atMost = Math.max(5, todo.reduce((sum, { seconds }) => sum + seconds, 0) / processes / 4);
  const groups: { suites: string[]; seconds: number }[] = [];
  for (const { suite, seconds } of todo) {
    const group = groups.find((one) => one.seconds + seconds <= atMost);
    if (!group) groups.push({ suites: [suite], seconds });
    else {
      group.suites.push(suite);
      group.seconds += seconds;
    }
  }
  return groups.map(({ suites, seconds }) => ({
    label: `${tier === 'run' ? '' : 'networks: '}${suites.join(', ')}`,
    file: 'test/gpu/layers.test.ts',
    args: ['-t', tier === 'run' ? 'build and run on the GPU' : 'networks of other releases'],
    env: { NODE_TENSORRT_KINDS: suites.join(','), NODE_TENSORRT_CHECK_LIBRARIES: libraries.join(':') },
    seconds,
  }));
}

const models = ['resnet50', 'bert', 'gpt2', 'hrnet', 'yolov8'];

function units(): Unit[] {
  const list: Unit[] = [];
  if (suites.includes('networks')) list.push(...layerUnits('networks'));
  if (suites.includes('build')) {
    list.push(...layerUnits('run'));
    for (const name of ['inspect', 'profiles'])
      list.push({ label: name, file: `test/gpu/${name}.test.ts`, seconds: 20 });
  }
  if (suites.includes('plugins')) {
    const [file, grows] = ['test/gpu/plugins.test.ts', 'do not grow'];
    list.push({ label: 'plugins', file, args: ['-t', `^(?!.*${grows})`], seconds: 60 });
    // It measures what everybody uses of the GPU.
    list.push({ label: 'plugins: growth', file, args: ['-t', grows], seconds: 20, alone: true });
    for (const name of ['plugin-expressions', 'plugin-features', 'plugins-existing', 'plugins-testing'])
      list.push({ label: name, file: `test/gpu/${name}.test.ts`, seconds: 60 });
  }
  if (suites.includes('models')) {
    list.push({ label: 'examples', file: 'test/gpu/examples.test.ts', seconds: 60 });
    for (const name of models) {
      const args = ['-t', ` on a GPU '?${name}'? in `];
      const env = { NODE_TENSORRT_FULL_MODELS: values.full ? '1' : '' };
      list.push({ label: name, file: 'test/gpu/models.test.ts', args, env, seconds: name === 'hrnet' ? 300 : 100 });
    }
  }
  return list.sort((a, b) => b.seconds - a.seconds);
}

const say = (text: string) => console.log(`${((Date.now() - start) / 1000).toFixed(0).padStart(4)} s  ${text}`);

if (suites.includes('models') && values.full) {
  for (const name of models) {
    say(`the reference of ${name}`);
    execFileSync('python3', [join(root, 'examples', name, 'reference.py'), '--full'], { stdio: 'inherit' });
  }
}

const all = units();
const queue = [...all.filter(({ alone }) => !alone), ...all.filter(({ alone }) => alone)];
const beside = all.filter(({ alone }) => !alone).length;
const report = noResults();
const errors: string[] = [];
const running = new Set<number>();
let log = '';
let failed = false;
let stopped = false;
const reports: Results[] = [];

function stop(): void {
  stopped = true;
  // Kills the processes of a group, including TensorRT's builds; their reports are written as they run.
  for (const pid of running) process.kill(-pid, 'SIGKILL');
}
const timer = setTimeout(stop, limit * 1000 - (Date.now() - start));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

async function runUnit({ label, file, args = [], env }: Unit, index: number): Promise<void> {
  const [part, logFile] = ['json', 'log'].map((end) => join(parts, `${index}.${end}`)) as [string, string];
  const fd = openSync(logFile, 'w');
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', 'vitest.gpu.config.ts', file, ...args],
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', fd, fd],
      env: {
        ...process.env,
        ...env,
        NODE_TENSORRT_GPU_REPORT: part,
        NODE_TENSORRT_GPU_RUN: new Date(start).toISOString(),
      },
    },
  );
  running.add(child.pid!);
  const ended = await new Promise<number | string>((resolve) =>
    child.on('exit', (code, signal) => resolve(signal ?? code!)),
  );
  running.delete(child.pid!);
  closeSync(fd);
  const text = readFileSync(logFile, 'utf8');
  log += `=== ${label}\n${text}\n`;
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  say(`${label}: ${stopped ? 'stopped' : last}`);
  if (ended !== 0) {
    failed = true;
    // Tests that a stopped process had not reached are counted in its rows, or have none.
    if (!stopped && (typeof ended === 'string' || !existsSync(part))) errors.push(`${label}: ended with ${ended}`);
    if (!stopped) console.log(text.split('\n').slice(-60).join('\n'));
  }
  if (existsSync(part)) reports.push(readResults(part));
}

say(`${all.length} processes, ${processes} at a time, for at most ${limit} s`);
let next = 0;
await Promise.all(
  Array.from({ length: processes }, async () => {
    while (!stopped && next < beside) {
      const index = next++;
      await runUnit(queue[index]!, index);
    }
  }),
);
for (; !stopped && next < queue.length; next++) await runUnit(queue[next]!, next);
clearTimeout(timer);
const notStarted = queue.slice(next).map(({ label }) => label);
if (notStarted.length > 0) {
  failed = true;
  say(`not started within ${limit} s: ${notStarted.join('; ')}`);
}

const results = merge(report, ...reports);
for (const run of Object.values(results.runs)) {
  run.errors.push(...errors);
  run.seconds = Math.round((Date.now() - start) / 1000);
}
writeResults(results, join(out, 'gpu-results.json'));
writeFileSync(join(out, 'log.txt'), log);
for (const error of errors) say(error);
const sum = (key: 'passed' | 'failed' | 'skipped' | 'unfinished') =>
  results.rows.reduce((all, row) => all + row[key], 0);
say(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped, ${sum('unfinished')} not reached`);
// With --rest there may be nothing to do.
process.exitCode = failed || errors.length > 0 || (results.rows.length === 0 && queue.length > 0) ? 1 : 0;
