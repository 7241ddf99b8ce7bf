import { Command } from 'commander';
import { install, nvrtcFor } from '../../machine/install.js';
import { findNvrtc } from '../../plugin/nvrtc.js';
import { cudaInfo, findTensorRT } from '../../tensorrt/library/find.js';

interface Flags {
  fetch: boolean;
  force?: boolean;
  nvrtc?: boolean;
}

/** `node-tensorrt install` */
export function installCommand(): Command {
  return new Command('install')
    .description('compile the addon, and fetch TensorRT-RTX (95 MB) unless a TensorRT that can build is found')
    .option('--no-fetch', 'only compile the addon')
    .option('--nvrtc', 'only fetch NVRTC and its headers (93 MB), which compile kernels of plugins')
    .option('--force', 'repeat what is already done, and fetch even if a TensorRT is found')
    .action(async ({ fetch, force, nvrtc }: Flags) => {
      if (nvrtc) return fetchNvrtc(force);
      const { addon } = await install({ fetch: false, force });
      console.log(`addon: ${addon}`);
      const usable = (await findTensorRT()).find((one) => one.usableFor.build);
      if (usable && !force) return console.log(`TensorRT: ${usable.path} (${usable.flavor} ${usable.version})`);
      if (fetch) console.log(`TensorRT: ${(await install({ force })).library}`);
    });
}

async function fetchNvrtc(force: boolean | undefined): Promise<void> {
  const { driver } = await cudaInfo();
  const usable = (await findNvrtc({ driver })).find((one) => one.refused === undefined && one.include !== null);
  if (usable && !force) return console.log(`NVRTC: ${usable.path} (${usable.version})`);
  console.log(`NVRTC: ${(await install({ fetch: false, nvrtc: await nvrtcFor(driver), force })).nvrtc}`);
}
