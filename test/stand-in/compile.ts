import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const sources = fileURLToPath(new URL('.', import.meta.url));
const cache = join(tmpdir(), 'node-tensorrt-stand-in');

/** The compiler that compiled the addon. */
const compiler = (() => {
  const made = fileURLToPath(new URL('../../build/CMakeCache.txt', import.meta.url));
  const text = existsSync(made) ? readFileSync(made, 'utf8') : '';
  return /^CMAKE_CXX_COMPILER:\w+=(.+)$/m.exec(text)?.[1] ?? 'c++';
})();

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(compiler, args, { maxBuffer: 1 << 26 }, (error, _, stderr) =>
      error ? reject(new Error(stderr || error.message)) : resolve(),
    );
  });
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((one) => (one.isDirectory() ? filesIn(join(folder, one.name)) : [join(folder, one.name)]))
    .filter((path) => /\.(cc|h|def)$/.test(path));

/** Changes with any header of the stand-in. */
const identity = createHash('sha256').update(compiler);
for (const path of filesIn(sources).filter((one) => !one.endsWith('.cc')))
  identity.update(path).update(readFileSync(path));
const common = identity.digest('hex');

/** Makes what is not yet there; of several processes that want it, one. */
async function once(path: string, make: (work: string) => Promise<void>): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  const lock = `${path}.lock`;
  while (!existsSync(path)) {
    try {
      mkdirSync(lock);
    } catch {
      // Left behind by a process that was killed, after this long.
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - since > 300_000) rmSync(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    try {
      if (existsSync(path)) break;
      await make(join(lock, 'made'));
      renameSync(join(lock, 'made'), path);
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return path;
}

const hashOf = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('sha256').update(common);
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 20);
};

type Flags = readonly string[];

/**
 * Compiles C++ to a shared library or a program, once: what was made of the same sources and flags is found in the cache.
 * @param flags for all files, or by file
 * @returns its path; `name` is the last part
 */
export async function compile(
  name: string,
  files: readonly string[],
  flags: Flags | ((file: string) => Flags) = [],
): Promise<string> {
  const flagsOf = typeof flags === 'function' ? flags : () => flags;
  const all = ['-std=c++20', '-O0', '-fPIC', '-Wall', '-Wextra', `-I${sources}`];
  const keys = files.map((file) => hashOf(...flagsOf(file), readFileSync(file)));
  const path = join(cache, hashOf(name, ...keys), name);
  if (existsSync(path)) return path;
  const rest = files.map((file, i) => [file, join(cache, 'objects', `${keys[i]}.o`)] as const);
  const objects = rest.map(([, object]) => object);
  const worker = async () => {
    for (let one = rest.shift(); one; one = rest.shift()) {
      const [file, object] = one;
      await once(object, (made) => run([...all, ...flagsOf(file), '-c', file, '-o', made]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  const shared = /\.so(\.|$)/.test(name) ? ['-shared'] : [];
  await once(path, (made) => run([...shared, ...objects, '-o', made, '-ldl', '-pthread']));
  return path;
}

/** Compiles source text; see `compile`. */
export async function compileText(name: string, text: string, flags: Flags = []): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const file = join(mkdtempSync(join(cache, 'text-')), 'text.cc');
  writeFileSync(file, text);
  try {
    return await compile(name, [file], flags);
  } finally {
    rmSync(join(file, '..'), { recursive: true });
  }
}

const inFolder = (folder: string): string[] => filesIn(join(sources, folder)).filter((path) => path.endsWith('.cc'));

export type Release = '10.2.0' | '10.6.0' | '10.16.0' | '11.1.0';

/** The stand-in TensorRT of a release. */
export function tensorRT(release: Release): Promise<string> {
  const [major, minor, patch] = release.split('.').map(Number) as [number, number, number];
  const flags = [`-DRELEASE=${major * 10000 + minor * 100 + patch}`];
  return compile(`libnvinfer.so.${major}`, inFolder('tensorrt'), flags);
}

/** The stand-in driver. @param without functions that an older driver lacks */
export const driver = (without: 'cuFuncGetParamInfo' | '' = ''): Promise<string> =>
  compile('libcuda.so.1', inFolder('cuda'), (file) =>
    without && file.endsWith('modules.cc') ? ['-DWITHOUT_PARAM_INFO'] : [],
  );

/** The stand-in compiler of kernels, with an empty file for its other half. */
export async function nvrtc(): Promise<string> {
  const path = await compile('libnvrtc.so.12', inFolder('nvrtc'));
  writeFileSync(join(dirname(path), 'libnvrtc-builtins.so.12.9'), '');
  return path;
}

/** A library of kernels that run on the host; see cuda/kernel.h. */
export const kernels = (text: string): Promise<string> =>
  compileText('kernels.so', `#include "cuda/kernel.h"\nusing namespace standin;\n#line 1 "kernels"\n${text}`);
