import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machine } from '../machine/processor.js';
import { below, cacheDir, type Env, loaderPlaces, pythonFolders, type SearchPlace } from '../machine/search.js';

/** A folder that may hold NVRTC, and the folders that may hold CUDA's headers for it. */
export interface NvrtcPlace extends SearchPlace {
  headers: readonly string[];
}

const { triplet, cudaTargets } = machine();

/** Every place where NVRTC may be, in order of preference; the one that NODE_TENSORRT_NVRTC names is the first. */
export async function nvrtcPlaces(env: Env, libraryName: RegExp): Promise<NvrtcPlace[]> {
  const named = env.NODE_TENSORRT_NVRTC;
  const homes = [env.CUDA_HOME, env.CUDA_PATH].filter((home) => home?.startsWith('/')) as string[];
  const [loader, python, local, cached] = await Promise.all([
    loaderPlaces(env, libraryName),
    pythonFolders(env),
    below('/usr/local', /^cuda/),
    below(cacheDir(env), /^cuda-/),
  ]);
  return [
    ...(named ? [{ source: 'environment' as const, path: named, headers: [] }] : []),
    ...homes.flatMap((home) => toolkit(home, 'environment')),
    ...loader.map((path) => ({ source: 'loader' as const, path, headers: [] })),
    ...python.flatMap((folder) => wheels(folder, 'python')),
    ...local.flatMap((home) => toolkit(home, 'system')),
    ...['/usr/lib', `/usr/lib/${triplet}`, '/usr/lib64'].map((path) => {
      return { source: 'system' as const, path, headers: ['/usr/include'] };
    }),
    ...cached.flatMap((folder) => wheels(folder, 'cache')),
  ];
}

/** A CUDA toolkit, as NVIDIA installs it. */
function toolkit(home: string, source: NvrtcPlace['source']): NvrtcPlace[] {
  const targets = cudaTargets.map((target) => join(home, 'targets', target));
  const headers = [home, ...targets].map((folder) => join(folder, 'include'));
  const folders = [join(home, 'lib64'), join(home, 'lib'), ...targets.map((target) => join(target, 'lib'))];
  return folders.map((path) => ({ source, path, headers }));
}

/** PyPI's wheels: one folder per package up to CUDA 12, one per CUDA from 13 on. */
function wheels(folder: string, source: NvrtcPlace['source']): NvrtcPlace[] {
  const cuda13 = join(folder, 'nvidia', 'cu13');
  return [
    { source, path: join(cuda13, 'lib'), headers: [join(cuda13, 'include')] },
    {
      source,
      path: join(folder, 'nvidia', 'cuda_nvrtc', 'lib'),
      headers: [join(folder, 'nvidia', 'cuda_runtime', 'include')],
    },
  ];
}

/**
 * The folder with CUDA's headers for an NVRTC: those around it, or those of another place if they are of the same major version.
 */
export async function headersFor(path: string, version: string, places: readonly NvrtcPlace[]): Promise<string | null> {
  const folder = dirname(path);
  const [up, upper] = [dirname(folder), dirname(dirname(folder))];
  const around = [join(up, 'include'), join(upper, 'include'), join(upper, 'cuda_runtime', 'include')];
  const own = places.filter((place) => place.path === folder).flatMap(({ headers }) => headers);
  const major = Number.parseInt(version, 10);
  for (const one of new Set([...around, ...own, ...places.flatMap(({ headers }) => headers)]))
    if ((await majorOf(one)) === major) return one;
  return null;
}

/** Major version of the CUDA whose headers are in a folder; undefined if there are none. */
async function majorOf(folder: string): Promise<number | undefined> {
  const has = await readFile(join(folder, 'cuda_fp16.h'), 'latin1').catch(() => '');
  if (has === '') return undefined;
  const text = await readFile(join(folder, 'cuda.h'), 'latin1').catch(() => '');
  const [, cuda] = /^#define CUDA_VERSION (\d+)/m.exec(text) ?? [];
  return cuda === undefined ? undefined : Math.floor(Number(cuda) / 1000);
}
