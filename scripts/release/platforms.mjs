/** The platforms with a prebuilt addon, each a package of its own. */
export const platforms = ['linux-x64', 'linux-arm64'].map((platform) => ({
  platform,
  name: `@node-tensorrt/${platform}`,
  folder: `packages/${platform}`,
}));
