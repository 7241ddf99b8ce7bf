#!/usr/bin/env node
// npm run test:arm64 -- [--all | CASE…]: runs the addon for linux-arm64 in an emulator, with NVIDIA's library for arm64. Its plans must have
// the hashes that NVIDIA's bindings make on x86-64. Without arguments a sample of the cases. The last line is `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles } from '../install/files.mjs';
import { mustRun, reporter, SetupError } from '../install/process.mjs';
import { cacheDir } from '../install/tensorrt.mjs';
import { compileDist, distIsFresh } from '../lib/dist.mjs';
import { orExplain } from '../setup.mjs';
import { arm64Node } from './emulator.mjs';
import { ADDON, GLIBC, platforms } from './platforms.mjs';
import { fetchZig } from './zig.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const stage = join(root, '.cache', 'arm64');
const LIMIT_MS = { sample: 15 * 60_000, all: 90 * 60_000 };

/** A tree in which Node needs no compiler: dist/ in place of src/, the tests compiled, the addon for arm64. */
async function makeStage() {
  const { default: ts } = await import('typescript');
  const addon = join(root, 'packages', 'linux-arm64', ADDON);
  if (!existsSync(addon)) throw new SetupError('expected the addon for arm64: npm run addons -- linux-arm64');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(stage, 'build', 'Release'), { recursive: true });
  copyFileSync(addon, join(stage, 'build', 'Release', ADDON));
  cpSync(join(root, 'dist'), join(stage, 'src'), { recursive: true });
  cpSync(join(root, 'scripts', 'install'), join(stage, 'scripts', 'install'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json', 'scripts/install.mjs'])
    copyFileSync(join(root, name), join(stage, name));
  mkdirSync(join(stage, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'onnxruntime-node') symlinkSync(join(root, 'node_modules', name), join(stage, 'node_modules', name));
  // onnxruntime's own code for arm64 crashes in the emulator, so it is one that cannot be loaded.
  const onnxruntime = join(stage, 'node_modules', 'onnxruntime-node');
  mkdirSync(onnxruntime);
  writeFileSync(join(onnxruntime, 'package.json'), JSON.stringify({ version: '0.0.0', main: 'none.js' }));
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  symlinkSync(join(root, 'native'), join(stage, 'native'));
  for (const folder of ['test/plans', 'test/weights', 'test/setup', 'test/tensorrt', 'test/prebuild/arm64'])
    for (const file of listFiles(join(root, folder))) {
      const to = join(stage, relative(root, file));
      mkdirSync(dirname(to), { recursive: true });
      if (!file.endsWith('.ts')) {
        copyFileSync(file, to);
        continue;
      }
      const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
      writeFileSync(to.replace(/\.ts$/, '.js'), outputText);
    }
  // Node looks here before it looks in node_modules/ of the tree.
  const vitest = join(stage, 'test', 'node_modules', 'vitest');
  mkdirSync(vitest, { recursive: true });
  writeFileSync(join(vitest, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
  writeFileSync(join(vitest, 'index.js'), "export * from '../../prebuild/arm64/vitest.js';\n");
}

/** A folder whose `gcc` compiles for arm64. */
async function compilerFolder() {
  const { zig, cache } = await fetchZig();
  const { processor } = platforms['linux-arm64'];
  const folder = join(stage, 'bin');
  mkdirSync(folder);
  const lines = [
    '#!/bin/sh',
    `export ZIG_GLOBAL_CACHE_DIR='${cache}' ZIG_LOCAL_CACHE_DIR='${cache}'`,
    `exec '${zig}' cc -target ${processor}-linux-gnu.${GLIBC} -fno-sanitize=undefined "$@"`,
  ];
  writeFileSync(join(folder, 'gcc'), `${lines.join('\n')}\n`, { mode: 0o755 });
  return folder;
}

await orExplain(async () => {
  const step = reporter(false);
  if (!distIsFresh(root)) await step('compiling TypeScript', () => compileDist(root));
  const [emulator, ...args] = await step('getting an emulator and Node for arm64', () => arm64Node());
  await makeStage();
  const compiler = await compilerFolder();
  const cache = join(cacheDir(), 'arm64');
  // What the emulated library finds is NVIDIA's wheel for arm64 alone.
  const env = {
    PATH: `${compiler}:${process.env.PATH}`,
    HOME: process.env.HOME,
    NODE_TENSORRT_CACHE: cache,
    NODE_TENSORRT_LIBRARY: 'rtx1',
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => /^(PIP_|SSL_|NODE_EXTRA|https?_proxy$)/i.test(name)),
    ),
  };
  const fetch =
    "import('./scripts/install/tensorrt.mjs').then(({ fetchTensorRT }) => fetchTensorRT()).then(console.log)";
  await step('fetching TensorRT-RTX for arm64, on arm64', () =>
    mustRun('fetching TensorRT-RTX', emulator, [...args, '-e', fetch], { cwd: stage, env }),
  );
  const given = process.argv.slice(2);
  const limit = LIMIT_MS[given.includes('--all') ? 'all' : 'sample'];
  const run = join(stage, 'test', 'prebuild', 'arm64', 'run.js');
  const child = spawn(emulator, [...args, run, ...given], {
    env,
    stdio: 'inherit',
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  child.on('error', (error) => {
    process.stderr.write(`node-tensorrt: could not run ${emulator}: ${error.message}\n`);
    process.exit(127);
  });
  child.on('exit', (code, signal) => {
    if (signal) console.log(`ended by ${signal} after at most ${limit / 60_000} minutes\n0 passed, 1 failed`);
    process.exitCode = code ?? 1;
  });
});
