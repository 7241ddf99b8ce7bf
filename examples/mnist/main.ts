// LeNet from PyTorch's weights, as in TensorRT's sample network_api_pytorch_mnist: npm run mnist [-- --json]
import { fileURLToPath } from 'node:url';
import { float32, loadWeights, network } from 'node-tensorrt';
import { drawDigits, readDigits } from './digits.js';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const w = await loadWeights(file('lenet.safetensors'));
const net = network('lenet', { data: float32('batch', 1, 28, 28) });

net
  .conv2d(w.layer('conv1'))
  .pool({ type: 'max', kernel: 2, stride: 2 })
  .conv2d(w.layer('conv2'))
  .pool({ type: 'max', kernel: 2, stride: 2 })
  .flatten()
  .linear(w.layer('fc1'))
  .relu()
  .linear(w.layer('fc2'))
  .output('logits')
  .softmax()
  .output('prob');

const batch = 250;
const model = await net.compile({ profiles: [{ batch: [1, batch, batch] }], tf32: false });

// Digits that training never saw, and the logits that PyTorch computed for them.
const reference = await loadWeights(file('reference.safetensors'));
const labels = reference.get('label').data as Int32Array;
const expected = reference.get('logits').data as Float32Array;
const pixels = await readDigits(labels, reference.get('index').data as Int32Array);

const logits = new Float32Array(expected.length);
const prob = new Float32Array(expected.length);
for (let i = 0; i < labels.length; i += batch) {
  const result = await model.run({ data: pixels.subarray(i * 784, (i + batch) * 784) });
  logits.set(result.logits!.toFloat32(), i * 10);
  prob.set(result.prob!.toFloat32(), i * 10);
}

const best = (row: Float32Array) => row.indexOf(Math.max(...row));
const correct = labels.filter((label, i) => best(logits.subarray(i * 10, i * 10 + 10)) === label).length;
const maxAbsDiff = logits.reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i]!)), 0);
const { backend, engine } = model;
const tensorrt = engine && { flavor: engine.library.flavor, version: engine.library.version };
const engineBytes = engine?.size;
const buildMs = engine?.buildMs && Math.round(engine.buildMs);

console.log(drawDigits(pixels, prob));
console.log(`\n${correct} of ${labels.length} digits that training never saw are read correctly, on ${backend}.`);
console.log(`Their logits differ from PyTorch's by ${maxAbsDiff.toExponential(1)} at most.`);
if (tensorrt) console.log(`Engine: ${engineBytes} bytes in ${buildMs} ms by ${tensorrt.flavor} ${tensorrt.version}.`);
if (process.argv.includes('--json')) {
  const accuracy = correct / labels.length;
  const summary = { backend, tensorrt, engineBytes, buildMs, digits: labels.length, accuracy, maxAbsDiff };
  console.log(JSON.stringify(summary));
}
