import { binding } from '../../src/tensorrt/binding.js';
import type { EngineMetadata } from '../../src/tensorrt/files/metadata.js';
import { savePlan } from '../../src/tensorrt/files/save.js';

/** Writes an engine file with metadata around bytes that stand for a plan. */
export async function writeContainer(path: string, metadata: unknown, plan: Uint8Array): Promise<void> {
  const handle = binding().planOf(plan);
  try {
    await savePlan({ path, metadata: metadata as EngineMetadata }, handle, plan.byteLength);
  } finally {
    await binding().release(handle);
  }
}
