#!/usr/bin/env node
// npm run release -- --dry-run [--out DIR] [--addons DIR] [--keep]
// All of a release but the publishing, in a clone of what is committed: version and changelog, both addons, the packages,
// their installation as somebody new, checksums.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { capture, mustRun, reporter, SetupError } from '../install/process.mjs';
import { dependenciesAreFresh, installDependencies } from '../lib/dependencies.mjs';
import { orExplain } from '../setup.mjs';
import { writeChecksums } from './checksums.mjs';
import { newUser, npmScript, pack, smoke, timed, timesOf } from './fresh.mjs';
import { platforms } from './platforms.mjs';
import { serveTarballs } from './registry.mjs';
import { syncVersions } from './versions.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const step = reporter(false);

/** A clone of the commit that is checked out, with the dependencies of this checkout where they are the locked ones. */
async function cloneInto(dir) {
  await mustRun('cloning', 'git', ['clone', '--quiet', '--no-hardlinks', root, dir]);
  const { output } = await capture('git', ['status', '--porcelain'], { cwd: root });
  if (output.trim())
    process.stderr.write('node-tensorrt: changes that are not committed are not part of the release\n');
  if (dependenciesAreFresh(root)) symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  else await installDependencies(dir);
}

/** Lets changesets choose the version and write the changelog. Without changesets the version stays. */
async function setVersion(dir) {
  const bin = join(dir, 'node_modules', '@changesets', 'cli', 'bin.js');
  await mustRun('changeset version', process.execPath, [bin, 'version'], { cwd: dir });
  const version = syncVersions(dir);
  const changelog = readFileSync(join(dir, 'CHANGELOG.md'), 'utf8');
  if (!changelog.includes(`## ${version}\n`)) throw new SetupError(`CHANGELOG.md has nothing about ${version}`);
  return version;
}

async function buildAddons(dir, addons) {
  if (!addons) return mustRun('npm run addons', process.execPath, ['scripts/prebuild/main.mjs'], { cwd: dir });
  for (const { platform, folder } of platforms) {
    const from = join(addons, platform);
    if (!existsSync(from)) throw new SetupError(`expected ${platform} in ${addons}`);
    // package.json is that of the commit, with the new version.
    const filter = (path) => !path.endsWith('package.json') || !existsSync(join(dir, folder, 'package.json'));
    cpSync(from, join(dir, folder), { recursive: true, filter });
  }
}

async function installAsNewUser(tarballs) {
  const user = newUser('npm');
  const registry = await serveTarballs(tarballs);
  try {
    const args = [npmScript(), 'install', '--registry', registry.origin, '--no-audit', '--no-fund', 'node-tensorrt'];
    const install = await timed('npm install', process.execPath, args, { cwd: user.project, env: user.env });
    return timesOf('npm', install, await smoke(user));
  } finally {
    registry.close();
    rmSync(user.dir, { recursive: true, force: true });
  }
}

await orExplain(async () => {
  const options = {
    'dry-run': { type: 'boolean', default: false },
    out: { type: 'string', default: join(root, '.release') },
    addons: { type: 'string' },
    keep: { type: 'boolean', default: false },
  };
  const { values } = parseArgs({ options });
  if (!values['dry-run'])
    throw new SetupError('expected --dry-run: .github/workflows/release.yml publishes, with the provenance of npm');
  const out = resolve(values.out);
  const dir = mkdtempSync(join(tmpdir(), 'node-tensorrt-release-'));
  try {
    await step('cloning', () => cloneInto(dir));
    const version = await step('version and changelog', () => setVersion(dir));
    await step('compiling the addons', () => buildAddons(dir, values.addons && resolve(values.addons)));
    syncVersions(dir);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const folders = [...platforms.map(({ folder }) => join(dir, folder)), dir];
    const tarballs = [];
    for (const folder of folders)
      tarballs.push(await step(`packing ${folder === dir ? 'node-tensorrt' : folder}`, () => pack(folder, out)));
    const lines = await step('installing as somebody new', () => installAsNewUser(tarballs));
    console.log(`node-tensorrt ${version}\n${lines}\n${writeChecksums(out, tarballs)}`);
  } finally {
    if (values.keep) process.stderr.write(`node-tensorrt: kept ${dir}\n`);
    else rmSync(dir, { recursive: true, force: true });
  }
});
