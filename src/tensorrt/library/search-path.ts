import { join } from 'node:path';
import { machine } from '../../machine/processor.js';
import {
  below,
  cacheDir,
  type Env,
  type LibrarySource,
  librariesNamed,
  loaderPlaces,
  pythonFolders,
  type SearchPlace,
} from '../../machine/search.js';

const TRIPLET = machine().triplet;
const LIBRARY_NAME = /^lib(?:nvinfer|tensorrt_rtx)\.so(?:\.\d+)*$/;

/** Every place where TensorRT may be, in order of preference. */
export async function searchPlaces(env: Env = process.env): Promise<SearchPlace[]> {
  const at = (source: LibrarySource, paths: string[]) => paths.map((path) => ({ source, path }));
  const root = env.TENSORRT_ROOT;
  const [loader, python, system, cache] = await Promise.all([
    loaderPlaces(env, LIBRARY_NAME),
    pythonPlaces(env),
    systemPlaces(),
    below(cacheDir(env), /^tensorrt/i),
  ]);
  return [
    ...at('environment', env.NODE_TENSORRT_LIBRARY ? [env.NODE_TENSORRT_LIBRARY] : []),
    ...at('environment', root ? layouts(root) : []),
    ...at('loader', loader),
    ...at('python', python),
    ...at('system', system),
    ...at('cache', cache.flatMap(layouts)),
  ];
}

/** Real paths of the TensorRT libraries in a folder. If the path is a file, that file. */
export const librariesAt = (path: string): Promise<string[]> => librariesNamed(LIBRARY_NAME, path);

/** Folders where a TensorRT from an archive, package or wheel keeps its libraries. */
function layouts(root: string): string[] {
  const folders = [
    '',
    'lib',
    'lib64',
    `lib/${TRIPLET}`,
    `targets/${TRIPLET}/lib`,
    'tensorrt_libs',
    'tensorrt_rtx_libs',
  ];
  return folders.map((folder) => join(root, folder));
}

async function systemPlaces(): Promise<string[]> {
  const unpacked = await Promise.all(['/usr/local', '/opt', '/opt/nvidia'].map((dir) => below(dir, /^tensorrt/i)));
  return ['/usr/lib', `/usr/lib/${TRIPLET}`, '/usr/lib64', '/usr/local/lib', ...unpacked.flat().flatMap(layouts)];
}

/** `tensorrt_libs` and `tensorrt_rtx_libs` in the active Python's import folders. */
async function pythonPlaces(env: Env): Promise<string[]> {
  const folders = await pythonFolders(env);
  return folders.flatMap((folder) => [join(folder, 'tensorrt_libs'), join(folder, 'tensorrt_rtx_libs')]);
}
