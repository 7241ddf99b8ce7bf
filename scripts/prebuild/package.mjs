import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ADDON, GLIBC, PLUGINS, platforms } from './platforms.mjs';

/**
 * The committed files of `packages/PLATFORM`: every platform's come from here, and a test holds them to it.
 * @returns {Record<string, string>} contents by name
 */
export function packageFiles(root, platform) {
  const main = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { cpu, processor } = platforms[platform];
  const json = {
    name: `@${main.name}/${platform}`,
    version: main.version,
    description: `The compiled addon of ${main.name} for Linux on ${cpu}`,
    license: main.license,
    repository: main.repository && { ...main.repository, directory: `packages/${platform}` },
    engines: main.engines,
    os: ['linux'],
    cpu: [cpu],
    libc: ['glibc'],
    main: ADDON,
    files: [ADDON, PLUGINS, 'THIRD-PARTY.md', 'licenses'],
    publishConfig: { access: 'public' },
  };
  return {
    'package.json': `${JSON.stringify(json, null, 2)}\n`,
    'README.md': `# ${json.name}

The compiled addon of [${main.name}](https://www.npmjs.com/package/${main.name}) for Linux on ${processor} with glibc ${GLIBC} or later.
npm installs it with \`${main.name}\`; it is of no use by itself.
`,
    LICENSE: readFileSync(join(root, 'LICENSE'), 'utf8'),
    'THIRD-PARTY.md': `# What is linked in

Apart from code of ${main.name}, the binaries contain parts of these. \`licenses/\` has the text of each licence.

| part | licence |
| --- | --- |
| LLVM's libc++, libc++abi and libunwind | Apache-2.0 WITH LLVM-exception |
| Zig's compiler-rt | MIT |
| node-addon-api (\`${ADDON}\` only) | MIT |

They load glibc and Node-API from the machine they run on, and contain neither. TensorRT and CUDA are not in this package either: they are loaded at run time.
`,
  };
}

/** Licences of others, copied from what is linked in. */
function licences(root, zig) {
  const addonApi = dirname(createRequire(join(root, 'package.json')).resolve('node-addon-api/package.json'));
  return {
    'llvm.txt': join(zig.folder, 'lib', 'libcxx', 'LICENSE.TXT'),
    'zig.txt': join(zig.folder, 'LICENSE'),
    'node-addon-api.txt': join(addonApi, 'LICENSE.md'),
  };
}

/** Writes everything of a package but its binaries. */
export function writePackage({ root, platform, zig }) {
  const dir = join(root, 'packages', platform);
  mkdirSync(join(dir, 'licenses'), { recursive: true });
  for (const [name, text] of Object.entries(packageFiles(root, platform))) writeFileSync(join(dir, name), text);
  for (const [name, path] of Object.entries(licences(root, zig))) copyFileSync(path, join(dir, 'licenses', name));
}
