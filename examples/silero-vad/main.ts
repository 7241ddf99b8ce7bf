// Prints when somebody speaks: node scripts/run.mjs tsx examples/silero-vad/main.ts [file.wav] [--cpu] [--json]
import { parseArgs } from 'node:util';
import { type CompileOptions, type Feed, loadWeights, type Model } from 'node-tensorrt';
import { floats, rate, readWav } from '../audio.js';
import { pretrained } from '../pretrained.js';
import { chunk, context, sileroVad, units } from './network.js';
import { sound } from './sound.js';

export interface Segment {
  /** In samples. */
  start: number;
  end: number;
}

export async function loadDetector(options: CompileOptions = {}): Promise<Model> {
  using w = await loadWeights(await pretrained('silero-vad', 'silero_vad/data/silero_vad_16k.safetensors'));
  const net = sileroVad(w);
  w.strict();
  return await net.compile({ profiles: [{ batch: 1 }], tf32: false, ...options });
}

/** The probability of speech of each chunk. */
export async function probabilities(model: Model, samples: Float32Array): Promise<number[]> {
  const found: number[] = [];
  let states: Record<string, Feed> = { hidden: new Float32Array(units), cell: new Float32Array(units) };
  for (let at = 0; at < samples.length; at += chunk) {
    const heard = new Float32Array(context + chunk);
    const from = Math.max(0, at - context);
    heard.set(samples.subarray(from, at + chunk), from - (at - context));
    const results = await model.run({ samples: heard, ...states });
    states = { hidden: results['next.hidden']!, cell: results['next.cell']! };
    found.push(...results.speech!.toFloat32());
  }
  return found;
}

/** As the package joins chunks: speech begins at 0.5, and ends where it stays below 0.35 for 0.1 s. */
export function segments(probabilities: readonly number[], length: number): Segment[] {
  const [least, silence, margin] = [0.25 * rate, 0.1 * rate, 0.03 * rate];
  const found: Segment[] = [];
  let start: number | undefined;
  let quiet: number | undefined;
  const close = (end: number) => {
    if (end - start! > least) found.push({ start: start!, end });
    start = quiet = undefined;
  };
  for (const [i, probability] of probabilities.entries()) {
    const at = i * chunk;
    if (probability >= 0.5) quiet = undefined;
    if (probability >= 0.5) start ??= at;
    if (start === undefined || probability >= 0.35) continue;
    quiet ??= at;
    if (at - quiet >= silence) close(quiet);
  }
  if (start !== undefined) close(length);
  return found.map(({ start, end }) => ({
    start: Math.max(0, start - margin),
    end: Math.min(length, end + margin),
  }));
}

if (process.argv[1] === import.meta.filename) {
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({ options: { cpu: flag, json: flag }, allowPositionals: true });
  using model = await loadDetector({ backend: values.cpu ? 'cpu' : 'auto' });
  const samples = floats(positionals[0] ? await readWav(positionals[0]) : await sound());
  const found = segments(await probabilities(model, samples), samples.length);
  const seconds = found.map(({ start, end }) => [start / rate, end / rate] as const);
  for (const [start, end] of seconds) console.log(`${start.toFixed(2)} s to ${end.toFixed(2)} s: speech`);
  console.log(`${(samples.length / rate).toFixed(2)} s heard, on ${model.backend}.`);
  if (values.json) console.log(JSON.stringify({ backend: model.backend, segments: seconds }));
}
