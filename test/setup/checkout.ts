import { type SpawnOptions, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

const CMAKE = `cmake_minimum_required(VERSION 3.18)
project(tiny CXX)
file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS \${CMAKE_SOURCE_DIR}/native/*.cc)
add_library(node_tensorrt SHARED \${SOURCES})
set_target_properties(node_tensorrt PROPERTIES PREFIX "" SUFFIX ".node")
`;

/** A checkout with the real scripts and dependencies, but almost nothing to compile. */
export function tinyCheckout(dir: string, { dependencies = true } = {}): string {
  mkdirSync(dir, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts'])
    cpSync(join(root, name), join(dir, name), { recursive: true });
  write(dir, 'CMakeLists.txt', CMAKE);
  write(dir, 'native/addon.cc', 'extern "C" int answer() { return 42; }\n');
  write(dir, 'src/index.ts', 'export const answer: number = 42;\n');
  if (dependencies) symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

export function write(dir: string, path: string, text: string, mode?: number): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  if (mode) chmodSync(file, mode);
  return file;
}

/** A clean environment: without what npm and vitest set for their children, and without colours, which CI turns on. */
export function cleanEnv(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_|TENSORRT|XDG_)/i.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more };
}

/** Runs a script with this Node. */
export function node(dir: string, args: string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { cwd: dir, env: cleanEnv(env), encoding: 'utf8' });
}

/** The same, but asynchronously. */
export function nodeAsync(dir: string, args: string[], env: NodeJS.ProcessEnv = {}, more: SpawnOptions = {}) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, args, { cwd: dir, env: cleanEnv(env), ...more, stdio: 'pipe' });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk) => {
        text[name] += chunk;
      });
    child.on('close', (status) => resolve({ status, ...text }));
  });
}
