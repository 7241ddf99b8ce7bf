import { binding } from '../binding.js';
import { openEngine } from './open.js';
import type { EngineFile } from './read.js';
import { savePlan } from './save.js';

/**
 * Writes the plan of an engine file, which every tool of TensorRT loads. Checksums are compared first. It needs no TensorRT.
 * @throws ERR_LOAD, ERR_ENGINE_FILE, ERR_SAVE
 */
export async function extractPlan(from: string, to: string): Promise<EngineFile> {
  const { handle, format, metadata, plan } = await openEngine(from);
  try {
    await savePlan({ path: to, metadata: undefined }, handle, plan.bytes);
    return { format, metadata, plan };
  } finally {
    await binding().release(handle);
  }
}
