// HRNet-W18 from timm's weights: node scripts/run.mjs tsx examples/hrnet/main.ts [--full --float16 --json]
import { main } from '../run.js';
import { port } from './network.js';

await main(port);
