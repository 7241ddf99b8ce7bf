import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// What a build in a process of its own costs over one in this process. Each pair is two fresh processes, which import the package
// and build the same network twice: the first build starts TensorRT, the second finds it. Differences are of one pair, in ms.
// BENCH_PAIRS is how many. It runs dist/, as users do.

const pairs = Number(process.env.BENCH_PAIRS ?? 9);
const index = fileURLToPath(new URL('../dist/index.js', import.meta.url));

const program = (isolate: boolean) => `
import { network, float32 } from ${JSON.stringify(index)};
const weights = (seed, ...shape) => {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 31 + seed) % 251 - 125) / 1000;
  return { shape, data };
};
const make = () => {
  const net = network('digits', { x: float32('batch', 1, 28, 28) });
  net.conv2d({ weight: weights(1, 20, 1, 5, 5) }).relu().pool({ type: 'max', kernel: 2, stride: 2 })
    .conv2d({ weight: weights(2, 50, 20, 5, 5) }).relu().pool({ type: 'max', kernel: 2, stride: 2 })
    .flatten().linear({ weight: weights(3, 500, 800) }).relu().linear({ weight: weights(4, 10, 500) }).softmax().output('y');
  return net;
};
const build = async (options) => {
  const began = performance.now();
  (await make().build(options)).dispose();
  return performance.now() - began;
};
const options = { isolate: ${isolate} };
const imported = performance.now();
const times = [await build(options), await build(options)];
console.log(JSON.stringify([...times, performance.now() - times[1], imported]));
`;

type Times = [first: number, second: number, whole: number, imported: number];

function measure(isolate: boolean): Times {
  const args = ['--input-type=module', '--eval', program(isolate)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Times;
}

const sorted = (list: number[]): number[] => [...list].sort((a, b) => a - b);
const median = (list: number[]): number => sorted(list)[Math.floor(list.length / 2)]!;
const spread = (list: number[]): string => {
  const all = sorted(list);
  return `${Math.round(median(list))} (${Math.round(all[0]!)} to ${Math.round(all.at(-1)!)})`;
};

measure(false); // the files come from the disk
const here: Times[] = [];
const apart: Times[] = [];
for (let i = 0; i < pairs; i++) {
  // Whoever is first finds the machine in another state.
  for (const isolate of i % 2 ? [true, false] : [false, true]) (isolate ? apart : here).push(measure(isolate));
}
const rows = ['first build of a process', 'second build', 'from its start to the first engine'];
for (const [at, row] of rows.entries()) {
  const [a, b] = [here, apart].map((list) => list.map((times) => times[at]!)) as [number[], number[]];
  const more = b.map((time, i) => time - a[i]!);
  console.log(`${row}: in it ${spread(a)} ms, in one of its own ${spread(b)} ms, difference ${spread(more)} ms`);
}
