import { expect, test } from 'vitest';
import { resultOf, runChild } from '../child.js';

// Resident memory during 120 rounds. The first ones fill caches and pools; after them, memory must stay as it is. A network has
// 256 kB of weights, its engine as much again: kept once per round, either would show as 15 MB or more.
const rounds = (work: string) => `
const data = new Float32Array(1 << 16).fill(0.1);
function net(i) {
  const n = network('n' + i, { x: float32('batch', 1 << 16) });
  n.add(data).relu().output('y');
  return n;
}
const settle = async () => {
  for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
};
const sizes = [];
for (let i = 0; i < 120; i++) {
  ${work}
  if (i % 12 === 11) { await settle(); sizes.push(process.memoryUsage().rss / 2 ** 20); }
}
console.log(JSON.stringify(sizes));
process.exit(0);
`;

const built = `
  const engine = await net(i).build();
  if (engine.bytes.byteLength < data.byteLength) throw new Error('no weights');
  // Every other one is left to the garbage collector.
  if (i % 2) engine.dispose();
`;
const unfinished = `
  await net(i).check();
  await network('f', { x: float32(4) }).nonZero().output('y').network.build().catch(() => {});
  const c = new AbortController();
  await net(i).build({ signal: c.signal, onProgress: () => c.abort() }).catch(() => {});
`;

test.each<[string, string]>([
  ['builds', built],
  ['checks, failed and aborted builds', unfinished],
])('120 %s do not leak', { timeout: 120_000 }, async (_, work) => {
  const sizes = resultOf<number[]>(await runChild(rounds(work), { flags: ['--expose-gc'], limitMs: 110_000 }));
  expect(sizes).toHaveLength(10);
  // The least at the end against the least before the middle: 60 rounds lie between them.
  const growth = Math.min(...sizes.slice(7)) - Math.min(...sizes.slice(2, 5));
  expect(growth, sizes.map(Math.round).join(' ')).toBeLessThan(12);
});
