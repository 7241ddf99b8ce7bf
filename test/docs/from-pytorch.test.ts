import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, onTestFinished, test } from 'vitest';
import * as entry from '../../src/index.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const fixture = fileURLToPath(new URL('fixtures/vit.safetensors', import.meta.url));

test('the ViT of docs/from-pytorch.md computes what timm computes', async () => {
  using file = await entry.loadWeights(fixture);
  const sample = /^```ts\n(.*?)^```/ms.exec(read('docs/from-pytorch.md'))![1]!;
  const script = ts.transpile(sample.replace(/^import .*$/m, ''), { target: ts.ScriptTarget.ES2022 });
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<entry.Network>;
  const names = ['concat', 'float32', 'network', 'loadWeights', 'console'];
  let unused: unknown;
  const net = await new AsyncFunction(...names, `${script}; return net;`)(
    entry.concat,
    entry.float32,
    entry.network,
    async () => file.scope('model'),
    { log: (value: unknown) => (unused = value) },
  );
  expect(unused).toEqual([]);
  await net.check();
  using model = await net.compile({ backend: 'cpu' });
  const { logits } = await model.run({ image: file.get('image') });
  const expected = file.get('logits');
  expect(logits!.shape).toEqual(expected.shape);
  const given = logits!.toFloat32();
  for (const [i, value] of (expected.data as Float32Array).entries()) expect(given[i]).toBeCloseTo(value, 4);
});

interface Flat {
  dtype: entry.DType;
  shape: number[];
  data: number[];
}
/** What PyTorch computes, by the first cell of a row; see fixtures/rows.py. */
const rows = JSON.parse(read('test/docs/fixtures/rows.json')) as Record<
  string,
  { inputs: Record<string, Flat>; weights: Record<string, Flat>; expected: Flat }
>;
/** The code in the cells of the page's tables. */
const cells = new Map(
  [...read('docs/from-pytorch.md').matchAll(/^\| `([^`]+)`[^|]*\|(.*)\|$/gm)].map(([, torch, here]) => [
    torch!,
    [
      ...here!
        .split('; ')[0]!
        .split('`: ')[0]!
        .concat('`')
        .matchAll(/`([^`]+)`/g),
    ].map(([, code]) => code!),
  ]),
);
const own = ({ dtype, shape, data }: Flat, name: string) =>
  entry.weight(
    dtype === 'int64'
      ? BigInt64Array.from(data, BigInt)
      : dtype === 'int32'
        ? Int32Array.from(data)
        : Float32Array.from(data),
    shape,
    dtype,
    name,
  );

test.each(Object.entries(rows))(
  'the row of %s computes what PyTorch computes',
  async (cell, { inputs, weights, expected }) => {
    const code = cells.get(cell)!;
    const script = ts.transpile(`${code.slice(0, -1).join(';')};return ${code.at(-1)}`, {
      target: ts.ScriptTarget.ES2022,
    });
    const net = entry.network(
      'row',
      Object.fromEntries(Object.entries(inputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    );
    const tensors = Object.fromEntries(net.inputs.map((input) => [input.name, input]));
    const layer = (prefix: string) =>
      Object.fromEntries(
        Object.entries(weights)
          .filter(([name]) => name.slice(0, name.lastIndexOf('.')) === prefix)
          .map(([name, w]) => [name.slice(prefix.length + 1), own(w, name)]),
      );
    const run = new Function('w', 'splitQkv', ...Object.keys(tensors), script);
    (run({ layer }, entry.splitQkv, ...Object.values(tensors)) as entry.Tensor).output('y');
    await net.check();
    using model = await net.compile({ backend: 'cpu' });
    const { y } = await model.run(
      Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, own(one, name)])),
    );
    expect([y!.dtype, y!.shape]).toEqual([expected.dtype, expected.shape]);
    const given = y!.toFloat32();
    for (const [i, value] of expected.data.entries()) expect(given[i]).toBeCloseTo(value, 4);
  },
);

test('the prefix of nn.DataParallel is a scope', async () => {
  expect(cells.get('nn.DataParallel(model).state_dict()')).toEqual(["w.scope('module')"]);
  const folder = mkdtempSync(join(tmpdir(), 'rows-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'w.safetensors');
  await entry.saveSafetensors(file, { 'module.fc.weight': entry.weight(new Float32Array(2)) });
  using w = await entry.loadWeights(file);
  expect(w.scope('module').names()).toEqual(['fc.weight']);
});
