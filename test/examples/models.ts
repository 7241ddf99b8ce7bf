import { expect, test } from 'vitest';
import { port as bert } from '../../examples/bert/network.js';
import { port as unet } from '../../examples/diffusion/unet/network.js';
import { port as vae } from '../../examples/diffusion/vae/network.js';
import { port as gpt2 } from '../../examples/gpt2/network.js';
import { port as hrnet } from '../../examples/hrnet/network.js';
import { port as resnet50 } from '../../examples/resnet50/network.js';
import { evaluate, type Port, type Precision, type Report, type RunOptions } from '../../examples/run.js';
import { port as yolov8 } from '../../examples/yolov8/network.js';

export const ports = [resnet50, bert, gpt2, hrnet, yolov8] as readonly Port<never>[];
/** Their engines take long to build: `npm run test:examples`. */
export const diffusion = [unet, vae] as readonly Port<never>[];

/** Largest relative difference from PyTorch. */
export const tolerance: Record<Precision, number> = { float32: 1e-3, float16: 2e-2 };

/** Every model in both precisions, against PyTorch's results. */
export function testModels(
  check: (report: Report) => void,
  options: RunOptions = {},
  those: readonly Port<never>[] = ports,
): void {
  const variants = those.flatMap((port) =>
    (Object.keys(tolerance) as Precision[]).map((precision) => ({ name: port.name, port, precision })),
  );
  test.each(variants)('$name in $precision', { timeout: 300_000 }, async ({ port, precision }) => {
    const report = await evaluate(port, { ...options, precision });
    for (const [output, difference] of Object.entries(report.differences)) {
      expect(difference, output).toBeLessThan(tolerance[precision]);
      expect(report.unlike[output], `${output} of another item`).toBeGreaterThan(0.1);
    }
    check(report);
  });
}
