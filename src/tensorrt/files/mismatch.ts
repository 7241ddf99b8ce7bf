import { TensorRTError } from '../../errors/error.js';
import type { CudaDevice, Flavor, LibraryInfo } from '../binding.js';
import type { EngineMetadata, EnginePlugin } from './metadata.js';
import type { EngineFile } from './read.js';

/** What an engine meets here. */
export interface Here {
  library: Pick<LibraryInfo, 'flavor' | 'version'>;
  /** The GPU that is to run it; undefined if there is none. */
  gpu: Pick<CudaDevice, 'name' | 'computeCapability'> | undefined;
}

/** Where engines come from, as far as it is known. */
interface Origin {
  isRtx: boolean;
  version: string;
  /** Whether later releases may run it; undefined if that is unknown. */
  isVersionCompatible: boolean | undefined;
}

const releaseName = (isRtx: boolean, version: string): string => `${isRtx ? 'TensorRT-RTX' : 'TensorRT'} ${version}`;
const isRtxFlavor = (flavor: Flavor): boolean => flavor === 'rtx1';

function originOf({ metadata, plan: { header } }: EngineFile): Origin | undefined {
  if (metadata?.library) {
    const { flavor, version } = metadata.library;
    return { isRtx: isRtxFlavor(flavor), version, isVersionCompatible: metadata.options?.versionCompatible === true };
  }
  return header && { ...header, isVersionCompatible: undefined };
}

const numbers = (version: string): number[] => version.split('.').map(Number);

/** Negative if `a` is the earlier release. */
function compareReleases(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  const at = x.findIndex((number, i) => number !== y[i]);
  return at < 0 ? 0 : x[at]! - y[at]!;
}

/** Major versions that a version-compatible engine may cross. */
const crossings: ReadonlySet<string> = new Set(['8,10', '10,11']);

/**
 * Why a library cannot load an engine. By NVIDIA's documentation, an engine needs the release that built it; TensorRT's with
 * `versionCompatible` may meet a later one of the same major version, those of 8 also 10, and those of 10 also 11. TensorRT-RTX has no such engines.
 */
function releaseProblem(origin: Origin, { library }: Here): string | undefined {
  const here = releaseName(isRtxFlavor(library.flavor), library.version);
  const built = `built by ${releaseName(origin.isRtx, origin.version)}`;
  if (origin.isRtx !== isRtxFlavor(library.flavor))
    return `${built}; this is ${here}, another product, whose engines differ`;
  const order = compareReleases(origin.version, library.version);
  if (order === 0) return undefined;
  if (origin.isRtx) return `${built}; this is ${here}, and TensorRT-RTX's engines need the release that built them`;
  if (order > 0) return `${built}; this is ${here}, and no release runs engines of a later one`;
  const majors = [numbers(origin.version)[0]!, numbers(library.version)[0]!] as const;
  const mayCross = majors[0] === majors[1] || crossings.has(majors.join());
  if (!mayCross) return `${built}; this is ${here}, which runs no engines of release ${majors[0]}`;
  if (origin.isVersionCompatible !== false) return undefined;
  return `${built} without versionCompatible; this is ${here}, and such an engine needs the release that built it`;
}

const isListed = (capability: string, listed: readonly (number | string)[]): boolean =>
  listed.some((one) => {
    if (typeof one !== 'number') return true;
    const [major, minor] = numbers(capability) as [number, number];
    return Math.floor(one / 10) === major && one % 10 <= minor;
  });

/** Why a GPU cannot run an engine. What was built on another model of the same compute capability is left to TensorRT, which warns. */
function gpuProblem({ gpu: built, options, library }: EngineMetadata, { gpu }: Here): string | undefined {
  if (!gpu || !library) return undefined;
  const here = `this is ${gpu.name} of ${gpu.computeCapability}`;
  if (library.flavor === 'rtx1') {
    const wanted = options?.computeCapabilities ?? [];
    if (wanted.length === 0 || isListed(gpu.computeCapability, wanted)) return undefined;
    const list = wanted.map((one) => (typeof one === 'number' ? (one / 10).toFixed(1) : one)).join(', ');
    return `built for compute capability ${list}; ${here}`;
  }
  if (!built || built.computeCapability === gpu.computeCapability) return undefined;
  const level = options?.hardwareCompatibility ?? 'none';
  if (level === 'ampere_plus') {
    return Number(gpu.computeCapability) >= 8 ? undefined : `built for compute capability 8.0 and later; ${here}`;
  }
  const how = level === 'none' ? " without hardwareCompatibility: 'ampere_plus'" : '';
  return `built on ${built.name} for compute capability ${built.computeCapability}${how}; ${here}`;
}

const platformProblem = ({ options }: EngineMetadata): string | undefined => {
  const platform = (options as { runtimePlatform?: unknown } | undefined)?.runtimePlatform;
  return platform === undefined || platform === 'same_as_build'
    ? undefined
    : `built for the platform '${platform}'; this is Linux`;
};

const advice = 'build it again here, or load it where it was built';

/**
 * The error for an engine that the library or the GPU here is known not to run; undefined if it may. Says nothing where nothing is known: of a
 * plan without metadata, all but what its first bytes tell.
 */
export function mismatchOf(name: string, file: EngineFile, here: Here): TensorRTError | undefined {
  const origin = originOf(file);
  const { metadata } = file;
  const problem =
    (origin && releaseProblem(origin, here)) ?? (metadata && (platformProblem(metadata) ?? gpuProblem(metadata, here)));
  if (!problem) return undefined;
  const expected = { library: metadata?.library ?? file.plan.header, gpu: metadata?.gpu };
  return new TensorRTError('ERR_ENGINE_MISMATCH', `${name} was ${problem}: ${advice}`, { expected, actual: here });
}

/** What TensorRT's refusal may have as its reason, for a plan whose first bytes name another release. */
export function likelyReason(file: EngineFile, { library }: Here): string | undefined {
  const origin = originOf(file);
  if (!origin || compareReleases(origin.version, library.version) === 0) return undefined;
  return `the file says that ${releaseName(origin.isRtx, origin.version)} built it`;
}

/** The error for plugins that nobody here has. */
export function missingPlugins(name: string, missing: readonly EnginePlugin[]): TensorRTError | undefined {
  if (missing.length === 0) return undefined;
  const list = missing.map(({ name: plugin, version, namespace, library, layers }) => {
    const where = namespace === '' ? '' : ` in namespace '${namespace}'`;
    const by = library === undefined ? '' : `, which ${library} had where it was built`;
    return `plugin '${plugin}' version ${version}${where} of layer ${layers.map((one) => `'${one}'`).join(', ')}${by}`;
  });
  const first = missing.find(({ library }) => library !== undefined)?.library ?? 'path';
  return new TensorRTError(
    'ERR_PLUGIN_MISSING',
    `${name} needs ${list.join('; ')}: load the library that has it before: await loadPluginLibrary(${JSON.stringify(first)})`,
    { expected: missing.map(({ name: plugin }) => plugin) },
  );
}
