import { Command } from 'commander';
import { install, nvrtcFor } from '../../machine/install.js';
import { findNvrtc } from '../../plugin/nvrtc.js';
import { binding } from '../../tensorrt/binding.js';
import { cudaInfo, findTensorRT } from '../../tensorrt/library/find.js';

interface Flags {
  fetch: boolean;
  force?: boolean;
  fromSource?: boolean;
  nvrtc?: boolean;
}

/** `node-tensorrt install` */
export function installCommand(): Command {
  return new Command('install')
    .description('fetch TensorRT-RTX (95 MB) unless a TensorRT that can build is found')
    .option('--from-source', 'first compile the addon, where no compiled one is to be had; needs a compiler and CMake')
    .option('--no-fetch', 'do not fetch TensorRT-RTX')
    .option('--nvrtc', 'only fetch NVRTC and its headers (93 MB), which compile kernels of plugins')
    .option('--force', 'repeat what is already done, and fetch even if a TensorRT is found')
    .action(async ({ fetch, force, fromSource, nvrtc }: Flags) => {
      if (nvrtc) return fetchNvrtc(force);
      if (fromSource) console.log(`addon: ${(await install({ fetch: false, fromSource, force })).addon}`);
      else binding();
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
