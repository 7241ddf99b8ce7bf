import type { Tensor } from '../../src/index.js';
import type { Stored } from '../layers/fixture.js';
import type { LayerCase } from '../layers/harness.js';

const [heads, groups, size, eps] = [4, 2, 4, 1e-6];

type Weights = Readonly<Record<string, Stored>>;

/** A position sees itself and those before it, except padding. */
function maskOf(kept: Tensor): Tensor {
  const at = kept.network.arange(kept.dim(1));
  return at
    .unsqueeze(1)
    .ge(at)
    .logicalAnd(kept.unsqueeze([1, 2]));
}

/** Cosines and sines of the angles of every position, [1, tokens, size / 2]. */
function anglesOf(ids: Tensor): { cos: Tensor; sin: Tensor } {
  const rates = Float32Array.from({ length: size / 2 }, (_, i) => 10000 ** ((-2 * i) / size));
  const angles = ids.network.arange(ids.dim(1), { dtype: 'float32' }).unsqueeze([0, 2]).mul(rates);
  return { cos: angles.cos(), sin: angles.sin() };
}

function layer(x: Tensor, w: Weights, at: string, mask: Tensor, angles: ReturnType<typeof anglesOf>): Tensor {
  const linear = (y: Tensor, name: string) => y.linear({ weight: w[`${at}.${name}.weight`]! });
  const norm = (y: Tensor, name: string) => y.rmsNorm({ weight: w[`${at}.${name}.weight`]!, eps });
  const split = (y: Tensor, count: number) => y.unflatten(-1, [count, size]).transpose(1, 2);
  const y = norm(x, 'input_layernorm');
  const [q, k, v] = [heads, groups, groups].map((n, i) => split(linear(y, `self_attn.${'qkv'[i]}_proj`), n));
  const attended = q!.rotaryEmbedding(angles).attention(k!.rotaryEmbedding(angles), v!, { mask });
  const z = x.add(linear(attended.transpose(1, 2).flatten({ startDim: 2 }), 'self_attn.o_proj'));
  const inner = norm(z, 'post_attention_layernorm');
  return z.add(linear(linear(inner, 'mlp.gate_proj').silu().mul(linear(inner, 'mlp.up_proj')), 'mlp.down_proj'));
}

function llama(ids: Tensor, kept: Tensor, w: Weights): Tensor {
  const [mask, angles] = [maskOf(kept), anglesOf(ids)];
  let x = ids.embedding({ weight: w['model.embed_tokens.weight']! });
  for (let i = 0; w[`model.layers.${i}.input_layernorm.weight`]; i++)
    x = layer(x, w, `model.layers.${i}`, mask, angles);
  return x.rmsNorm({ weight: w['model.norm.weight']!, eps }).linear({ weight: w['lm_head.weight']! });
}

export const cases: LayerCase[] = [
  {
    name: 'left_padded',
    build: ({ ids, kept }, weights) => llama(ids!, kept!, weights),
    dynamic: { ids: ['batch', 'tokens'], kept: ['batch', 'tokens'] },
  },
];
