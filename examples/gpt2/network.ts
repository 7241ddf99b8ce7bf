import { type Network, network, type Projection, splitQkv, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface Gpt2Config {
  layers: number;
  heads: number;
  /** Of the layer norms. */
  eps: number;
}

/** What the heads of layer `i` see: queries, keys and values are [batch, heads, tokens, size], and so is the result. */
export type Attend = (q: Tensor, k: Tensor, v: Tensor, i: number) => Tensor;

/** Softmax(q · kᵀ / √size) · v, but for the keys that are `hidden` from a query. Products are summed in float32, as in PyTorch. */
export function attention(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor): Tensor {
  const scores = q.matmul(k, { transposeB: true, useFp32Acc: true }).div(Math.sqrt(q.shape[3] as number));
  return scores.maskedFill(hidden, -1e4).softmax({ axis: -1 }).matmul(v, { useFp32Acc: true });
}

/** The sum of both embeddings. */
export const embed = (w: Weights, ids: Tensor, places: Tensor): Tensor =>
  ids.embedding({ weight: w.get('wte.weight') }).add(places.embedding({ weight: w.get('wpe.weight') }));

/** All blocks, by the names of transformers' GPT2Model. */
export function blocks(w: Weights, { layers, heads, eps }: Gpt2Config, embedded: Tensor, attend: Attend): Tensor {
  // Conv1D holds its weight as [in, out].
  const linear = (x: Tensor, { weight, bias }: Projection) => x.matmul(weight, { useFp32Acc: true }).add(bias!);
  const norm = (x: Tensor, name: string) => x.layerNorm({ ...w.layer(name), eps });
  let x = embedded;
  for (let i = 0; i < layers; i++) {
    const name = `h.${i}`;
    const normed = norm(x, `${name}.ln_1`);
    const fused = splitQkv(w.layer(`${name}.attn.c_attn`), { axis: 1 });
    const [q, k, v] = (['q', 'k', 'v'] as const).map((part) =>
      linear(normed, fused[part]).reshape([0, 0, heads, -1]).transpose([0, 2, 1, 3]),
    ) as [Tensor, Tensor, Tensor];
    const mixed = attend(q, k, v, i).transpose([0, 2, 1, 3]).reshape([0, 0, -1]);
    x = x.add(linear(mixed, w.layer(`${name}.attn.c_proj`)));
    const wide = linear(norm(x, `${name}.ln_2`), w.layer(`${name}.mlp.c_fc`)).gelu({ approximate: 'tanh' });
    x = x.add(linear(wide, w.layer(`${name}.mlp.c_proj`)));
  }
  return x;
}

/** Scores of all tokens of the vocabulary. */
export const logitsOf = (w: Weights, { eps }: Gpt2Config, x: Tensor): Tensor =>
  x.layerNorm({ ...w.layer('ln_f'), eps }).linear({ weight: w.get('wte.weight'), useFp32Acc: true });

/**
 * GPT-2 (Radford et al. 2019) with a cache of keys and values, by the names of transformers' GPT2LMHeadModel. It reads
 * `tokens` tokens after `past` ones: all of a prompt with an empty cache, later each new token with what is `present`.
 */
export function gpt2(weights: Weights, config: Gpt2Config, dtype: Precision): Network {
  const { layers, heads } = config;
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
  const x = blocks(w, config, embed(w, ids, places), (q, k, v, i) => {
    const keys = past[i]!.key.concat(k, { axis: 2 }).output(`present.${i}.key`);
    const values = past[i]!.value.concat(v, { axis: 2 }).output(`present.${i}.value`);
    return attention(q, keys, values, future);
  });
  logitsOf(w, config, x).output('logits');
  return net;
}

export const port: Port<Gpt2Config> = {
  name: 'gpt2',
  build: gpt2,
  profiles: [{ batch: [1, 2, 4], tokens: [1, 6, 64], past: [0, 10, 64] }],
  carried: (input) => input.replace('past', 'present'),
};
