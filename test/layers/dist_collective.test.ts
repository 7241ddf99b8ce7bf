import { expect, test } from 'vitest';
import { collectiveOperations } from '../../src/layers/kinds/dist_collective.js';
import { cases } from './dist_collective.cases.js';
import { expectRefusal, expectSameInference, oneInput, testLayer } from './harness.js';

testLayer('dist_collective', cases);

test.each(collectiveOperations)(
  'two ranks: TensorRT infers the same shape for %s, and builds it',
  async (operation) => {
    const x = oneInput(4, 3);
    x.distCollective({ operation, groups: [0, 1] }).output('y');
    await expectSameInference(x.network);
    using engine = await x.network.build();
    expect(engine.bytes.byteLength).toBeGreaterThan(1000);
  },
);

test('several ranks do not run on the CPU', async () => {
  const x = oneInput(4, 3);
  x.distCollective({ operation: 'all_reduce', ranks: 2 }).output('y');
  await expect(x.network.compile({ backend: 'cpu' })).rejects.toThrow(/2 devices are needed/);
  const q = oneInput(1, 2, 4, 8);
  q.attention(q, q, { ranks: 2 }).output('y');
  await expect(q.network.compile({ backend: 'cpu' })).rejects.toThrow(/2 devices are needed/);
});

test('bad parameters are refused', () => {
  const x = oneInput('n', 3);
  expectRefusal(
    () => x.distCollective({ operation: 'all_gather', reduce: 'sum' }),
    'ERR_PARAMETER',
    /reduce: expected none/,
  );
  expectRefusal(() => x.distCollective({ operation: 'all_gather', root: 1 }), 'ERR_PARAMETER', /root: expected none/);
  expectRefusal(() => x.distCollective({ operation: 'broadcast', root: -1 }), 'ERR_PARAMETER', /root: expected a rank/);
  expectRefusal(
    () => x.distCollective({ operation: 'all_reduce', groups: [0, 1], ranks: 3 }),
    'ERR_PARAMETER',
    /ranks: expected 2/,
  );
  expectRefusal(() => x.distCollective({ operation: 'mix' as never }), 'ERR_PARAMETER', /operation/);
  expectRefusal(() => x.distCollective({ operation: 'scatter', ranks: 2 }), 'ERR_SHAPE', /multiple of 2 along axis 0/);
  expect(x.distCollective({ operation: 'all_gather', ranks: 2 }).shape).toEqual(['2*n', 3]);
});
