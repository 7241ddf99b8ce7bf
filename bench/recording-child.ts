import { layers, type Package, record } from './recording-network.js';

// Records, hands over and lowers each chain several times, and prints milliseconds. Measures dist/, which users install.
const dist = (path: string) => import(new URL(`../dist/${path}`, import.meta.url).href);
const bench = (await dist('index.js')) as Package;
const { take, toProgram } = (await dist(
  'tensorrt/compile/program.js',
)) as typeof import('../src/tensorrt/compile/program.js');
const { chooseTensorRT } = (await dist('tensorrt/library/find.js')) as typeof import('../src/tensorrt/library/find.js');

const times = Number(process.argv[2]);
const library = await chooseTensorRT({ for: 'build' });
// TensorRT creates its builder once per process. As in Python, it is created before the clock starts.
await bench
  .network('first', { x: bench.float32(1) })
  .relu()
  .output('y')
  .network.check();

const result: Record<string, { record: number[]; handOver: number[]; lower: number[] }> = {};
for (const chain of ['mixed', 'relu'] as const) {
  const spent = { record: [] as number[], handOver: [] as number[], lower: [] as number[] };
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const net = record(bench, chain);
    const recorded = performance.now();
    const program = await toProgram(take(net));
    spent.record.push(recorded - began);
    spent.handOver.push(performance.now() - recorded);
    const { lowerMs, layers: made } = await program.build(library.path, { lowerOnly: true }, {});
    if (made?.length !== layers) throw new Error(`expected ${layers} layers, TensorRT has ${made?.length}`);
    spent.lower.push(lowerMs);
  }
  result[chain] = spent;
}
console.log(JSON.stringify(result));
