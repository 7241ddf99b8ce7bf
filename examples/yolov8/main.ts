// A detector like YOLOv8 from PyTorch's weights: node scripts/run.mjs tsx examples/yolov8/main.ts [--full --float16 --json]
import { main } from '../run.js';
import { port } from './network.js';

await main(port);
