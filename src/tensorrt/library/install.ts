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
  missingPrerequisites(needs: { compile?: boolean; fetch?: boolean }, env?: NodeJS.ProcessEnv): Promise<Lack[]>;
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

/** What is missing to compile the addon and to fetch TensorRT-RTX. */
export async function missingPrerequisites(
  needs: { compile?: boolean; fetch?: boolean },
  env?: NodeJS.ProcessEnv,
): Promise<Lack[]> {
  return (await script()).missingPrerequisites(needs, env);
}
