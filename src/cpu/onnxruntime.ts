import { readFileSync } from 'node:fs';
import { loadOnnxruntime, manifest } from './runtime.js';

/** Whether onnxruntime-node is installed. `version` is null if it is missing or does not load; `error` says why. */
export interface OnnxruntimeState {
  /** Version of the package; null if it cannot be loaded. */
  version: string | null;
  /** Why it cannot be used; null if it can. */
  error: string | null;
}

/** Looks for onnxruntime-node; never throws. */
export async function onnxruntimeState(): Promise<OnnxruntimeState> {
  try {
    const { version } = JSON.parse(readFileSync(manifest(), 'utf8'));
    await loadOnnxruntime();
    return { version, error: null };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { version: null, error: code === 'MODULE_NOT_FOUND' ? 'not installed' : message };
  }
}
