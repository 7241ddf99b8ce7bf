import { createHash, type Hash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { TensorRTError } from '../errors/error.js';
import { reasonOf } from '../write-file.js';

/** CUDA source, as it was read. */
export interface KernelSource {
  text: string;
  /** Its path, or a name for source that was given as a string. */
  file: string;
  /** The folder that `#include "…"` begins at; null for source that was given as a string. */
  folder: string | null;
}

const longest = 16 * 2 ** 20;
const mostHeaders = 1000;

/** A path, or source. */
export type CudaSource = { readonly file: string } | { readonly source: string };

/**
 * Reads the source of a kernel.
 * @param name of the plugin, for messages
 * @throws {TensorRTError} ERR_KERNEL if it cannot be read
 */
export async function readSource(name: string, cuda: CudaSource): Promise<KernelSource> {
  if ('source' in cuda) return checked({ text: cuda.source, file: `${name}.cu`, folder: null });
  const path = cuda.file;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const help = missing ? await howToCopy(path) : '';
    const said = `the CUDA source of ${name} cannot be read: ${path}: ${reasonOf(error)}${help}`;
    throw new TensorRTError('ERR_KERNEL', said, { actual: path, cause: error });
  }
  return checked({ text, file: path, folder: dirname(path) });
}

function checked(source: KernelSource): KernelSource {
  const said =
    source.text.length > longest
      ? `${source.file} has ${source.text.length} letters: expected at most ${longest}`
      : source.text.includes('\0')
        ? `${source.file} holds a zero byte: it is no CUDA source`
        : undefined;
  if (said) throw new TensorRTError('ERR_KERNEL', said, { actual: source.file });
  return source;
}

/** tsc leaves `.cu` files where they are. */
async function howToCopy(path: string): Promise<string> {
  const parts = path.split(sep);
  const at = parts.lastIndexOf('dist');
  const built = at < 0 ? parts.findLastIndex((part) => part === 'build' || part === 'out' || part === 'lib') : at;
  if (built < 0) return '';
  const from = join(sep, ...parts.slice(0, built), 'src');
  const original = join(from, ...parts.slice(built + 1));
  const isThere = await access(original).then(
    () => true,
    () => false,
  );
  const to = join(sep, ...parts.slice(0, built + 1));
  const copy = `node -e "fs.cpSync('src','${parts[built]}',{recursive:true,filter:f=>fs.statSync(f).isDirectory()||/\\.cuh?$/.test(f)})"`;
  const where = isThere ? `; it is in ${dirname(original)}` : '';
  return `${where}. TypeScript's compiler copies no .cu files; after it, run this in ${dirname(to)}: ${copy}`;
}

const refused: readonly [RegExp, string][] = [
  [/^(-arch|--gpu-architecture)(=|$)/, 'the architecture is that of the GPU'],
  [/^(-o|--output-file)(=|$)/, 'nothing is written'],
  [/^(--ptx|-ptx|-cubin|--cubin|-fatbin|--fatbin)$/, 'kernels are compiled to machine code'],
  [/^(-dlto|--dlink-time-opt|-gen-opt-lto)(=|$)/, 'kernels are compiled to machine code'],
  [/^(-rdc|--relocatable-device-code)=true$|^(-dc|--device-c)$/, 'kernels are not linked'],
  [/^(-?-pch|--create-pch|--use-pch|--pch-dir|-pch-dir)(=|$)/, 'no files of compiled headers are kept'],
  [/^(-time|--time|--fdevice-time-trace|-fdevice-time-trace)(=|$)/, 'nothing is written'],
];

/**
 * Checks NVRTC's options and gives folders of headers their full paths, from the folder of the source on.
 * @returns the options to pass on, and the folders of headers among them
 * @throws {TensorRTError} ERR_KERNEL
 */
export function readOptions(
  name: string,
  given: readonly string[],
  folder: string | null,
): { options: string[]; folders: string[] } {
  const fail = (said: string, actual: unknown): never => {
    throw new TensorRTError('ERR_KERNEL', `options of ${name}: ${said}`, { option: 'options', actual });
  };
  const folders: string[] = [];
  const full = (path: string) => {
    if (!isAbsolute(path) && folder === null)
      fail(`expected the absolute path of a folder, given ${path}: the source has no folder`, path);
    folders.push(resolve(folder ?? sep, path));
    return folders.at(-1)!;
  };
  const options: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const option = given[i]!;
    if (typeof option !== 'string' || option === '' || option.includes('\0'))
      fail(`expected options of NVRTC's, such as --use_fast_math, given ${JSON.stringify(option)}`, option);
    const why = refused.find(([pattern]) => pattern.test(option))?.[1];
    if (why) fail(`${option} is not taken: ${why}`, option);
    const [, flag, path] = /^(-I|--include-path(?:=|$))(.*)$/.exec(option) ?? [];
    if (flag === undefined) options.push(option);
    else if (path !== '') options.push(`--include-path=${full(path!)}`);
    else if (given[i + 1] === undefined) fail(`expected a folder after ${option}`, option);
    else options.push(`--include-path=${full(given[++i]!)}`);
  }
  return { options, folders };
}

const include = /^[ \t]*#[ \t]*include\b[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|(.*))/gm;

/** What a kernel is made of. */
export interface SourceFiles {
  /** SHA-256 of the source and of every header in the caller's folders. */
  hash: string;
  texts: string[];
  /** Whether an include is a macro's, so that not all headers are known. */
  isOpen: boolean;
}

/** Follows the includes into the caller's folders; CUDA's own headers go with NVRTC's version. */
export async function sourceFiles(source: KernelSource, folders: readonly string[]): Promise<SourceFiles> {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const files: SourceFiles = { hash: '', texts: [], isOpen: false };
  await follow(source.text, source.folder, folders, { hash, seen, files });
  files.hash = hash.digest('hex');
  return files;
}

interface Walk {
  hash: Hash;
  seen: Set<string>;
  files: SourceFiles;
}

async function follow(text: string, folder: string | null, folders: readonly string[], walk: Walk): Promise<void> {
  walk.hash.update(`${Buffer.byteLength(text)}\0`).update(text);
  walk.files.texts.push(text);
  for (const [, quoted, angled, macro] of text.matchAll(include)) {
    if (macro !== undefined) walk.files.isOpen = true;
    const name = quoted ?? angled;
    if (name === undefined) continue;
    // A quoted name may be beside what includes it; both are looked for in the folders.
    const places = [...(quoted !== undefined && folder !== null ? [folder] : []), ...folders];
    for (const path of places.map((place) => resolve(place, name))) {
      const found = walk.seen.has(path) ? '' : await readFile(path, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      if (!walk.seen.has(path) && walk.seen.size < mostHeaders) {
        walk.seen.add(path);
        walk.hash.update(`${basename(path)}\0`);
        await follow(found, dirname(path), folders, walk);
      }
      break;
    }
  }
}

/** What may stand between __global__ and a kernel's name, with parentheses of its own. */
const attributes =
  /\b__(?:launch_bounds|cluster_dims|maxnreg|attribute|block_size)__\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g;
const kernel = /(\btemplate\s*<[^;{}]*?>\s*)?(?:extern\s+"C"\s+)?(?:static\s+)?\b__global__\b[^;{}()]*?\b(\w+)\s*\(/g;

/** The names of the kernels in sources; templates as `rmsNorm<…>`. */
export function kernelsIn(texts: readonly string[]): string[] {
  const names = texts.flatMap((text) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ' ').replaceAll(attributes, ' ');
    return [...code.matchAll(kernel)].map(([, template, name]) => (template ? `${name}<…>` : name!));
  });
  return [...new Set(names)];
}
