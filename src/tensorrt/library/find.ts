import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isAddonError } from '../../addon.js';
import { TensorRTError } from '../../errors/error.js';
import { readElfConstant } from '../../machine/elf.js';
import { damageOf } from '../../machine/install.js';
import { cacheDir, type Env, type LibrarySource, type SearchPlace } from '../../machine/search.js';
import { binding, type CudaInfo, type Flavor, type LibraryInfo } from '../binding.js';

import { librariesAt, searchPlaces } from './search-path.js';

/** What a TensorRT is wanted for. */
export type LibraryPurpose = 'build' | 'run' | 'plugins';

/** A TensorRT library on this machine. */
export interface TensorRTInstallation {
  /** Real path of the library. */
  path: string;
  /** Null if it was refused because its flavor is unknown. */
  flavor: Flavor | null;
  /** e.g. `10.6.0`; null if the library could not be read. */
  version: string | null;
  /** Which part of the search found it. */
  source: LibrarySource;
  /** What it can do on this machine with its GPUs. */
  usableFor: Record<LibraryPurpose, boolean>;
  /** Why it cannot be used at all. */
  refused?: string;
  /** Why it cannot be used for a purpose on this machine. */
  limits?: Partial<Record<LibraryPurpose, string>>;
}

/** Options of `findTensorRT`. */
export interface FindOptions {
  /** Environment variables; default `process.env`. */
  env?: Env | undefined;
  /** GPUs to check against; default: those the driver reports. */
  cuda?: CudaInfo | undefined;
}

export interface ChooseOptions extends Omit<FindOptions, 'cuda'> {
  for: LibraryPurpose;
  /** GPUs to check against; default: those the driver reports. */
  cuda?: CudaInfo | Promise<CudaInfo> | undefined;
  /** Loads a library that was found, in whichever process is to use it. Default: this one. */
  load?: ((found: LibraryInfo) => Promise<LibraryInfo>) | undefined;
  /** Whether that process has ended, so that no other library need be tried. */
  isLost?: (() => boolean) | undefined;
  /** Path of a library or its folder, or a flavor; default: the best one found. */
  library?: string;
  /** Default true. Plugins can be listed without one. */
  needsGpu?: boolean;
}

const FLAVORS: Record<Flavor, string> = {
  trt10: 'TensorRT',
  trt11: 'TensorRT',
  rtx1: 'TensorRT-RTX',
};

/** What the driver reports. Without the addon or a driver: no GPU, and the reason. */
export async function cudaInfo(): Promise<CudaInfo> {
  try {
    return await binding().cudaInfo();
  } catch (error) {
    return { driver: null, devices: [], error: (error as Error).message };
  }
}

/**
 * Every TensorRT on this machine, in search order: NODE_TENSORRT_LIBRARY and TENSORRT_ROOT; LD_LIBRARY_PATH and the
 * loader's cache; `tensorrt_libs` and `tensorrt_rtx_libs` of the active Python; /usr/lib, /usr/local/tensorrt*,
 * /opt/tensorrt*; the cache that `node-tensorrt install` fills. Loads no library.
 */
export async function findTensorRT(options: FindOptions = {}): Promise<TensorRTInstallation[]> {
  return find(options, false);
}

/** Like `findTensorRT`, but also computes the SHA-256 of what `node-tensorrt install` fetched. */
export const examineTensorRT = (options: FindOptions = {}): Promise<TensorRTInstallation[]> => find(options, true);

async function find(options: FindOptions, thorough: boolean): Promise<TensorRTInstallation[]> {
  const { cuda: known, env: given } = options ?? {};
  const env = given ?? process.env;
  const [places, cuda] = await Promise.all([searchPlaces(env), known ?? cudaInfo()]);
  return search(places, cuda, env, thorough);
}

async function search(
  places: SearchPlace[],
  cuda: CudaInfo,
  env: Env,
  thorough = false,
): Promise<TensorRTInstallation[]> {
  const found = new Map<string, LibrarySource>();
  const paths = await Promise.all(places.map(({ path }) => librariesAt(path)));
  paths.forEach((list, i) => {
    for (const path of list) if (!found.has(path)) found.set(path, places[i]!.source);
  });
  const installations = await Promise.all([...found].map(([path, source]) => inspect(path, source, cuda, thorough)));
  const named = env.NODE_TENSORRT_LIBRARY;
  if (named && !isFlavor(named) && paths[0]!.length === 0)
    installations.unshift(
      refuse(named, 'environment', 'NODE_TENSORRT_LIBRARY names it, but no TensorRT library is there'),
    );
  return installations;
}

/** Inspects one library without loading it. */
async function inspect(
  path: string,
  source: LibrarySource,
  cuda: CudaInfo,
  thorough: boolean,
): Promise<TensorRTInstallation> {
  let release: number;
  try {
    const damage = await damageOf(path, { all: thorough });
    if (damage) return refuse(path, source, `${damage}; fetch it again with: npx node-tensorrt install`);
    release = await releaseOf(path);
  } catch (error) {
    return refuse(path, source, (error as Error).message);
  }
  const version = `${Math.floor(release / 10000)}.${Math.floor(release / 100) % 100}.${release % 100}`;
  const flavor = flavorOf(release);
  if (!flavor.name) return { ...refuse(path, source, flavor.refused), version };
  const limits = limitsOf(flavor.name, cuda);
  const usableFor = { build: !limits.build, run: !limits.run, plugins: !limits.plugins };
  const restricted = Object.keys(limits).length > 0;
  return { path, flavor: flavor.name, version, source, usableFor, ...(restricted && { limits }) };
}

function refuse(path: string, source: LibrarySource, refused: string): TensorRTInstallation {
  return {
    path,
    flavor: null,
    version: null,
    source,
    usableFor: { build: false, run: false, plugins: false },
    refused,
  };
}

const releases = new Map<string, Promise<number>>();

/** The release as getInferLibVersion() counts it: major·10000 + minor·100 + patch. Reads a file once, until it changes. */
async function releaseOf(path: string): Promise<number> {
  const { size, mtimeMs } = await stat(path);
  const key = `${path}\0${size}\0${mtimeMs}`;
  const known = releases.get(key) ?? readRelease(path);
  releases.set(key, known);
  return known;
}

async function readRelease(path: string): Promise<number> {
  const constant = await readElfConstant(path, 'getInferLibVersion');
  if (constant.value !== null) return constant.value;
  if (constant.missing) throw new Error('not a TensorRT library: it does not export getInferLibVersion');
  const inName = /\.so\.(\d+)\.(\d+)\.(\d+)/.exec(basename(path));
  const parts = inName ? inName.slice(1) : (await binding().loadLibrary(path)).version.split('.');
  const [major, minor, patch] = parts.map(Number) as [number, number, number];
  return major * 10000 + minor * 100 + patch;
}

/** The releases that the addon takes; see native/tensorrt/library.cc. */
function flavorOf(release: number): { name: Flavor } | { name: null; refused: string } {
  const major = Math.floor(release / 10000);
  const minor = Math.floor(release / 100) % 100;
  if (major === 10 && minor === 8)
    return {
      name: null,
      refused: 'TensorRT 10.8 orders its interface differently from all other releases; install another 10.x',
    };
  if (major === 10) return { name: 'trt10' };
  if (major === 11) return { name: 'trt11' };
  if (major === 1 && minor >= 5) return { name: 'rtx1' };
  if (major === 1)
    return { name: null, refused: 'TensorRT-RTX before 1.5 has another binary interface; install 1.5 or later' };
  const known = 'TensorRT 10 and 11, and TensorRT-RTX 1.5 or later';
  return {
    name: null,
    refused: `getInferLibVersion() says ${release}, which is not a supported release; supported are ${known}`,
  };
}

/**
 * Compute capabilities. TensorRT's support matrix starts at 7.5 (7.0 until 10.4). TensorRT-RTX lists its GPUs in the enum
 * ComputeCapability: 7.5, 8.0, 8.6, 8.9, 12.0, 12.1.
 */
function limitsOf(flavor: Flavor, cuda: CudaInfo): Partial<Record<LibraryPurpose, string>> {
  const capabilities = cuda.devices.map((device) => device.computeCapability);
  const present = capabilities.length
    ? `this machine has ${capabilities.join(', ')}`
    : (cuda.error ?? 'this machine has no GPU');
  if (flavor !== 'rtx1') {
    if (capabilities.some((one) => Number(one) >= 7)) return {};
    const reason = `needs a GPU of compute capability 7.5 or later; ${present}`;
    return { build: reason, run: reason, plugins: reason };
  }
  const plugins = 'TensorRT-RTX has no plugin layers';
  if (capabilities.some((one) => one === '7.5' || /^(8|12)\./.test(one))) return { plugins };
  return { run: `runs on GPUs of compute capability 7.5, 8.x and 12.x; ${present}`, plugins };
}

const isFlavor = (text: string): text is Flavor => Object.hasOwn(FLAVORS, text);

/**
 * Finds and loads a TensorRT for a purpose. Without `library`, it takes what NODE_TENSORRT_LIBRARY names, else what is in
 * TENSORRT_ROOT, else TensorRT rather than TensorRT-RTX if a GPU can run it.
 * @throws {TensorRTError} ERR_LIBRARY_NOT_FOUND, which lists what was searched, found and refused, and how to install one;
 *   ERR_LIBRARY_REFUSED or ERR_LIBRARY_INVALID for a library given by path
 */
export async function chooseTensorRT(options: ChooseOptions): Promise<LibraryInfo> {
  const env = options.env ?? process.env;
  const wanted = options.library ?? env.NODE_TENSORRT_LIBRARY;
  const named = wanted !== undefined && wanted !== '' && !isFlavor(wanted) ? wanted : undefined;
  const [cuda, places] = await Promise.all([
    options.cuda ?? cudaInfo(),
    named ? [{ source: 'environment' as const, path: named }] : searchPlaces(env),
  ]);
  const found = await search(places, cuda, {});
  if (named && found.length === 0) {
    const message = `No TensorRT library at ${named}: expected libnvinfer.so.10, libnvinfer.so.11 or libtensorrt_rtx.so.1`;
    throw new TensorRTError('ERR_LIBRARY_NOT_FOUND', [message, ...unread()].join('\n'), { actual: named });
  }
  if (named && found.every((one) => one.refused)) {
    const code = found[0]!.version ? 'ERR_LIBRARY_REFUSED' : 'ERR_LIBRARY_INVALID';
    throw new TensorRTError(code, found.map((one) => `${one.path}: ${one.refused}`).join('\n'), { actual: named });
  }
  const load = options.load ?? (({ path }: LibraryInfo) => binding().loadLibrary(path));
  const failures = new Map<string, string>();
  const candidates = found
    .filter((one) => isUsable(one, options) && (named || !wanted || one.flavor === wanted))
    .sort((a, b) => preference(b) - preference(a));
  for (const { path, flavor, version } of candidates) {
    try {
      return await load({ path, flavor: flavor!, version: version! });
    } catch (error) {
      const isHopeless = isAddonError(error) || options.isLost?.();
      if (named || isHopeless) throw error;
      failures.set(path, (error as Error).message);
    }
  }
  throw notFound(options.for, named ? undefined : wanted, found, failures, env);
}

/** Whether a library serves the purpose here. TensorRT-RTX has no plugins on any machine. */
function isUsable(one: TensorRTInstallation, { for: purpose, needsGpu = true }: ChooseOptions): boolean {
  return one.usableFor[purpose] || (!needsGpu && !one.refused && one.flavor !== 'rtx1');
}

/** Ranks those named by the environment first, then those that run here, then TensorRT, then by search order (sort is stable). */
function preference(one: TensorRTInstallation): number {
  return (one.source === 'environment' ? 4 : 0) + (one.usableFor.run ? 2 : 0) + (one.flavor === 'rtx1' ? 0 : 1);
}

/** The command that installs a TensorRT for a purpose. */
export function installLine(purpose: LibraryPurpose): string {
  return purpose === 'build' ? 'npx node-tensorrt install' : 'pip install tensorrt';
}

const withoutGpu =
  "  Running needs an NVIDIA GPU and its driver too; without them, net.compile({ backend: 'cpu' }) runs the network";

/** Under Node's permission model, a folder that may not be read looks empty. */
function unread(): string[] {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  if (!permission || permission.has('fs.read')) return [];
  return [
    "  Node was started with --permission, and sees only what --allow-fs-read names: the library's folder has to be there",
  ];
}

function notFound(
  purpose: LibraryPurpose,
  flavor: string | undefined,
  found: TensorRTInstallation[],
  failures: Map<string, string>,
  env: Env,
): TensorRTError {
  const variable = (name: string) => `${name} (${env[name] || 'not set'})`;
  const uses = { build: 'build an engine', run: 'run an engine', plugins: 'use plugins' };
  const lines = found.map((one) => {
    const other = flavor && one.flavor !== flavor ? `it is ${one.flavor}` : undefined;
    const why = one.refused ?? failures.get(one.path) ?? other ?? one.limits?.[purpose];
    const name = one.flavor ? `${FLAVORS[one.flavor]} ${one.version}` : (one.version ?? 'unknown');
    return `  found ${one.path} (${name}), not usable: ${why}`;
  });
  const message = [
    `No TensorRT here can ${uses[purpose]}${flavor ? ` with the requested flavor, ${flavor}` : ''}.`,
    `  looked for libnvinfer.so.10, libnvinfer.so.11 and libtensorrt_rtx.so.1 in ${variable('NODE_TENSORRT_LIBRARY')}, ${variable('TENSORRT_ROOT')},`,
    `  the loader's path, Python's packages, /usr/lib, /usr/local/tensorrt*, /opt/tensorrt* and ${cacheDir(env)}`,
    ...unread(),
    ...lines,
    `  get one with: ${installLine(purpose)}`,
    ...(purpose === 'run' ? [withoutGpu] : []),
  ];
  return new TensorRTError('ERR_LIBRARY_NOT_FOUND', message.join('\n'), { actual: found.map((one) => one.path) });
}
