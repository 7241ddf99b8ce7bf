import { execFile } from 'node:child_process';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

/** Where a library was found. */
export type LibrarySource = 'environment' | 'loader' | 'python' | 'system' | 'cache';

export interface SearchPlace {
  source: LibrarySource;
  /** A folder to search, or a library. */
  path: string;
}

/** An environment, such as `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The folder that `node-tensorrt install` fills: NODE_TENSORRT_CACHE, else `$XDG_CACHE_HOME/node-tensorrt`, else `~/.cache/…`.
 * As the XDG specification says, a relative XDG_CACHE_HOME does not count.
 */
export function cacheDir(env: Env = process.env): string {
  const [xdg] = absolute([env.XDG_CACHE_HOME]);
  return env.NODE_TENSORRT_CACHE || join(xdg ?? join(homedir(), '.cache'), 'node-tensorrt');
}

/** Nothing is searched, run or loaded because the working directory happens to hold it. */
const absolute = (paths: readonly (string | undefined)[]): string[] =>
  paths.filter((path) => path !== undefined && isAbsolute(path)) as string[];

/** The absolute paths of a list such as PATH. */
const listed = (list: string | undefined): string[] => absolute((list ?? '').split(delimiter));

/** What a folder has under such a name, the newest version first; not what is being installed. */
export async function below(dir: string, name: RegExp): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((one) => name.test(one) && !/\.(lock|tmp-.*)$/.test(one))
    .sort()
    .reverse()
    .map((one) => join(dir, one));
}

/** Real paths of the libraries in a folder that have such a name. If the path is a file, that file. */
export async function librariesNamed(pattern: RegExp, path: string): Promise<string[]> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return [await realpath(path)];
    names = (await readdir(path)).filter((name) => pattern.test(name));
  } catch {
    return [];
  }
  const real = await Promise.all(names.map((name) => realpath(join(path, name)).catch(() => null)));
  return [...new Set(real.filter((one) => one !== null))];
}

let ldconfig: Promise<[name: string, path: string][]> | undefined;

/** LD_LIBRARY_PATH's folders, then the libraries of that name in the loader's cache. */
export async function loaderPlaces(env: Env, name: RegExp): Promise<string[]> {
  ldconfig ??= output('/sbin/ldconfig', ['-p'], process.env).then((text) =>
    [...text.matchAll(/^\s*(\S+) .*=> (\S+)$/gm)].map(([, its, path]) => [its!, path!]),
  );
  return [...listed(env.LD_LIBRARY_PATH), ...(await ldconfig).flatMap(([its, path]) => (name.test(its) ? [path] : []))];
}

const pythonCache = new Map<string, Promise<string[]>>();

/** The folders that the active Python imports packages from. */
export async function pythonFolders(env: Env): Promise<string[]> {
  const key = ['PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'PYTHONPATH', 'HOME'].map((name) => env[name]).join('\0');
  const cached = pythonCache.get(key) ?? sitePackages(env);
  pythonCache.set(key, cached);
  return [...listed(env.PYTHONPATH), ...(await cached)];
}

async function sitePackages(env: Env): Promise<string[]> {
  const [active] = absolute([env.VIRTUAL_ENV || env.CONDA_PREFIX]);
  if (active)
    return below(join(active, 'lib'), /^python3/).then((dirs) => dirs.map((dir) => join(dir, 'site-packages')));
  for (const dir of listed(env.PATH)) {
    const python = join(dir, 'python3');
    const real = await realpath(python).catch(() => null);
    if (!real) continue;
    if (await isScript(real)) return askPython(python, env);
    // A virtual environment's python3 is a link: use the link's folder, not its target's.
    const own = await stat(join(dir, '..', 'pyvenv.cfg')).then(
      () => dirname(dir),
      () => dirname(dirname(real)),
    );
    const version = basename(real).startsWith('python3.') ? basename(real) : null;
    if (!version) return askPython(python, env);
    const home = join(env.HOME || homedir(), '.local');
    return [
      ...[home, own, '/usr/local'].map((prefix) => join(prefix, 'lib', version, 'site-packages')),
      join('/usr/local/lib', version, 'dist-packages'),
      '/usr/lib/python3/dist-packages',
    ];
  }
  return [];
}

/**
 * Version managers wrap Python in scripts: then only Python itself knows its folders. Isolated (-I), and started in `/`, it
 * takes no module and no version manager's file from the working directory.
 */
async function askPython(python: string, env: Env): Promise<string[]> {
  const program =
    'import site, sys; print("\\n".join([site.getusersitepackages(), *site.getsitepackages(), *sys.path]))';
  const lines = (await output(python, ['-I', '-c', program], env)).split('\n');
  return [...new Set(lines.filter((line) => line.startsWith('/')))];
}

async function isScript(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(new Uint8Array(2), 0, 2, 0);
    return Buffer.from(buffer).toString('latin1') === '#!';
  } finally {
    await file.close();
  }
}

/**
 * What a short command prints; nothing if it fails, takes longer than 5 s, or Node's permission model lets no process start. The working
 * directory does not count.
 */
async function output(command: string, args: string[], env: Env): Promise<string> {
  const options = { cwd: '/', env: { ...env, PATH: listed(env.PATH).join(delimiter) }, timeout: 5000 };
  try {
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch {
    return '';
  }
}
