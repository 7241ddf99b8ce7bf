import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { node, root, tinyCheckout, write } from './checkout.js';
import { compileLibrary, temporaryFolder } from './fake-library.js';

const dir = temporaryFolder();
const marks = join(dir, 'marks');
mkdirSync(marks);

/** A folder full of things that say so when they are run or loaded. */
const bait = join(dir, 'bait');
for (const name of [
  'pip/__main__',
  'pip/__init__',
  'site',
  'sitecustomize',
  'usercustomize',
  'zipfile',
  'runpy',
  'encodings/__init__',
  'os',
])
  write(bait, `${name}.py`, `open(${JSON.stringify(join(marks, `python-${name.replace('/', '-')}`))}, "w")\n`);
for (const name of [
  'python3',
  'cmake',
  'make',
  'ninja',
  'c++',
  'g++',
  'clang++',
  'npm',
  'ldconfig',
  'sh',
  'uname',
  'pyenv',
])
  write(bait, name, `#!/bin/sh\n: > ${join(marks, `program-${name}`)}\n`, 0o755);
for (const name of ['undici', 'yauzl', 'onnxruntime-node', 'cmake-js', 'typescript', 'zod'])
  write(
    bait,
    `node_modules/${name}/index.js`,
    `require('fs').writeFileSync(${JSON.stringify(join(marks, `node-${name}`))}, '')\n`,
  );
write(bait, '.python-version', '../../../evil\n');
for (const [path, release] of [
  ['libnvinfer.so.10', 'loader'],
  ['tensorrt_libs/libnvinfer.so.10', 'python'],
  ['xdg/node-tensorrt/tensorrt-1/libnvinfer.so.10', 'cache'],
  ['venv/lib/python3.11/site-packages/tensorrt_libs/libnvinfer.so.10', 'venv'],
])
  compileLibrary(
    join(bait, path!),
    `#include <fcntl.h>
__attribute__((constructor)) static void loaded(void) { open("${join(marks, `library-${release}`)}", O_CREAT | O_WRONLY, 0644); }
int getInferLibVersion(void) { volatile int release = 100600; return release; }`,
  );

/** A version manager's python3: a script, so that it is asked rather than looked at. */
const shims = join(dir, 'shims');
write(
  shims,
  'python3',
  `#!/bin/sh\n[ -e .python-version ] && : > ${join(marks, 'shim')}\nexec /usr/bin/python3 "$@"\n`,
  0o755,
);

const env = {
  PATH: ['', '.', 'node_modules/.bin', shims, process.env.PATH, ''].join(delimiter),
  PYTHONPATH: ['', '.'].join(delimiter),
  LD_LIBRARY_PATH: '.',
  NODE_PATH: '.',
  VIRTUAL_ENV: '',
  XDG_CACHE_HOME: 'xdg',
};

test.each([
  ['doctor', ['doctor', '--json'], {}],
  ['doctor in a relative virtual environment', ['doctor', '--json'], { VIRTUAL_ENV: 'venv' }],
  ['install', ['install'], {}],
])('%s runs and loads nothing of the working directory', (_, args, more) => {
  const cache = { HOME: join(dir, 'home'), PIP_NO_INDEX: '1' };
  const cli = [join(root, 'dist/cli/main.js')];
  const { stdout } = node(bait, [...cli, ...args], { ...env, ...cache, ...more });
  if (args[0] === 'doctor')
    expect(JSON.parse(stdout).tensorrt.filter(({ path }: { path: string }) => path.startsWith(bait))).toEqual([]);
  expect(readdirSync(marks)).toEqual([]);
});

test('neither does the set-up of a checkout', () => {
  const checkout = tinyCheckout(join(dir, 'checkout'));
  const { status, stderr } = node(bait, [join(checkout, 'scripts/setup.mjs')], { ...env, NODE_TENSORRT_DOWNLOAD: '0' });
  expect(stderr).toMatch(/compiling the addon: /);
  expect(status).toBe(0);
  expect(existsSync(join(checkout, 'build/Release/node_tensorrt.node'))).toBe(true);
  expect(readdirSync(marks)).toEqual([]);
});

test('the baits work', () => {
  node(bait, ['-e', "require('child_process').execFileSync('python3', ['-m', 'pip'])"], {
    PATH: `.:${shims}:${process.env.PATH}`,
  });
  node(bait, ['-e', "require('child_process').execFileSync('/usr/bin/python3', ['-m', 'pip'])"], {});
  expect(readdirSync(marks).sort()).toEqual(expect.arrayContaining(['program-python3', 'python-pip-__main__']));
});
