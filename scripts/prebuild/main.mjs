#!/usr/bin/env node
// npm run addons -- [PLATFORM…]: compiles the addon and the plugin library for linux-x64 and linux-arm64 into packages/PLATFORM, and checks them.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reporter, SetupError } from '../install/process.mjs';
import { orExplain } from '../setup.mjs';
import { checkPlatform } from './check.mjs';
import { compile } from './compile.mjs';
import { writePackage } from './package.mjs';
import { platforms } from './platforms.mjs';
import { fetchZig } from './zig.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');

await orExplain(async () => {
  const given = process.argv.slice(2);
  const known = Object.keys(platforms);
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new SetupError(`expected ${known.join(' or ')}, given ${unknown}`);
  const step = reporter(false);
  const onWait = ({ pid }) => process.stderr.write(`node-tensorrt: waiting for process ${pid}\n`);
  const zig = await step('getting zig', () => fetchZig({ onWait }));
  for (const platform of given.length ? given : known) {
    const out = join(root, 'packages', platform);
    writePackage({ root, platform, zig });
    await step(`compiling for ${platform}`, () => compile({ root, platform, out, zig }));
    for (const line of await checkPlatform({ root, platform, out })) console.log(line);
  }
});
