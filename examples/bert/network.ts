import { int32, type Network, network, type Tensor, type Weights } from 'node-tensorrt';
import type { Port, Precision } from '../run.js';

export interface BertConfig {
  layers: number;
  heads: number;
  /** Of the layer norms. */
  eps: number;
}

/** Indices of words, 1 where there is one, and which sentence it belongs to: int32 [batch, tokens]. */
type Tokens = Record<'ids' | 'mask' | 'types', Tensor>;

// Products are summed in float32, as in PyTorch.
const useFp32Acc = true;

/** BERT's encoder (Devlin et al. 2018), by the names of transformers' BertModel. */
export function encoder(w: Weights, { layers, heads, eps }: BertConfig, { ids, mask, types }: Tokens): Tensor {
  const linear = (x: Tensor, name: string) => x.linear({ ...w.layer(name), useFp32Acc });
  const norm = (x: Tensor, name: string) => x.layerNorm({ ...w.layer(name), eps });
  const attention = (x: Tensor, name: string) => {
    const split = (part: string) =>
      linear(x, `${name}.self.${part}`).reshape([0, 0, heads, -1]).transpose([0, 2, 1, 3]);
    const [q, k, v] = [split('query'), split('key'), split('value')];
    const scores = q.matmul(k, { transposeB: true, useFp32Acc }).div(Math.sqrt(k.shape[3] as number));
    const mixed = scores.maskedFill(padding, -1e4).softmax({ axis: -1 }).matmul(v, { useFp32Acc });
    return linear(mixed.transpose([0, 2, 1, 3]).reshape([0, 0, -1]), `${name}.output.dense`);
  };

  const padding = mask.eq(0).unsqueeze([1, 2]);
  const table = (name: string) => w.get(`embeddings.${name}_embeddings.weight`);
  const positions = ids.network.constant(table('position')).narrow(0, 0, ids.dim(1));
  const words = ids.embedding({ weight: table('word') }).add(types.embedding({ weight: table('token_type') }));
  let x = norm(words.add(positions.unsqueeze(0)), 'embeddings.LayerNorm');
  for (let i = 0; i < layers; i++) {
    const name = `encoder.layer.${i}`;
    x = norm(x.add(attention(x, `${name}.attention`)), `${name}.attention.output.LayerNorm`);
    const wide = linear(x, `${name}.intermediate.dense`).gelu();
    x = norm(x.add(linear(wide, `${name}.output.dense`)), `${name}.output.LayerNorm`);
  }
  return x;
}

/** The encoder and the pooler. */
export function bert(weights: Weights, config: BertConfig, dtype: Precision): Network {
  const w = weights.as(dtype);
  const net = network('bert');
  const input = (name: string) => net.input(name, int32('batch', 'tokens'));
  const [ids, mask, types] = [input('input_ids'), input('attention_mask'), input('token_type_ids')];
  const x = encoder(w, config, { ids, mask, types }).output('last_hidden_state');
  const first = x.select(1, 0).linear({ ...w.layer('pooler.dense'), useFp32Acc });
  first.tanh().output('pooler_output');
  return net;
}

export const port: Port<BertConfig> = {
  name: 'bert',
  build: bert,
  profiles: [{ batch: [1, 3, 8], tokens: [1, 12, 64] }],
};
