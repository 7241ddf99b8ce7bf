import { int32, type Network, network, type Weights } from 'node-tensorrt';
import { type BertConfig, encoder } from '../bert/network.js';

/** all-MiniLM-L6-v2 of sentence-transformers: BERT, the mean over the words of a sentence, scaled to length 1. */
export function miniLm(w: Weights, config: BertConfig): Network {
  const net = network('minilm');
  const ids = net.input('ids', int32('batch', 'tokens'));
  const mask = net.input('mask', int32('batch', 'tokens'));
  const words = encoder(w, config, { ids, mask, types: ids.zerosLike() });
  const counts = mask.cast('float32').unsqueeze(2);
  const sum = words.mul(counts).sum({ axes: 1 });
  sum
    .div(counts.sum({ axes: 1 }))
    .normalize()
    .output('embedding');
  return net;
}
