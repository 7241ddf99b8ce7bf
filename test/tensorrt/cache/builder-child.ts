// builder-child.ts FOLDER once|forever: builds with a cache, when it is told to. `forever` removes engines and builds them again.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { float32, network } from '../../../src/index.js';

const [folder, mode] = process.argv.slice(2) as [string, string];

function small(factor: number) {
  const net = network('small', { x: float32(2, 4) });
  net.linear({ weight: { shape: [4, 4], data: new Float32Array(16).fill(factor) } }).output('y');
  return net;
}

// The first build of a process takes longer.
await small(1000).build();
console.log('ready');
await once(process.stdin, 'data');
process.stdin.unref();
if (mode === 'once') {
  const engine = await small(1).build({ cache: folder });
  const sha = createHash('sha256').update(engine.bytes).digest('hex');
  console.log(JSON.stringify({ fromCache: engine.fromCache, sha, log: engine.log }));
}
for (let i = 0; mode === 'forever'; i++) {
  await small(i % 3).build({ cache: folder });
  for (const name of readdirSync(folder))
    if (name.endsWith('.engine') && Math.random() < 0.5) rmSync(join(folder, name), { force: true });
}
