import { unsaved } from '../../tensorrt/files/save.js';
import type { Engine } from '../../tensorrt/run/engine.js';
import { requireFolder } from '../../write-file.js';

/** Whether the file is a container with metadata: one that ends in `.engine`. Any other is TensorRT's own plan. */
export const isContainer = (path: string): boolean => /\.engine$/i.test(path);

/** Before a build, which may take long: whether the engine can be written there at all. @throws ERR_SAVE */
export async function requireSavable(path: string): Promise<void> {
  await requireFolder(path).catch((cause) => {
    throw unsaved(path, cause);
  });
}

/** Writes an engine as the file's name says. */
export async function saveEngine(engine: Engine, path: string): Promise<void> {
  await engine.save(path, { metadata: isContainer(path) });
}
