import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults, findTensorRT, loadWeights } from 'node-tensorrt';
import digits, { profiles } from '../src/model.ts';

const installed = (await findTensorRT()).some(({ usableFor }) => usableFor.build);

test('computes what PyTorch computes', async () => {
  const reference = await loadWeights(new URL('reference.safetensors', import.meta.url));
  const model = await (await digits()).compile({ profiles, tf32: false });
  const { prob } = await model.run({ image: reference.get('image') });
  const { agrees, outputs } = compareResults({ prob: reference.get('prob') }, { prob: prob! });
  assert.ok(agrees, outputs[0]?.reasons.join('\n'));
  model.dispose();
});

test('TensorRT takes every layer as it was recorded', { skip: !installed && 'npx node-tensorrt install' }, async () => {
  await (await digits()).check({ profiles });
});
