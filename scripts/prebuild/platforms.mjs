/** The oldest glibc that the binaries load with: Debian 10, Ubuntu 20.04, RHEL 8. */
export const GLIBC = '2.28';

/** What is compiled for each platform, and what `packages/PLATFORM` is for. `machine` is readelf's word. */
export const platforms = {
  'linux-x64': { cpu: 'x64', processor: 'x86_64', machine: 'Advanced Micro Devices X86-64' },
  'linux-arm64': { cpu: 'arm64', processor: 'aarch64', machine: 'AArch64' },
};

export const ADDON = 'node_tensorrt.node';
export const PLUGINS = 'libnode_tensorrt_plugins.so';
