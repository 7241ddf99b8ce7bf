// A VAE decoder from diffusers's weights: node scripts/run.mjs tsx examples/diffusion/vae/main.ts [--float16 --json]
import { main } from '../../run.js';
import { port } from './network.js';

await main(port);
