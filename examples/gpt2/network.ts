import { type Network, network, type Projection, splitQkv, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface Gpt2Config {
  layers: number;
  heads: number;
  /** Of the layer norms. */
  eps: number;
}

/**
 * GPT-2 (Radford et al. 2019) with a cache of keys and values, by the names of transformers' GPT2LMHeadModel. It reads
 * `tokens` tokens after `past` ones: all of a prompt with an empty cache, later each new token with what is `present`.
 * Products are summed in float32, as in PyTorch.
 */
export function gpt2(weights: Weights, { layers, heads, eps }: Gpt2Config, dtype: Precision): Network {
  const w = weights.as(dtype).scope('transformer');
  const [positions, features] = w.get('wpe.weight').shape as [number, number];
  const net = network('gpt2');
  const ids = net.input('input_ids', { dtype: 'int32', shape: ['batch', 'tokens'] });
  const past = Array.from({ length: layers }, (_, i) => {
    const cache = (what: string) =>
      net.input(`past.${i}.${what}`, { dtype, shape: ['batch', heads, 'past', features / heads] });
    return { key: cache('key'), value: cache('value') };
  });
  const numbers = net.constant(Int32Array.from({ length: positions }, (_, i) => i));
  const places = numbers.narrow(0, 'past', 'tokens');
  const future = numbers.narrow(0, 0, 'past + tokens').unsqueeze(0).gt(places.unsqueeze(1)).unsqueeze([0, 1]);

  // Conv1D holds its weight as [in, out].
  const useFp32Acc = true;
  const linear = (x: Tensor, { weight, bias }: Projection) => x.matmul(weight, { useFp32Acc }).add(bias!);
  const norm = (x: Tensor, name: string) => x.layerNorm({ ...w.layer(name), eps });
  const attention = (x: Tensor, name: string, { key, value }: { key: Tensor; value: Tensor }, i: number) => {
    const fused = splitQkv(w.layer(`${name}.c_attn`), { axis: 1 });
    const [q, k, v] = (['q', 'k', 'v'] as const).map((part) =>
      linear(x, fused[part]).reshape([0, 0, heads, -1]).transpose([0, 2, 1, 3]),
    ) as [Tensor, Tensor, Tensor];
    const keys = key.concat(k, { axis: 2 }).output(`present.${i}.key`);
    const values = value.concat(v, { axis: 2 }).output(`present.${i}.value`);
    const scores = q.matmul(keys, { transposeB: true, useFp32Acc }).div(Math.sqrt(features / heads));
    const mixed = scores.maskedFill(future, -1e4).softmax({ axis: -1 }).matmul(values, { useFp32Acc });
    return linear(mixed.transpose([0, 2, 1, 3]).reshape([0, 0, -1]), w.layer(`${name}.c_proj`));
  };

  const table = w.get('wte.weight');
  let x = ids.embedding({ weight: table }).add(places.embedding({ weight: w.get('wpe.weight') }));
  for (const [i, cache] of past.entries()) {
    const name = `h.${i}`;
    x = x.add(attention(norm(x, `${name}.ln_1`), `${name}.attn`, cache, i));
    const wide = linear(norm(x, `${name}.ln_2`), w.layer(`${name}.mlp.c_fc`)).gelu({ approximate: 'tanh' });
    x = x.add(linear(wide, w.layer(`${name}.mlp.c_proj`)));
  }
  norm(x, 'ln_f').linear({ weight: table, useFp32Acc }).output('logits');
  return net;
}

export const port: Port<Gpt2Config> = {
  name: 'gpt2',
  build: gpt2,
  profiles: [{ batch: [1, 2, 4], tokens: [1, 6, 64], past: [0, 10, 64] }],
  carried: (input) => input.replace('past', 'present'),
};
