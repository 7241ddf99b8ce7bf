import { measure, randomFeeds } from 'node-tensorrt';
import digits, { profiles } from './src/model.ts';

const [{ batch }] = profiles as [(typeof profiles)[0]];
const images = batch[1];
const net = await digits();
const model = await net.compile({ profiles });
const feeds = randomFeeds(net.inputs, { dims: { batch: images } });
let ms: number;
if (model.backend === 'tensorrt') {
  ms = (await measure(model.engine!, feeds)).latency.median;
} else {
  const times: number[] = [];
  for (const end = performance.now() + 2000; performance.now() < end; ) {
    const start = performance.now();
    await model.run(feeds);
    times.push(performance.now() - start);
  }
  ms = times.sort((a, b) => a - b)[times.length >> 1]!;
}
console.log(`${model.backend}: ${ms.toFixed(3)} ms for ${images} images, median`);
model.dispose();
