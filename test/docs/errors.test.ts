import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { float32, Network, network, parseWeights, saveSafetensors, TensorRTError, weight } from '../../src/index.js';
import { compileKernels } from '../../src/plugin/compile.js';
import { ownCache } from '../plugin/nvrtc-here.js';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/errors.md', root), 'utf8');

/** The page by code: its text, and the message it shows. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const [code, ...rest] = text.split(/^#+ /m)[0]!.split('\n');
      const message = /^```\n(.*)\n```$/m.exec(rest.join('\n'))?.[1];
      return [code!, { text: rest.join('\n'), message }];
    }),
);

/** Codes of Node's own errors that source code asks for. */
const ofNode = [
  'ERR_ACCESS_DENIED',
  'ERR_DLOPEN_DISABLED',
  'ERR_INVALID_PACKAGE_CONFIG',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
];

/** What source code calls an error by: a string of its own, so that a mention in a comment is none. */
const used = new Set(
  ['src', 'native'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|cc|h)$/.test(file))
      .flatMap((file) => [
        ...readFileSync(new URL(`${folder}/${file}`, root), 'utf8').matchAll(/['"](ERR_[A-Z0-9_]+)['"]/g),
      ])
      .map(([, code]) => code!)
      .filter((code) => !ofNode.includes(code)),
  ),
);

test('docs/errors.md has every code of src/ and native/, and no other', () => {
  expect(used.size).toBeGreaterThan(50);
  expect([...sections.keys()].sort()).toEqual([...used].sort());
});

test('each has a cause and a remedy', () => {
  for (const [code, { text }] of sections) expect(text, code).toMatch(/^\n(?:\S[^\n]+\n)*\S[^\n]+\.\nRemedy: \S/);
});

/** Code that fails, for every message on the page. */
const failing: Record<string, () => unknown> = {
  ERR_AXIS: () => network('n', { x: float32(2, 3) }).softmax({ axis: 2 }),
  ERR_DIM: () => +network('n', { x: float32('batch') }).dim(0),
  ERR_DUPLICATE_NAME: () =>
    network('n', { x: float32(2) })
      .relu({ name: 'a' })
      .relu({ name: 'a' }),
  ERR_FOREIGN_TENSOR: () => {
    const other = network('b', { x: float32(2) });
    return network('a', { y: float32(2) }).add(other.tensor());
  },
  ERR_JSON: () => Network.fromJSON({} as never),
  ERR_NO_SINGLE_INPUT: () => network('two', { x: float32(2), y: float32(2) }).relu(),
  ERR_SHAPE: () =>
    network('n', { x: float32('batch', 1, 8, 8) }).conv2d({
      weight: { shape: [8, 3, 3, 3], data: new Float32Array(216) },
    }),
  ERR_WEIGHTS_NAME: async () => (await someWeights()).get('conv1.wieght'),
  ERR_BUILD_OPTION: () =>
    network('n', { x: float32(2) })
      .relu()
      .output()
      .network.compile({ backend: 'gpu' as never }),
  ERR_EMPTY_NETWORK: () => network('empty', { x: float32(2) }).build(),
  ERR_NO_OUTPUT: () =>
    network('silent', { x: float32(2) })
      .relu()
      .network.build(),
  ERR_PROFILE: () =>
    network('n', { x: float32('batch') })
      .relu()
      .output()
      .network.build({ profiles: [{ batch: [8, 4, 1] }] }),
  ERR_TIMING_CACHE: () =>
    network('n', { x: float32(2) })
      .relu()
      .output()
      .network.build({ library: 'rtx1', timingCache: '/' }),
  ERR_DISPOSED: async () => {
    const w = await someWeights();
    w.dispose();
    return w.get('conv1.weight');
  },
  ERR_FEED: async () => {
    const net = network('n', { x: float32(2) });
    net.relu().output('y');
    using model = await net.compile({ backend: 'cpu' });
    return await model.run({ x: new Float64Array(2) as never });
  },
  ERR_KERNEL: async () => {
    const source =
      'extern "C" __global__ void square(float const* x, float* z) {\n  float const v = x[threadIdx.x];\n  y[threadIdx.x] = v * v;\n}';
    const folder = mkdtempSync(join(tmpdir(), 'errors-'));
    try {
      const kernel = { name: 'Square', cuda: { source }, options: [], kernels: ['square'], launches: [] };
      return await compileKernels(kernel, [90], { env: await ownCache(folder), driver: null });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  ERR_SAVE: async () => {
    const net = network('n', { x: float32(2) });
    net.relu().output('y');
    using engine = await net.build({ library: 'rtx1' });
    return await engine.save('');
  },
};

async function someWeights() {
  const folder = mkdtempSync(join(tmpdir(), 'errors-'));
  try {
    await saveSafetensors(join(folder, 'w'), { 'conv1.weight': weight(new Float32Array(2), [2]) });
    return await parseWeights(new Uint8Array(readFileSync(join(folder, 'w'))), 'lenet.safetensors');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const messages = [...sections].flatMap(([code, { message }]) => (message ? [[code, message] as const] : []));

test('its messages are those of the code below', () => {
  expect(messages.map(([code]) => code).sort()).toEqual(Object.keys(failing).sort());
});

test.each(messages)('%s: %s', async (code, message) => {
  const error = await (async () => failing[code]!())().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TensorRTError);
  expect((error as TensorRTError).code).toBe(code);
  expect((error as TensorRTError).message.split('\n')[0]).toBe(message);
});
