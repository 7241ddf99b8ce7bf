// A U-Net from diffusers's weights: node scripts/run.mjs tsx examples/diffusion/unet/main.ts [--float16 --json]
import { main } from '../../run.js';
import { port } from './network.js';

await main(port);
