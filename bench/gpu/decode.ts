// GPT-2 small, greedy, batch 1: tokens a second of ours, of C++ and Python replaying graphs of the same plans, and PyTorch's.
import { join } from 'node:path';
import { type CudaGraph, type DeviceTensor, deviceTensor, type Engine, type EngineIO, loadEngine } from 'node-tensorrt';
import { readDecoding, sameAs } from './cells.js';
import { Driver } from './driver.js';
import { median, pairs, quantile } from './measure.js';
import { section, work } from './report.js';

/** The host reads what was written every so many steps. */
const every = 8;
const { length, prompt, tokens: theirs } = readDecoding();
const steps = theirs.length - 1;

interface Decoded {
  us: number;
  tokens: number[];
}
type Decode = () => Promise<Decoded>;
type State = Record<string, DeviceTensor>;

const tensorOf = ({ dtype, shape }: EngineIO) => deviceTensor({ dtype, shape: shape as number[] });
const nextOf = (state: State) => Object.fromEntries(Object.entries(state).map(([name, t]) => [`next.${name}`, t]));

/** Two sets of state that swap, and a graph of either direction, as gpt2.cc and gpt2_peer.py do it. */
async function ours(step: Engine, prefill: Engine): Promise<Decode> {
  const make = (): State => Object.fromEntries(step.inputs.map((one) => [one.name, tensorOf(one)]));
  const states = [make(), make()] as const;
  const others = step.outputs.filter(({ name }) => !name.startsWith('next.'));
  const logits: State = Object.fromEntries(others.map((one) => [one.name, tensorOf(one)]));
  const context = await step.createContext();
  const first = await prefill.createContext();
  const capture = (from: State, to: State) => context.capture({ feeds: from, outputs: { ...nextOf(to), ...logits } });
  for (const tensor of Object.values(states[0])) await tensor.upload(zeros(tensor));
  for (const tensor of Object.values(states[1])) await tensor.upload(zeros(tensor));
  const graphs: CudaGraph[] = [await capture(states[0], states[1]), await capture(states[1], states[0])];
  return async () => {
    for (const tensor of Object.values(states[1])) await tensor.upload(zeros(tensor));
    const feeds = { ...states[1], tokens: { shape: [1, prompt.length], data: Int32Array.from(prompt) } };
    await first.run(feeds, { outputs: { ...nextOf(states[0]), ...logits } });
    const start = performance.now();
    let written: ArrayLike<number | bigint> = [];
    const launched: Promise<unknown>[] = [];
    let reading: ReturnType<DeviceTensor['download']> | undefined;
    for (let i = 0; i < steps; i++) {
      launched.push(graphs[i % 2]!.launch());
      if ((i + 1) % every !== 0 && i + 1 < steps) continue;
      const next = states[1 - (i % 2)]!.written!.download();
      // The GPU has the next steps while the host reads.
      if (reading) await reading;
      reading = next;
    }
    await Promise.all(launched);
    written = (await reading!).data;
    const us = (performance.now() - start) * 1000;
    const tokens = Array.from({ length: steps + 1 }, (_, i) => Number(written[prompt.length + i]));
    return { us, tokens };
  };
}

const arrays = { int32: Int32Array, float32: Float32Array, float16: Uint16Array };
function zeros({ dtype, shape }: DeviceTensor): Int32Array | Float32Array | Uint16Array {
  return new arrays[dtype as keyof typeof arrays](shape.reduce((a, b) => a * b, 1));
}

const add = await section('gpt2', {
  title: 'GPT-2 small, greedy, batch 1',
  note: `Random weights of PyTorch, a prompt of ${prompt.length} tokens and ${steps} steps of a cache of ${length} places; the host reads every ${every} steps. Medians of ${pairs} alternating rounds in one run. 'as PyTorch' counts the tokens that are those of PyTorch in float32.`,
  head: ['dtype', 'who', 'tokens/s', 'ours / theirs', '80 % of pairs', 'goal', 'met', 'as PyTorch'],
});
for (const precision of ['float32', 'float16'] as const) {
  const plans = ['step', 'prefill'].map((part) => join(work, `gpt2-${precision}-${part}.plan`));
  const [step, prefill] = await Promise.all(plans.map((plan) => loadEngine(plan)));
  const programs: [string, string, string[], number][] = [
    ['C++ replaying graphs', join(work, 'bin', 'gpt2'), plans, 0.98],
    ['Python replaying graphs', 'python3', [join(import.meta.dirname, 'gpt2_peer.py'), ...plans], 1],
  ];
  const children = programs.map(([name, command, args, goal]) => ({ name, goal, driver: new Driver(command, args) }));
  const all: { name: string; goal?: number; decode: Decode }[] = [
    { name: 'ours', decode: await ours(step!, prefill!) },
    ...children.map(({ name, goal, driver }) => ({
      name,
      goal,
      decode: () => driver.ask<Decoded>('decode', steps, every, ...prompt),
    })),
  ];
  const found: number[][] = [];
  const times: number[][] = all.map(() => []);
  const broken = new Set<number>();
  for (let round = -1; round < pairs; round++)
    for (let turn = 0; turn < all.length; turn++) {
      const i = (turn + round + 1) % all.length;
      if (broken.has(i)) continue;
      try {
        const { us, tokens } = await all[i]!.decode();
        // The first round warms up.
        if (round >= 0) times[i]!.push(us);
        found[i] = tokens;
      } catch (error) {
        if (i === 0) throw error;
        broken.add(i);
        console.log(`${all[i]!.name}: ${error}`);
      }
    }
  for (const [i, { name, goal }] of all.entries()) {
    if (broken.has(i)) continue;
    const speed = ((steps * 1e6) / median(times[i]!)).toFixed(0);
    const ratios = times[0]!.map((own, round) => times[i]![round]! / own);
    const cells =
      i === 0
        ? ['', '', '', '']
        : [
            median(ratios).toFixed(3),
            [0.1, 0.9].map((part) => quantile(ratios, part).toFixed(2)).join(' – '),
            `≥ ${goal}`,
            median(ratios) >= goal! ? 'yes' : 'no',
          ];
    add(precision, name, speed, ...cells, sameAs(theirs, found[i]!));
  }
  for (const { driver } of children) driver.close();
  step!.dispose();
  prefill!.dispose();
}
