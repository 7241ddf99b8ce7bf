import { float32, type Network, network, type Weights } from 'node-tensorrt';

/** Samples of a chunk at 16 kHz, after `context` samples of the chunk before. */
export const [chunk, context] = [512, 64];
export const units = 128;

/**
 * Silero VAD 6 (MIT) at 16 kHz, by the names of the package's safetensors: a chunk goes in, the probability that somebody speaks
 * comes out. What it gives as `next.X` is its input `X` of the chunk after.
 */
export function sileroVad(w: Weights): Network {
  const net = network('silero-vad');
  const samples = net.input('samples', float32('batch', 1, context + chunk));
  const hidden = net.input('hidden', float32('batch', units));
  const cell = net.input('cell', float32('batch', units));
  // The short-time Fourier transform: real parts, then imaginary parts, of 129 frequencies.
  const stft = samples.pad({ padding: [0, 64], mode: 'reflect' }).conv1d({ ...w.layer('stft_conv'), stride: 128 });
  const [real, imaginary] = stft.chunk(2, { axis: 1 });
  let x = real!.square().add(imaginary!.square()).sqrt();
  for (const [i, stride] of [1, 2, 2, 1].entries())
    x = x.conv1d({ ...w.layer(`conv${i + 1}`), stride, padding: 1 }).relu();
  // One step of an LSTM.
  const gates = (what: 'ih' | 'hh') => ({
    weight: w.get(`lstm_cell.weight_${what}`),
    bias: w.get(`lstm_cell.bias_${what}`),
  });
  const [i, f, g, o] = x
    .squeeze(2)
    .linear(gates('ih'))
    .add(hidden.linear(gates('hh')))
    .chunk(4, { axis: 1 });
  const kept = f!.sigmoid().mul(cell).add(i!.sigmoid().mul(g!.tanh())).output('next.cell');
  const state = o!.sigmoid().mul(kept.tanh()).output('next.hidden');
  state.unsqueeze(2).relu().conv1d(w.layer('final_conv')).sigmoid().reshape([-1]).output('speech');
  return net;
}
