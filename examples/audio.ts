// Sound for the examples that hear: 16-bit samples at 16 kHz.
import { readFile, writeFile } from 'node:fs/promises';
import wavefile from 'wavefile';

const { WaveFile } = wavefile;
export const rate = 16_000;

/** The first channel of a WAV file. */
export function samplesOf(file: Uint8Array): Int16Array {
  const wave = new WaveFile(file);
  if (wave.bitDepth !== '16') wave.toBitDepth('16');
  // It would filter samples that have the rate already.
  if ((wave.fmt as { sampleRate: number }).sampleRate !== rate) wave.toSampleRate(rate);
  const channels = wave.getSamples(false, Int16Array) as unknown as Int16Array | Int16Array[];
  return Array.isArray(channels) ? channels[0]! : channels;
}

export const readWav = async (path: string): Promise<Int16Array> => samplesOf(await readFile(path));

export async function writeWav(path: string, samples: Int16Array): Promise<void> {
  const wave = new WaveFile();
  wave.fromScratch(1, rate, '16', samples);
  await writeFile(path, wave.toBuffer());
}

/** What `at` gives for each time, from -1 to 1. */
export const synthesize = (seconds: number, at: (time: number) => number): Int16Array =>
  Int16Array.from({ length: Math.round(seconds * rate) }, (_, i) => Math.round(32_767 * at(i / rate)));

/** Samples from -1 to 1, as the models take them. */
export const floats = (samples: Int16Array): Float32Array => Float32Array.from(samples, (sample) => sample / 32_768);
