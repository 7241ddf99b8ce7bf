import { Command } from 'commander';
import { findTensorRT } from '../../tensorrt/library/find.js';
import { install } from '../../tensorrt/library/install.js';

interface Flags {
  fetch: boolean;
  force?: boolean;
}

/** `node-tensorrt install` */
export function installCommand(): Command {
  return new Command('install')
    .description('compile the addon, and fetch TensorRT-RTX (95 MB) unless a TensorRT that can build is found')
    .option('--no-fetch', 'only compile the addon')
    .option('--force', 'repeat what is already done, and fetch even if a TensorRT is found')
    .action(async ({ fetch, force }: Flags) => {
      const { addon } = await install({ fetch: false, force });
      console.log(`addon: ${addon}`);
      const usable = (await findTensorRT()).find((one) => one.usableFor.build);
      if (usable && !force) return console.log(`TensorRT: ${usable.path} (${usable.flavor} ${usable.version})`);
      if (fetch) console.log(`TensorRT: ${(await install({ force })).library}`);
    });
}
