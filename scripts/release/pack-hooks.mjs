#!/usr/bin/env node
// pack-hooks.mjs before|after: what `npm pack` changes in a clone, and takes back.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeAtomic } from '../install/files.mjs';
import { reporter } from '../install/process.mjs';
import { packSource, removePackedSource } from '../install/source.mjs';
import { dependenciesAreFresh, installDependencies } from '../lib/dependencies.mjs';
import { compileDist, distIsFresh } from '../lib/dist.mjs';
import { orExplain } from '../setup.mjs';
import { platforms } from './platforms.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const path = join(root, 'package.json');

/** The addons are named only in what is packed: npm cannot lock a version that is not published yet. */
function nameAddons(named) {
  const { optionalDependencies, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  if (named) manifest.optionalDependencies = Object.fromEntries(platforms.map(({ name }) => [name, manifest.version]));
  writeAtomic(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

await orExplain(async () => {
  const [when] = process.argv.slice(2);
  if (when === 'after') {
    removePackedSource(root);
    return nameAddons(false);
  }
  if (process.env.NODE_TENSORRT_SKIP_SETUP !== '1') {
    const step = reporter(process.env.npm_config_loglevel === 'silent');
    if (!dependenciesAreFresh(root)) await step('installing the dependencies', () => installDependencies(root));
    if (!distIsFresh(root)) await step('compiling TypeScript', () => compileDist(root));
  }
  packSource(root);
  nameAddons(true);
});
