#!/usr/bin/env node
// npm run test:managers [-- NAME…]: installs the packages of `npm run release -- --dry-run` with npm, pnpm, yarn (1 and 4) and
// bun, each in an empty project, and uses them.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun, SetupError } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';
import { orExplain } from '../setup.mjs';
import { newUser, npmScript, smoke, timed, timesOf } from './fresh.mjs';
import { serveTarballs } from './registry.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const tools = join(cacheDir(), 'package-managers');
const inTools = (...path) => join(tools, 'node_modules', ...path);
const packages = ['pnpm@12.21.0', 'yarn@1.22.22', '@yarnpkg/cli-dist@4.18.1', 'bun@1.4.5'];

/** How each installs from a registry. None is told to run scripts. */
const managers = {
  npm: ({ origin }) => ({ args: [npmScript(), 'install', 'node-tensorrt', '--registry', origin] }),
  pnpm: ({ origin }) => ({
    args: [inTools('pnpm', 'bin', 'pnpm.mjs'), 'add', 'node-tensorrt', `--config.registry=${origin}/`],
  }),
  'yarn 1': ({ origin }) => ({
    args: [inTools('yarn', 'bin', 'yarn.js'), 'add', 'node-tensorrt', '--registry', origin],
  }),
  'yarn 4': ({ origin }) => ({
    args: [inTools('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'add', 'node-tensorrt'],
    run: [process.execPath, inTools('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'node'],
    files: {
      '.yarnrc.yml': `npmRegistryServer: "${origin}"\nunsafeHttpWhitelist: ["127.0.0.1"]\nenableTelemetry: false\n`,
      'yarn.lock': '',
    },
  }),
  bun: ({ origin }) => ({
    command: inTools('@oven', 'bun-linux-x64', 'bin', 'bun'),
    args: ['add', 'node-tensorrt', '--registry', origin],
  }),
};

async function obtainManagers() {
  if (existsSync(inTools('bun'))) return;
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{ "private": true }\n');
  const args = [npmScript(), 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...packages];
  await mustRun('fetching the package managers', process.execPath, args, { cwd: tools });
}

async function tryManager(name, tarballs) {
  const user = newUser(name.replace(' ', '-'));
  const registry = await serveTarballs(tarballs);
  try {
    const { command = process.execPath, args, run, files = {} } = managers[name](registry);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(user.project, path), text);
    const install = await timed(`${name}’s installation`, command, args, { cwd: user.project, env: user.env });
    const asks = install.output.split('\n').find((line) => /build scripts|blocked \d+ postinstall|approve/i.test(line));
    if (asks) throw new SetupError(`expected ${name} to have no script to ask about, given: ${asks}`);
    console.log(timesOf(name, install, await smoke(user, run)));
  } finally {
    registry.close();
    rmSync(user.dir, { recursive: true, force: true });
  }
}

await orExplain(async () => {
  const given = process.argv.slice(2);
  const unknown = given.find((name) => !(name in managers));
  if (unknown) throw new SetupError(`expected ${Object.keys(managers).join(', ')}, given ${unknown}`);
  const out = join(root, '.release');
  const tarballs = existsSync(out) ? readdirSync(out).filter((name) => name.endsWith('.tgz')) : [];
  if (tarballs.length === 0) throw new SetupError('no packages here; make them first: npm run release -- --dry-run');
  await obtainManagers();
  for (const name of given.length > 0 ? given : Object.keys(managers))
    await tryManager(
      name,
      tarballs.map((one) => join(out, one)),
    );
});
