import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import * as entry from '../../src/index.js';

const exported: Record<string, unknown> = { ...entry };
const page = readFileSync(new URL('../../docs/passes.md', import.meta.url), 'utf8');

test('the sample of docs/passes.md does what it says', async () => {
  const sample = /^```ts\n(.*?)^```/ms.exec(page)![1]!;
  const script = ts.transpile(sample.replace(/^import .*$/m, ''), { target: ts.ScriptTarget.ES2022 });
  const imported = /^import \{ (.*) \}/m.exec(sample)![1]!.split(', ');
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<Record<string, entry.Network>>;
  const results = '{ net, smooth, half, open, head, tail, folded, lean }';
  let printed: unknown;
  const weight = (rows: number) => ({
    shape: [rows, 4],
    data: Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i)),
  });
  const { net, smooth, half, open, head, tail, lean } = await new AsyncFunction(
    ...imported,
    'w1',
    'w2',
    'console',
    `${script}; return ${results};`,
  )(...imported.map((name) => exported[name]), weight(4), weight(3), { log: (value: unknown) => (printed = value) });
  const run = async (one: entry.Network, feeds: entry.Feeds) => {
    using model = await one.compile({ backend: 'cpu' });
    return model.run(feeds);
  };
  const x = { shape: [2, 4], data: Float32Array.of(1, -2, 3, 0.5, 0, 1, 2, -1) };
  const y = [...(await run(net!, { x })).y!.toFloat32()];
  expect([...(await run(lean!, { x })).y!.toFloat32()]).toEqual(y);
  expect([...(await run(tail!, await run(head!, { x }))).y!.toFloat32()]).toEqual(y);
  // Products of four values below 4 in half precision.
  const inHalf = (await run(half!, { x })).y!.toFloat32();
  for (const [i, value] of inHalf.entries()) expect(Math.abs(value - y[i]!)).toBeLessThan(0.05);
  expect([...inHalf]).not.toEqual(y);
  const types = smooth!.graph.nodes.filter(({ kind }) => kind === 'activation').map(({ params }) => params.type);
  expect(types).toEqual(['gelu_erf', 'gelu_erf']);
  expect(open!.outputs.length).toBe(net!.graph.nodes.length + 1);
  expect(printed).toEqual(lean!.graph.nodes.map(({ name }) => name));
});
