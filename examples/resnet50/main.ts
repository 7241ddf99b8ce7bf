// ResNet-50 from torchvision's weights: node scripts/run.mjs tsx examples/resnet50/main.ts [--full --float16 --json]
import { main } from '../run.js';
import { port } from './network.js';

await main(port);
