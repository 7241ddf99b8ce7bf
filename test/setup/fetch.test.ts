import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { cacheDir } from '../../src/tensorrt/library/search-path.js';
import { node, nodeAsync, root, tinyCheckout, write } from './checkout.js';
import { temporaryFolder } from './fake-library.js';

const dir = temporaryFolder();
const checkout = tinyCheckout(join(dir, 'checkout'), { dependencies: false });
const script = write(
  checkout,
  'fetch.mjs',
  `import { fetchTensorRT } from './scripts/install/tensorrt.mjs';
fetchTensorRT({ force: process.argv.includes('--force') }).then(console.log, (error) => { console.error(error.message); process.exitCode = 1; });`,
);

/** Stands for python3: `pip download` leaves a wheel, `zipfile -e` unpacks one; each call is logged. */
function fakePython(name: string, download = ': > "$dir/a.whl"') {
  const log = join(dir, `${name}.log`);
  writeFileSync(log, '');
  write(
    join(dir, name),
    'python3',
    `#!/bin/sh
echo "$@" >> ${log}
if [ "$2" = pip ]; then
  while [ "$1" != -d ]; do shift; done
  dir=$2; cat "$4" >> ${log}
  sleep 0.3
  ${download}
else
  mkdir "$5/tensorrt_rtx_libs" && echo library > "$5/tensorrt_rtx_libs/libtensorrt_rtx.so.1"
fi
`,
    0o755,
  );
  const env = { PATH: `${join(dir, name)}:/usr/bin:/bin`, NODE_TENSORRT_CACHE: join(dir, `${name}-cache`) };
  const calls = () => readFileSync(log, 'utf8').match(/pip download/g)?.length ?? 0;
  return { env, calls, log, cache: env.NODE_TENSORRT_CACHE };
}

const library = 'tensorrt-rtx-1.7.1.116/tensorrt_rtx_libs/libtensorrt_rtx.so.1';

test('asks pip for one wheel by its hash, and leaves the library alone in the cache', () => {
  const { env, log, cache } = fakePython('plain');
  const { status, stdout } = node(checkout, [script], env);
  expect([status, stdout]).toEqual([0, `${join(cache, library)}\n`]);
  const text = readFileSync(log, 'utf8');
  expect(text).toMatch(/pip download .*--no-deps --only-binary=:all: .*--require-hashes/);
  expect(text).toMatch(/^tensorrt-rtx-cu13-libs==1\.7\.1\.116 --hash=sha256:[0-9a-f]{64}$/m);
  expect(readdirSync(cache)).toEqual(['tensorrt-rtx-1.7.1.116']);
});

test('asks once, however many want it at once', async () => {
  const { env, calls, cache } = fakePython('several');
  const results = await Promise.all([1, 2, 3, 4].map(() => nodeAsync(checkout, [script], env)));
  expect(results.map((one) => one.status)).toEqual([0, 0, 0, 0]);
  expect(calls()).toBe(1);
  expect(node(checkout, [script], env).status).toBe(0);
  expect(calls()).toBe(1);
  expect(readdirSync(cache)).toEqual(['tensorrt-rtx-1.7.1.116']);
});

test('replaces a damaged or unfinished copy, and clears what a killed run left', () => {
  const { env, calls, cache } = fakePython('damaged');
  node(checkout, [script], env);
  truncateSync(join(cache, library), 3);
  write(cache, 'tensorrt-rtx-1.7.1.116.tmp-dead/half.whl', 'half');
  expect(node(checkout, [script], env).status).toBe(0);
  expect(readFileSync(join(cache, library), 'utf8')).toBe('library\n');
  expect(calls()).toBe(2);
  writeFileSync(join(cache, 'tensorrt-rtx-1.7.1.116', 'complete.json'), '{');
  expect(node(checkout, [script], env).status).toBe(0);
  expect(calls()).toBe(3);
  expect(readdirSync(cache)).toEqual(['tensorrt-rtx-1.7.1.116']);
  node(checkout, [script, '--force'], env);
  expect(calls()).toBe(4);
});

test("shows pip's message when it fails, says what else can be done, and leaves nothing behind", () => {
  const { env, cache } = fakePython('failing', 'echo "ERROR: no route to host" >&2; exit 1');
  const { status, stderr } = node(checkout, [script], env);
  expect(status).toBe(1);
  for (const part of ['no route to host', 'TENSORRT_ROOT', 'NODE_TENSORRT_DOWNLOAD=0']) expect(stderr).toContain(part);
  expect(readdirSync(cache)).toEqual([]);
});

test('a lock whose holder is gone does not block; one whose holder lives does', async () => {
  const { env, cache } = fakePython('stale');
  const lock = `${join(cache, 'tensorrt-rtx-1.7.1.116')}.lock`;
  const { pid } = spawnSync('true');
  write(cache, 'tensorrt-rtx-1.7.1.116.lock', JSON.stringify({ pid, host: (await import('node:os')).hostname() }));
  expect(node(checkout, [script], env).status).toBe(0);
  expect(existsSync(lock)).toBe(false);

  // Of another host, nothing is known but when it last touched the file.
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere' }));
  const old = new Date(Date.now() - 60_000);
  utimesSync(lock, old, old);
  expect(node(checkout, [script], env).status).toBe(0);

  writeFileSync(lock, JSON.stringify({ pid: process.pid, host: (await import('node:os')).hostname() }));
  const waiting = spawnSync(process.execPath, [script], { cwd: checkout, env, timeout: 1500 });
  expect(waiting.signal).toBe('SIGTERM');
});

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;

test('the real pip refuses a wheel of the right name with other content', ({ skip }) => {
  skip(!hasPip, 'there is no python3 with pip');
  const wheels = join(dir, 'wheels');
  const name = 'tensorrt_rtx_cu13_libs-1.7.1.116-py3-none-manylinux_2_28_x86_64.whl';
  // An empty zip: the end-of-directory record alone.
  write(wheels, name, `PK\x05\x06${'\0'.repeat(18)}`);
  const env = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, NODE_TENSORRT_CACHE: join(dir, 'real-cache') };
  const { status, stderr } = node(checkout, [script], env);
  expect(status).toBe(1);
  expect(stderr).toMatch(/HASH/i);
  expect(readdirSync(join(dir, 'real-cache'))).toEqual([]);
});

test.each([[{}], [{ XDG_CACHE_HOME: '/x' }], [{ XDG_CACHE_HOME: '/x', NODE_TENSORRT_CACHE: '/y' }]])(
  'the cache that is filled is the one that is searched (%j)',
  async (env) => {
    const filled = await import(pathToFileURL(join(root, 'scripts/install/tensorrt.mjs')).href);
    expect(cacheDir(env)).toBe(filled.cacheDir(env));
  },
);

test('nothing in the published scripts reaches outside them', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(files).toEqual(expect.arrayContaining(['scripts/install.mjs', 'scripts/install']));
  const published = ['install.mjs', ...readdirSync(join(root, 'scripts/install')).map((name) => `install/${name}`)];
  for (const name of published) {
    const text = readFileSync(join(root, 'scripts', name), 'utf8');
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1]!);
    expect(imports.filter((from) => !/^(node:|\.\/)/.test(from))).toEqual([]);
  }
});
