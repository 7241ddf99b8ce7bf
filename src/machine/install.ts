import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TensorRTError } from '../errors/error.js';
import { packageFile } from '../package/place.js';

/** CUDA versions whose NVRTC can be fetched. */
export type NvrtcRelease = '12.9' | '13.0';

export interface InstallOptions {
  /** Also fetch TensorRT-RTX; default true. */
  fetch?: boolean;
  /** Compile the addon for this machine. */
  fromSource?: boolean;
  /** Also fetch NVRTC, with CUDA's headers, of a CUDA version that the driver supports: what `nvrtcFor` says. */
  nvrtc?: NvrtcRelease | undefined;
  /** Repeat steps that are already done. */
  force?: boolean;
  /** Write nothing to stderr. */
  quiet?: boolean;
  env?: NodeJS.ProcessEnv;
}

export interface InstallResult {
  /** Path of the compiled addon; null if it was not to be compiled. */
  addon: string | null;
  /** Path of the fetched TensorRT-RTX; null if the cache has none. */
  library: string | null;
  /** Path of the fetched NVRTC; null if none was asked for. */
  nvrtc: string | null;
}

/** Something this machine lacks. */
export interface Lack {
  name: string;
  why: string;
  /** The command that installs it. */
  line: string;
}

/** The exports of scripts/install.mjs, which is not in src/ because it runs before anything is compiled. */
interface InstallScript {
  install(options: InstallOptions): Promise<InstallResult>;
  missingPrerequisites(needs: { compile?: boolean }, env?: NodeJS.ProcessEnv): Promise<Lack[]>;
  nvrtcFor(driver: string | null): NvrtcRelease;
  damage(dir: string, options?: { only?: string; all?: boolean }): string | null;
}

const script = async () => (await import(pathToFileURL(packageFile('scripts/install.mjs')).href)) as InstallScript;

/**
 * Fetches TensorRT-RTX (95 MB) into the cache, and compiles the addon if asked. Keeps what is already there.
 * @throws {TensorRTError} ERR_INSTALL with what is missing and the commands that install it
 */
export async function install(options: InstallOptions = {}): Promise<InstallResult> {
  try {
    return await (await script()).install(options);
  } catch (cause) {
    throw new TensorRTError('ERR_INSTALL', (cause as Error).message, { cause });
  }
}

/** The NVRTC to fetch for a driver: the newest that it loads kernels of. */
export async function nvrtcFor(driver: string | null): Promise<NvrtcRelease> {
  return (await script()).nvrtcFor(driver);
}

/** What is missing to compile the addon. */
export async function missingPrerequisites(needs: { compile?: boolean }, env?: NodeJS.ProcessEnv): Promise<Lack[]> {
  return (await script()).missingPrerequisites(needs, env);
}

/**
 * Whether a library that `node-tensorrt install` fetched is as it was then. It is hashed only if it changed since it was
 * last seen to be right; with `all` it always is, and so are the files beside it.
 * @returns what is wrong; null too for a library from elsewhere, and where only src/ or dist/ was copied
 */
export async function damageOf(path: string, { all = false } = {}): Promise<string | null> {
  const root = unpackedIn(dirname(path));
  if (root === undefined) return null;
  const loaded = await script().catch(() => null);
  return loaded?.damage(root, all ? { all } : { only: relative(root, path) }) ?? null;
}

/** Wheels have their libraries at most so deep. */
const deepest = 4;

/** The folder that a wheel was unpacked into. */
function unpackedIn(folder: string, depth = deepest): string | undefined {
  if (existsSync(join(folder, 'complete.json'))) return folder;
  return depth === 0 ? undefined : unpackedIn(dirname(folder), depth - 1);
}
