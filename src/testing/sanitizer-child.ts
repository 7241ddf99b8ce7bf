// What compute-sanitizer runs: kernels alone, by the driver API. No TensorRT is loaded in this process.
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { pluginBinding } from '../plugin/binding.js';
import { type ChildMessage, childMark, type LaunchJob } from './sanitizer-job.js';

// compute-sanitizer and the kernels' printf write to the standard output.
const say = (message: ChildMessage) => process.stderr.write(`${childMark}${JSON.stringify(message)}\n`);

async function main(): Promise<void> {
  const job = deserialize(readFileSync(0)) as LaunchJob;
  for (const [index, { plugin, inputs, tactic }] of job.launches.entries()) {
    say({ launching: index });
    await pluginBinding().launchRecipe(job.device, plugin, inputs, tactic);
  }
  const libraries = readFileSync('/proc/self/maps', 'utf8').match(/\S*(?:libnvinfer|libtensorrt)\S*/g) ?? [];
  say({ ended: true, tensorrt: [...new Set(libraries)] });
}

main().catch((error: Error) => say({ failed: error.message }));
