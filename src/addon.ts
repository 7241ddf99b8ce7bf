import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TensorRTError } from './errors/error.js';

/** Where the compiled addon stands. */
export const addonPath = fileURLToPath(new URL('../build/Release/node_tensorrt.node', import.meta.url));

let loaded: { shutdown(): void } | undefined;

/**
 * The compiled addon. Nothing else loads the .node file: `tensorrt/binding.ts` and `weights/binding.ts` give it the types
 * of what they use, so that weights need to know nothing of TensorRT.
 * @throws ERR_ADDON_MISSING when it has not been compiled
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
