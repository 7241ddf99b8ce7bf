import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TensorRTError } from './errors/error.js';

/** Path of the compiled addon. */
export const addonPath = fileURLToPath(new URL('../build/Release/node_tensorrt.node', import.meta.url));

let loaded: { shutdown(): void } | undefined;

/**
 * The compiled addon. Nothing else loads the .node file. `tensorrt/binding.ts` and `weights/binding.ts` each type the part
 * they use, so weights stay independent of TensorRT.
 * @throws ERR_ADDON_MISSING if it is not compiled
 */
export function addon<T>(): T {
  if (loaded) return loaded as T;
  const require = createRequire(import.meta.url);
  try {
    loaded = require(addonPath) as { shutdown(): void };
    process.on('exit', () => loaded?.shutdown());
  } catch (cause) {
    const fix = addonPath.includes('/node_modules/') ? 'npx node-tensorrt install --no-fetch' : 'npm run build';
    throw new TensorRTError(
      'ERR_ADDON_MISSING',
      `The native addon could not be loaded from ${addonPath}: ${(cause as Error).message.split('\n', 1)[0]}; compile it with: ${fix}`,
      { cause },
    );
  }
  return loaded as T;
}
