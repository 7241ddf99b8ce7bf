import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { addon, isAddonError } from '../addon.js';
import { TensorRTError } from '../errors/error.js';
import { readElfConstant } from '../machine/elf.js';
import { damageOf } from '../machine/install.js';
import { cacheDir, type Env, type LibrarySource, librariesNamed } from '../machine/search.js';
import { pluginBinding } from './binding.js';
import { headersFor, type NvrtcPlace, nvrtcPlaces } from './nvrtc-places.js';

/** NVIDIA's compiler of CUDA kernels, on this machine. */
export interface NvrtcInstallation {
  /** Real path of the library. */
  path: string;
  /** e.g. `13.0`; null if it cannot be told. */
  version: string | null;
  /** Which part of the search found it. */
  source: LibrarySource;
  /** The folder with `cuda_fp16.h`; null if none was found. Kernels that include no header of CUDA's need none. */
  include: string | null;
  /** Why it cannot be used. */
  refused?: string;
}

export interface FindNvrtcOptions {
  /** Environment variables; default `process.env`. */
  env?: Env | undefined;
  /** CUDA version that the driver supports, such as `13.0`, null without a driver; default: what it reports. */
  driver?: string | null | undefined;
}

export interface LoadedNvrtc extends NvrtcInstallation {
  version: string;
  /** Compute capabilities that it compiles for: 90 is sm_90. */
  architectures: readonly number[];
}

const libraryName = /^libnvrtc\.so(?:\.\d+)*$/;
export const installNvrtc = 'npx node-tensorrt install --nvrtc';

/**
 * Every NVRTC on this machine, in search order: NODE_TENSORRT_NVRTC; CUDA_HOME, CUDA_PATH; LD_LIBRARY_PATH and the loader's
 * cache; `nvidia-cuda-nvrtc` of the active Python; /usr/local/cuda*, /usr/lib; the cache that `node-tensorrt install --nvrtc`
 * fills. Loads no library.
 */
export async function findNvrtc(options: FindNvrtcOptions = {}): Promise<NvrtcInstallation[]> {
  const env = options.env ?? process.env;
  const driver = options.driver === undefined ? await driverVersion() : options.driver;
  const places = await nvrtcPlaces(env, libraryName);
  const found = new Map<string, NvrtcPlace>();
  const lists = await Promise.all(places.map(({ path }) => librariesNamed(libraryName, path)));
  for (const [i, list] of lists.entries()) for (const path of list) if (!found.has(path)) found.set(path, places[i]!);
  const all = await Promise.all([...found].map(([path, place]) => inspect(path, place.source, driver, places)));
  const named = env.NODE_TENSORRT_NVRTC;
  if (!named || lists[0]!.length > 0) return all;
  const refused = 'NODE_TENSORRT_NVRTC names it, but no libnvrtc.so is there';
  return [{ path: named, version: null, source: 'environment', include: null, refused }, ...all];
}

async function driverVersion(): Promise<string | null> {
  try {
    return (await addon<{ cudaInfo(): Promise<{ driver: string | null }> }>().cudaInfo()).driver;
  } catch {
    return null;
  }
}

async function inspect(
  path: string,
  source: LibrarySource,
  driver: string | null,
  places: readonly NvrtcPlace[],
): Promise<NvrtcInstallation> {
  const beside = await readdir(dirname(path)).catch(() => [] as string[]);
  const version = versionOf(path, beside);
  const include = version === null ? null : await headersFor(path, version, places);
  const refused = await reasonAgainst(path, version, beside, driver);
  return { path, version, source, include, ...(refused !== undefined && { refused }) };
}

/** By its own name, or that of its other half: `libnvrtc.so.13` stands beside `libnvrtc-builtins.so.13.0`. */
function versionOf(path: string, beside: readonly string[]): string | null {
  const [, major, minor] = /\.so\.(\d+)(?:\.(\d+))?/.exec(basename(path)) ?? [];
  if (minor !== undefined) return `${major}.${minor}`;
  const minors = beside.flatMap((name) => {
    const [, its, one] = /^libnvrtc-builtins\.so\.(\d+)\.(\d+)$/.exec(name) ?? [];
    return one !== undefined && (major === undefined || its === major) ? [[Number(its), Number(one)] as const] : [];
  });
  const newest = minors.sort(([a, b], [c, d]) => c - a || d - b)[0];
  return newest ? newest.join('.') : null;
}

async function reasonAgainst(
  path: string,
  version: string | null,
  beside: readonly string[],
  driver: string | null,
): Promise<string | undefined> {
  try {
    const damage = await damageOf(path);
    if (damage) return `${damage}; fetch it again with: ${installNvrtc}`;
    const { value, ...rest } = await readElfConstant(path, 'nvrtcVersion');
    if (value === null && 'missing' in rest && rest.missing) return 'it is no NVRTC: it does not export nvrtcVersion';
  } catch (error) {
    return (error as Error).message;
  }
  const builtins = `libnvrtc-builtins.so.${version ?? /\.so\.(\d+)/.exec(basename(path))?.[1] ?? ''}`;
  if (version === null || !beside.some((name) => name.startsWith(builtins)))
    return `${builtins}, its other half, is not beside it`;
  if (version !== null && driver !== null && major(version) > major(driver))
    return `it is of CUDA ${version}, and the driver, of CUDA ${driver}, loads no kernels of a later major version`;
  return undefined;
}

const major = (version: string): number => Number.parseInt(version, 10);

/** Loads the first NVRTC that is usable here and compiles for all these compute capabilities. @throws ERR_NVRTC_MISSING, ERR_KERNEL */
export async function chooseNvrtc(
  capabilities: readonly number[],
  options: FindNvrtcOptions = {},
): Promise<LoadedNvrtc> {
  const env = options.env ?? process.env;
  const found = await findNvrtc(options);
  // What the environment names is used, or nothing is.
  const named = env.NODE_TENSORRT_NVRTC ? found.slice(0, 1) : found;
  const lacking: LoadedNvrtc[] = [];
  const reasons: string[] = [];
  for (const one of named) {
    if (one.refused !== undefined) {
      reasons.push(`${one.path}: ${one.refused}`);
      continue;
    }
    try {
      const loaded = await load(one);
      if (capabilities.every((capability) => loaded.architectures.includes(capability))) return loaded;
      lacking.push(loaded);
    } catch (error) {
      if (isAddonError(error)) throw error;
      reasons.push(`${one.path}: ${(error as Error).message}`);
    }
  }
  throw lacking.length > 0 ? noArchitecture(lacking, capabilities) : missing(reasons, env);
}

async function load(one: NvrtcInstallation): Promise<LoadedNvrtc> {
  const { major, minor, architectures } = await pluginBinding().nvrtcVersion(one.path);
  return { ...one, version: `${major}.${minor}`, architectures };
}

/** The first NVRTC that compiles for a compute capability, and the last where later ones do not. */
const versions: Readonly<Record<number, string>> = {
  50: '7.5 to 12.9',
  52: '7.5 to 12.9',
  53: '7.5 to 12.9',
  60: '8.0 to 12.9',
  61: '8.0 to 12.9',
  62: '8.0 to 12.9',
  70: '9.0 to 12.9',
  72: '10.0 to 12.9',
  75: '10.0 or later',
  80: '11.0 or later',
  86: '11.1 or later',
  87: '11.4 or later',
  88: '13.0 or later',
  89: '11.8 or later',
  90: '11.8 or later',
  100: '12.8 or later',
  101: '12.8 to 12.9',
  103: '12.9 or later',
  110: '13.0 or later',
  120: '12.8 or later',
  121: '12.9 or later',
};

function noArchitecture(found: readonly LoadedNvrtc[], capabilities: readonly number[]): TensorRTError {
  const wanted = capabilities.filter((one) => found.every(({ architectures }) => !architectures.includes(one)));
  const first = wanted[0] ?? capabilities[0]!;
  const names = found.map(({ path, version }) => `${path} (${version})`).join(', ');
  const said = `no NVRTC here compiles for compute capability ${first / 10} (sm_${first}): expected NVRTC ${versions[first] ?? 'of a later CUDA'}, found ${names}; get one with: ${installNvrtc}`;
  return new TensorRTError('ERR_NVRTC_MISSING', said, { expected: first, actual: found.map(({ path }) => path) });
}

function missing(reasons: readonly string[], env: Env): TensorRTError {
  const message = [
    'kernels need NVRTC, and none was found that can be used',
    `  looked for libnvrtc.so in NODE_TENSORRT_NVRTC (${env.NODE_TENSORRT_NVRTC || 'not set'}), CUDA_HOME, CUDA_PATH, the loader's path, Python's packages, /usr/local/cuda*, /usr/lib and ${cacheDir(env)}`,
    ...reasons.map((reason) => `  found ${reason}`),
    `  get one with: ${installNvrtc}`,
  ];
  return new TensorRTError('ERR_NVRTC_MISSING', message.join('\n'));
}

/** Changes when the file does; part of the key of what it compiled. */
export async function nvrtcIdentity({ path, version }: LoadedNvrtc): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return [version, size, mtimeMs].join();
}

/** Whether a message of NVRTC's says that a header of CUDA's own was not found. */
export const lacksHeaders = (log: string): string | undefined =>
  /(?:could not|cannot) open source file "((?:cuda|cooperative_groups|mma|math_constants|vector_)[\w./]*\.h)"/.exec(
    log,
  )?.[1];
