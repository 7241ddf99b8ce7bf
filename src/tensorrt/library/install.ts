import { TensorRTError } from '../../errors/error.js';

export interface InstallOptions {
  /** Fetch TensorRT-RTX too; default true. */
  fetch?: boolean;
  /** Do again what was done already. */
  force?: boolean;
  /** Say nothing on stderr. */
  quiet?: boolean;
  env?: NodeJS.ProcessEnv;
}

export interface InstallResult {
  /** Path of the compiled addon. */
  addon: string;
  /** Path of the fetched TensorRT-RTX, null when there is none in the cache. */
  library: string | null;
}

/** Something this machine lacks. */
export interface Lack {
  name: string;
  why: string;
  /** The command that gets it. */
  line: string;
}

/** What scripts/install.mjs exports: it runs before anything is compiled, so it is no part of src/. */
interface InstallScript {
  install(options: InstallOptions): Promise<InstallResult>;
  missingPrerequisites(needs: { compile?: boolean; fetch?: boolean }, env?: NodeJS.ProcessEnv): Promise<Lack[]>;
}

const script = () => import(new URL('../../../scripts/install.mjs', import.meta.url).href) as Promise<InstallScript>;

/**
 * Compiles the addon for this machine and fetches TensorRT-RTX (95 MB) into the cache; keeps what is there.
 * @throws {TensorRTError} ERR_INSTALL with what is missing and the lines that get it
 */
export async function install(options: InstallOptions = {}): Promise<InstallResult> {
  try {
    return await (await script()).install(options);
  } catch (cause) {
    throw new TensorRTError('ERR_INSTALL', (cause as Error).message, { cause });
  }
}

/** What is missing for compiling the addon and for fetching TensorRT-RTX. */
export async function missingPrerequisites(
  needs: { compile?: boolean; fetch?: boolean },
  env?: NodeJS.ProcessEnv,
): Promise<Lack[]> {
  return (await script()).missingPrerequisites(needs, env);
}
