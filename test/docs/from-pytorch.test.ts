import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
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
