import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { node, tinyCheckout, write } from './checkout.js';
import { temporaryFolder } from './fake-library.js';

const dir = temporaryFolder();
const checkout = tinyCheckout(join(dir, 'checkout'));
const links = join(dir, 'links');
mkdirSync(links, { recursive: true });

/** A wheel in the folder that pip looks in, and what is pinned of it. */
function wheel(name: string, files: Record<string, string>, keep: string) {
  const info = `${name}.dist-info`;
  const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
  const rows = Object.entries(files).map(([file, text]) => `${file},sha256=${hash(text)},${text.length}`);
  const all = { ...files, [`${info}/RECORD`]: `${rows.join('\n')}\n${info}/RECORD,,\n` };
  const bytes = zipSync(Object.fromEntries(Object.entries(all).map(([file, text]) => [file, Buffer.from(text)])));
  writeFileSync(join(links, `${name}.whl`), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { distribution: name, version: '1', wheel: `${name}.whl`, size: bytes.length, sha256, keep };
}

const lib = 'nvidia/cu13/lib';
const wheels = [
  wheel(
    'nvrtc',
    {
      [`${lib}/libnvrtc.so.13`]: 'nvrtc',
      [`${lib}/libnvrtc-builtins.so.13.0`]: 'b',
      [`${lib}/libnvrtc.alt.so.13`]: 'alt',
    },
    'libnvrtc(-builtins)?\\.so|dist-info',
  ),
  wheel(
    'runtime',
    { 'nvidia/cu13/include/cuda_fp16.h': 'half', [`${lib}/libcudart.so.13`]: 'cudart' },
    '/include/|dist-info',
  ),
];
const pin = {
  library: `${lib}/libnvrtc.so.13`,
  builtins: `${lib}/libnvrtc-builtins.so.13.0`,
  header: 'nvidia/cu13/include/cuda_fp16.h',
  wheels,
};

const script = write(
  checkout,
  'fetch-nvrtc.mjs',
  `import { cachedNvrtc, fetchNvrtc } from './scripts/install/nvrtc.mjs';
const pin = JSON.parse(process.env.PIN);
for (const one of pin.wheels) one.keep = new RegExp(one.keep);
const before = cachedNvrtc('13.0');
fetchNvrtc({ cuda: '13.0', pin }).then((path) => console.log(JSON.stringify([before, path])), (error) => { console.error(error.message); process.exitCode = 1; });`,
);
const env = (cache: string, its: object = pin) => ({
  PIN: JSON.stringify(its),
  NODE_TENSORRT_CACHE: join(dir, cache),
  PIP_NO_INDEX: '1',
  PIP_FIND_LINKS: links,
  PIP_CONFIG_FILE: '/dev/null',
  HOME: dir,
});

test('two wheels become one folder, with what kernels need of them', () => {
  const { stdout, stderr, status } = node(checkout, [script], env('cache'));
  expect([status, stderr]).toEqual([0, '']);
  const folder = join(dir, 'cache/cuda-13.0');
  const path = join(folder, pin.library);
  expect(JSON.parse(stdout)).toEqual([null, path]);
  expect(readdirSync(join(folder, lib)).sort()).toEqual(['libnvrtc-builtins.so.13.0', 'libnvrtc.so.13']);
  expect(existsSync(join(folder, pin.header))).toBe(true);
  expect(readdirSync(join(dir, 'cache'))).toEqual(['cuda-13.0']);
  expect(JSON.parse(node(checkout, [script], env('cache')).stdout)).toEqual([path, path]);
});

test.each([pin.library, pin.header])('%s that was changed is fetched again', (file) => {
  const cache = `damaged-${file.length}`;
  node(checkout, [script], env(cache));
  truncateSync(join(dir, cache, 'cuda-13.0', file), 1);
  const { stdout } = node(checkout, [script], env(cache));
  expect(JSON.parse(stdout)[0]).toBeNull();
  expect(JSON.parse(node(checkout, [script], env(cache)).stdout)[0]).toMatch(/libnvrtc\.so\.13$/);
});

test('another hash is refused, and nothing is left behind', () => {
  const wrong = { ...pin, wheels: [wheels[0], { ...wheels[1], sha256: 'a'.repeat(64) }] };
  const { status, stderr } = node(checkout, [script], env('wrong', wrong));
  expect(status).toBe(1);
  expect(stderr).toMatch(/could not fetch NVRTC of CUDA 13\.0: [\s\S]*SHA-256[\s\S]*NODE_TENSORRT_NVRTC=FILE/);
  expect(readdirSync(join(dir, 'wrong'))).toEqual([]);
});

test('which one is fetched follows the driver', async () => {
  const program = `import { nvrtcFor } from './scripts/install/nvrtc.mjs';
console.log([null, '12.2', '12.9', '13.0', '13.5', '14.1'].map(nvrtcFor).join());`;
  const { stdout } = node(checkout, [write(checkout, 'which.mjs', program)]);
  expect(stdout).toBe('12.9,12.9,12.9,13.0,13.0,13.0\n');
});

test('npm test asks for it where none with headers is found, and only then', () => {
  const own = tinyCheckout(join(dir, 'own'));
  write(
    own,
    'src/tensorrt/library/find.ts',
    "export const findTensorRT = async () => [];\nexport const cudaInfo = async () => ({ driver: '13.0' });\n",
  );
  const found = 'env.FOUND ? [{ path: env.FOUND, include: env.INCLUDE ?? null }] : []';
  write(own, 'src/plugin/nvrtc.ts', `export const findNvrtc = async ({ env }: any) => ${found};\n`);
  const library = write(dir, 'found/libnvrtc.so.13', 'x');
  const offline = {
    ...env('none'),
    NODE_TENSORRT_LIBRARY: '/my/libtensorrt_rtx.so',
    PIP_FIND_LINKS: join(dir, 'nowhere'),
  };
  const run = (more: NodeJS.ProcessEnv, ...flags: string[]) =>
    node(own, ['scripts/run.mjs', ...flags, 'true'], { ...offline, ...more }).stderr;
  expect(run({})).not.toMatch(/NVRTC/);
  expect(run({}, '--nvrtc')).toMatch(/fetching NVRTC of CUDA 13\.0[\s\S]*could not fetch/);
  expect(run({ FOUND: library }, '--nvrtc')).toMatch(/could not fetch NVRTC/);
  expect(run({ FOUND: library, INCLUDE: '/include' }, '--nvrtc')).not.toMatch(/NVRTC/);
  expect(run({}, '--nvrtc')).not.toMatch(/NVRTC/);
  expect(run({ CUDA_HOME: '/elsewhere' }, '--nvrtc')).toMatch(/could not fetch NVRTC/);
  expect(run({}, '--frobnicate')).toMatch(/expected --rtx, --nvrtc and a command, given --frobnicate/);
});
