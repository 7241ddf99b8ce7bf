import { expect, test } from 'vitest';
import { chain } from '../networks.js';

// TensorRT's builder recurses along the graph: through its Python bindings this one overflows a stack of 8 MiB.
test('a chain of 3,000 layers builds', { timeout: 300_000 }, async () => {
  using engine = await chain(3000).build();
  expect(engine.size).toBeGreaterThan(100_000);
});
