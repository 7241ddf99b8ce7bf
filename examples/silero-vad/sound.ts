// A sound with two spoken sentences between a tone, noise and silence: node scripts/run.mjs tsx examples/silero-vad/sound.ts sound.wav
import espeak from 'espeak-ng';
import { samplesOf, synthesize, writeWav } from '../audio.js';

/** What eSpeak NG says. */
async function speak(text: string): Promise<Int16Array> {
  const { FS } = await espeak({ arguments: ['-w', 'said.wav', '-v', 'en-us', text] });
  return samplesOf(FS.readFile('said.wav'));
}

export async function sound(): Promise<Int16Array> {
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed / 2 ** 32 - 0.5) / 8;
  };
  const silence = synthesize(1, () => 0);
  const tone = synthesize(1, (time) => 0.3 * Math.sin(2 * Math.PI * 440 * time));
  const first = await speak('Layers are recorded, and every shape is checked.');
  const second = await speak('Nobody speaks in between.');
  const parts = [silence, first, tone, silence, second, synthesize(1, noise)];
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

if (process.argv[1] === import.meta.filename) await writeWav(process.argv[2]!, await sound());
