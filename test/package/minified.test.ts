import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { root } from '../setup/checkout.js';
import { temporaryFolder } from '../setup/fake-library.js';

/** What every passes' function, method, attribute and class says, as JSON. */
const program = `
import * as t from ${JSON.stringify(join(root, 'dist/index.js'))};
const net = t.network('net', { x: t.float32(2, 3) });
const said = [];
const say = (call) => { try { said.push(String(call())); } catch (error) { said.push(error.code + ' ' + error.method + ' ' + error.message.split('\\n')[0]); } };
const functions = ['rewrite', 'copy', 'extract', 'foldConstants', 'removeDeadLayers', 'decomposePlugins', 'layersOf', 'compareResults'];
for (const name of functions) say(() => t[name](Symbol.iterator, 5, 5));
for (const name of functions) say(() => t[name](net, { optoin: 1 }, { optoin: 1 }));
for (const name of ['relu', 'conv2d', 'linear', 'layer', 'softmax']) say(() => net.tensor('x')[name]?.({ optoin: 1 }));
say(() => t.concat(5));
say(() => net.layer('unray', {}));
for (const [name, make] of Object.entries(t.attr)) say(() => make({}, { optoin: 1 }));
say(() => t.definePlugin({ name: 'P', attributes: { a: t.attr.float32 } }));
say(() => net);
say(() => net.tensor('x'));
say(() => t.weight(new DataView(new ArrayBuffer(4)), [1]));
console.log(JSON.stringify(said));`;

const run = (file: string) => JSON.parse(execFileSync(process.execPath, [file], { encoding: 'utf8' })) as string[];

test('a bundle whose names are shortened says what the package says', async () => {
  const folder = temporaryFolder();
  const bundled = async (minify: boolean) => {
    const outfile = join(folder, `${minify}.mjs`);
    const stdin = { contents: program, resolveDir: root };
    await build({ stdin, bundle: true, minify, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
    return run(outfile);
  };
  const [long, short] = [await bundled(false), await bundled(true)];
  expect(long.filter((text) => /rewrite|attr\.float32|conv2d/.test(text)).length).toBeGreaterThan(3);
  expect(short).toEqual(long);
});
