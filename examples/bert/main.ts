// BERT from transformers's weights: node scripts/run.mjs tsx examples/bert/main.ts [--full --float16 --json]
import { main } from '../run.js';
import { port } from './network.js';

await main(port);
