import { test } from 'vitest';
import { float32, network, type Tensor } from '../../src/index.js';
import { expectRefusal, testLayer } from './harness.js';
import { cases } from './kv_cache_update.cases.js';

testLayer('kv_cache_update', cases);

test('what does not fit is refused', () => {
  const net = network('cache', {
    cache: float32('b', 2, 8, 4),
    update: float32('b', 2, 'n', 4),
    wide: float32('b', 2, 9, 4),
  });
  const [cache, update, wide] = net.inputs as [Tensor, Tensor, Tensor];
  expectRefusal(() => cache.kvCacheUpdate(wide, [0]), 'ERR_SHAPE', /at most 8 tokens, given \[b, 2, 9, 4\]/);
  expectRefusal(
    () => cache.kvCacheUpdate(update.sum({ axis: 0 }), [0]),
    'ERR_SHAPE',
    /update: expected \[b, 2, tokens, 4\]/,
  );
  expectRefusal(() => cache.kvCacheUpdate(update.cast('float16'), [0]), 'ERR_DTYPE', /update: expected float32/);
  expectRefusal(() => cache.kvCacheUpdate(update, [[0]]), 'ERR_SHAPE', /positions: expected \[b\]/);
  expectRefusal(() => cache.kvCacheUpdate(update, update), 'ERR_DTYPE', /positions/);
  expectRefusal(() => cache.kvCacheUpdate(update, [0], { updateLengths: [0, 1] }), 'ERR_INPUT', /updateLengths/);
  expectRefusal(() => cache.sum({ axis: 0 }).kvCacheUpdate(update, [0]), 'ERR_RANK', /cache: expected rank 4/);
});
