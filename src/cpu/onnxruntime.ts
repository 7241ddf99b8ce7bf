import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Whether onnxruntime-node is installed. `version` is null if it is missing or does not load; `error` says why. */
export interface OnnxruntimeState {
  version: string | null;
  error: string | null;
}

/** Looks for onnxruntime-node; never throws. */
export async function onnxruntimeState(): Promise<OnnxruntimeState> {
  const require = createRequire(import.meta.url);
  try {
    const { version } = JSON.parse(readFileSync(require.resolve('onnxruntime-node/package.json'), 'utf8'));
    await import('onnxruntime-node');
    return { version, error: null };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { version: null, error: code === 'MODULE_NOT_FOUND' ? 'not installed' : message };
  }
}
