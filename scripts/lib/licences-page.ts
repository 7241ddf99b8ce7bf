import { readFileSync } from 'node:fs';

interface Locked {
  version: string;
  license?: string;
  dev?: boolean;
  peer?: boolean;
  devOptional?: boolean;
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

/** What each direct dependency is needed for. */
const uses: Record<string, string> = {
  'cli-progress': 'progress of long commands',
  'cli-table3': 'tables that commands print',
  commander: 'the command line',
  picocolors: 'colours of what commands print',
  undici: '`node-tensorrt install`: proxies and certificates, which the `fetch` of Node 20 to 22 cannot be given',
  yauzl: '`node-tensorrt install` unpacks wheels',
  zod: 'options and graphs are checked',
};

/** LICENSES.md: every package that `npm install node-tensorrt` brings along. Its licence is what its own package.json says. */
export function licencesPage(): string {
  const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
  const locked = Object.entries(read('package-lock.json').packages as Record<string, Locked>);
  const installed = locked.filter(([path, { dev, peer, devOptional }]) => path && !dev && !peer && !devOptional);
  const rows = installed.map(([path, { version }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { license } = read(`${path}/package.json`) as { license?: string };
    if (!license) throw new Error(`${name} ${version} names no licence`);
    const why = name in dependencies ? uses[name] : 'needed by those';
    if (!why) throw new Error(`${name}: say what it is needed for in scripts/lib/licences-page.ts`);
    return { name, direct: name in dependencies, line: `| ${name} ${version} | ${license} | ${why} |` };
  });
  rows.sort((a, b) => Number(b.direct) - Number(a.direct) || (a.name < b.name ? -1 : 1));
  return `<!-- Made by npm run docs:licences. -->

# Licences of what is installed

node-tensorrt is under the Apache License 2.0. These packages come with it:

| package | licence | for |
| --- | --- | --- |
${rows.map(({ line }) => line).join('\n')}

The compiled addons, \`@node-tensorrt/…\`, say in their THIRD-PARTY.md what is linked into them. TensorRT and NVRTC are NVIDIA's and under NVIDIA's licences: they
are not part of any package of ours, and \`npx node-tensorrt install\` fetches them from PyPI when you run it.
`;
}
