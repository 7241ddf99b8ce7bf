// GPT-2 with a KV cache from transformers's weights: node scripts/run.mjs tsx examples/gpt2/main.ts [--full --float16 --json]
import { main } from '../run.js';
import { port } from './network.js';

await main(port);
