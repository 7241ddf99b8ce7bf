import { platforms as compiled } from '../prebuild/platforms.mjs';

/** The packages with a prebuilt addon. */
export const platforms = Object.keys(compiled).map((platform) => ({
  platform,
  name: `@node-tensorrt/${platform}`,
  folder: `packages/${platform}`,
}));
