import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TensorRTError } from '../../errors/error.js';

export interface InstallOptions {
  /** Also fetch TensorRT-RTX; default true. */
  fetch?: boolean;
  /** Repeat steps that are already done. */
  force?: boolean;
  /** Write nothing to stderr. */
  quiet?: boolean;
  env?: NodeJS.ProcessEnv;
}

export interface InstallResult {
  /** Path of the compiled addon. */
  addon: string;
  /** Path of the fetched TensorRT-RTX; null if the cache has none. */
  library: string | null;
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
  damage(dir: string, options?: { only?: string; all?: boolean }): string | null;
}

const script = () => import(new URL('../../../scripts/install.mjs', import.meta.url).href) as Promise<InstallScript>;

/**
 * Compiles the addon for this machine and fetches TensorRT-RTX (95 MB) into the cache. Keeps what is already there.
 * @throws {TensorRTError} ERR_INSTALL with what is missing and the commands that install it
 */
export async function install(options: InstallOptions = {}): Promise<InstallResult> {
  try {
    return await (await script()).install(options);
  } catch (cause) {
    throw new TensorRTError('ERR_INSTALL', (cause as Error).message, { cause });
  }
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
  const folder = dirname(path);
  const root = dirname(folder);
  if (!existsSync(join(root, 'complete.json'))) return null;
  const loaded = await script().catch(() => null);
  return loaded?.damage(root, all ? { all } : { only: join(basename(folder), basename(path)) }) ?? null;
}
