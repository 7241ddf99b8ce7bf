// What a new user does first. It is copied to a folder where the package is installed.
// smoke.mjs check: records a network and checks it; without a library the message says how to get one.
// smoke.mjs plan: builds an engine and prints the SHA-256 of its plan.
import { createHash } from 'node:crypto';
import { float32, network } from 'node-tensorrt';

const net = network('smoke', { x: float32('batch', 4) });
net
  .reshape(['batch', 2, 2])
  .relu()
  .sum({ axes: [2] })
  .output('y');
if (net.toJSON().nodes.length === 0) throw new Error('nothing was recorded');

if (process.argv[2] === 'plan') {
  const engine = await net.build();
  console.log(`plan: ${engine.bytes.length} bytes, SHA-256 ${createHash('sha256').update(engine.bytes).digest('hex')}`);
} else {
  try {
    await net.check();
    console.log('checked');
  } catch (error) {
    console.log(`${error.code}: ${error.message}`);
  }
}
