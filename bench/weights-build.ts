import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32, loadWeights, network, saveSafetensors, type Weight, weight } from '../src/index.js';

// Memory while building a network with large weights: JavaScript's, and the process's without the mapped file.
// BENCH_MB is the size of the weights.

const megabytes = Number(process.env.BENCH_MB ?? 1024);
const side = 4096;
const layers = Math.max(1, Math.round((megabytes * 2 ** 20) / (4 * side * side)));
const folder = mkdtempSync(join(tmpdir(), 'bench-build-'));
const path = join(folder, 'bench.safetensors');

const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;

try {
  const tensors: Record<string, Weight> = {};
  // Different in each layer, because TensorRT stores equal weights once.
  for (let i = 0; i < layers; i++) {
    const data = new Float32Array(side * side);
    for (let k = 0; k < data.length; k++) data[k] = (((k * 31 + i * 17) % 251) - 125) / side;
    tensors[`fc${i}.weight`] = weight(data, [side, side]);
  }
  await saveSafetensors(path, tensors);

  using weights = await loadWeights(path);
  const before = process.memoryUsage();
  const net = network('large', { x: float32(1, side) });
  let x = net.linear(weights.layer('fc0'));
  for (let i = 1; i < layers; i++) x = x.relu().linear(weights.layer(`fc${i}`));
  x.output('y');
  const recorded = process.memoryUsage();
  let peak = recorded;
  const timer = setInterval(() => {
    const now = process.memoryUsage();
    peak = {
      ...now,
      heapUsed: Math.max(peak.heapUsed, now.heapUsed),
      arrayBuffers: Math.max(peak.arrayBuffers, now.arrayBuffers),
      rss: Math.max(peak.rss, now.rss),
    };
  }, 5);
  const began = performance.now();
  const engine = await net.build();
  clearInterval(timer);
  const size = layers * side * side * 4;
  console.log(
    `weights ${mb(size)} in ${layers} layers, engine ${mb(engine.bytes.length)}, built in ${Math.round(performance.now() - began)} ms`,
  );
  console.log(
    `recording: heap +${mb(recorded.heapUsed - before.heapUsed)}, array buffers +${mb(recorded.arrayBuffers - before.arrayBuffers)}, resident +${mb(recorded.rss - before.rss)}`,
  );
  console.log(
    `building, at its peak: heap +${mb(peak.heapUsed - before.heapUsed)}, array buffers +${mb(peak.arrayBuffers - before.arrayBuffers)}, resident above the mapping +${mb(peak.rss - before.rss - size)}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
