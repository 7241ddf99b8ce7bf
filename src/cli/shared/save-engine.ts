import type { Engine } from '../../tensorrt/run/engine.js';

/** Whether the file is a container with metadata: one that ends in `.engine`. Any other is TensorRT's own plan. */
export const isContainer = (path: string): boolean => /\.engine$/i.test(path);

/** Writes an engine as the file's name says. */
export async function saveEngine(engine: Engine, path: string): Promise<void> {
  await engine.save(path, { metadata: isContainer(path) });
}
