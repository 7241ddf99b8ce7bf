import { readFile } from 'node:fs/promises';
import { basename, join, parse } from 'node:path';
import { show, TensorRTError } from '../errors/error.js';
import { extractPlan } from '../tensorrt/files/extract.js';
import { readEngineFile } from '../tensorrt/files/read.js';
import { Engine } from '../tensorrt/run/engine.js';
import { loadEngine } from '../tensorrt/run/load.js';
import { type Append, makeFolder, reasonOf, writeFileWhole } from '../write-file.js';
import { tritonConfig } from './config.js';
import { readTritonOptions, type TritonOptions } from './options.js';
import { refuseTriton, type ServedEngine, servedEngine, servedFile } from './served.js';

/** What was written. */
export interface TritonRepository {
  /** The model's name. */
  name: string;
  /** Paths of the files. */
  files: string[];
  /** 0 where requests are not put together. */
  maxBatchSize: number;
  /** Options of `tritonserver` beside `--model-repository`, which plugins and version-compatible engines need. */
  serverOptions: string[];
  /** What has to be known to serve it. */
  notes: string[];
}

/**
 * Writes a model repository for Triton Inference Server: `<repository>/<name>/config.pbtxt`, `<version>/model.plan`, and `plugins/` with
 * plugin libraries. Other models and versions in the repository stay. The plan is written before the configuration.
 * @param engine an engine, or the path of a file. A file that was saved with metadata needs no TensorRT and no GPU; any other is loaded
 * @throws ERR_TRITON if Triton cannot serve the engine, ERR_PARAMETER, ERR_SAVE; for a file ERR_ENGINE_FILE, and what `loadEngine` throws
 */
export async function writeTritonRepository(
  engine: Engine | string,
  repository: string,
  options: TritonOptions = {},
): Promise<TritonRepository> {
  const read = readTritonOptions(options);
  if (typeof repository !== 'string' || repository === '') {
    throw new TensorRTError('ERR_PARAMETER', `triton: expected the path of a repository, given ${show(repository)}`);
  }
  if (engine instanceof Engine) {
    const { bytes } = engine;
    return await writeServed(servedEngine(engine), repository, read, (path) => write(path, (append) => append(bytes)));
  }
  const { metadata } = await readEngineFile(engine);
  const name = read.name ?? nameOf(engine);
  const extract = async (path: string) => void (await extractPlan(engine, path));
  return await writeServed(
    (metadata && servedFile(metadata)) ?? (await loadServed(engine, read.library)),
    repository,
    { ...read, name },
    extract,
  );
}

async function loadServed(path: string, library: string | undefined): Promise<ServedEngine> {
  using engine = await loadEngine(path, { library });
  return servedEngine(engine);
}

/** A file's name without its extension, as far as it may be a model's. */
const nameOf = (path: string): string =>
  basename(path)
    .replace(/\.(engine|plan|trt)$/i, '')
    .replace(/^\.+/, '') || 'model';

/** Plugins for whose code no library was given. */
function checkPlugins({ plugins = [] }: ServedEngine, libraries: readonly string[]): void {
  const open = plugins.filter(({ code }) => code !== 'tensorrt');
  if (open.length === 0 || libraries.length > 0) return;
  const known = [...new Set(open.flatMap(({ library }) => library ?? []))];
  const where =
    known.length > 0 ? `, such as ${known.join(', ')}` : '; node-tensorrt plugins library writes that of your own';
  refuseTriton(
    `the engine has plugins (${open.map(({ name }) => name).join(', ')}): expected the library that has them in plugins${where}`,
  );
}

/** @internal `writePlan`: writes the plan to a path. */
export async function writeServed(
  engine: ServedEngine,
  repository: string,
  options: TritonOptions,
  writePlan: (path: string) => Promise<void>,
): Promise<TritonRepository> {
  const { name = 'model', version = 1, plugins = [] } = options;
  checkPlugins(engine, plugins);
  const { text, maxBatchSize, warmupFiles } = tritonConfig(name, engine, options);
  const libraries = await Promise.all(plugins.map(async (path) => ({ path, bytes: await readLibrary(path) })));
  const folder = join(repository, name);
  const files: string[] = [];
  const put = async (path: readonly string[], fill: (target: string) => Promise<void>) => {
    const target = join(folder, ...path);
    await folderOf(target);
    await fill(target);
    files.push(target);
  };
  const bytes = (content: Uint8Array) => (target: string) => write(target, (append) => append(content));
  const served: string[] = [];
  for (const { path, bytes: content } of libraries) {
    await put(['plugins', basename(path)], bytes(content));
    served.push(files.at(-1)!);
  }
  await put([String(version), 'model.plan'], writePlan);
  for (const [file, content] of warmupFiles) await put(['warmup', file], bytes(content));
  await put(['config.pbtxt'], bytes(new TextEncoder().encode(text)));
  return {
    name,
    files,
    maxBatchSize,
    serverOptions: serverOptions(engine, served),
    notes: notesOf(engine, maxBatchSize),
  };
}

/** Triton's TensorRT backend takes libraries and its trust in plans from the command line alone, not from `config.pbtxt`. */
function serverOptions({ options }: ServedEngine, libraries: readonly string[]): string[] {
  const found: string[] = [];
  if (libraries.length > 0) found.push(`--backend-config=tensorrt,plugins=${libraries.join(';')}`);
  if (options?.versionCompatible) found.push('--backend-config=tensorrt,version-compatible=true');
  return found;
}

function notesOf({ library, options, inputs, profiles }: ServedEngine, maxBatchSize: number): string[] {
  const { flavor, version } = library;
  const release = flavor === 'trt10' || flavor === 'trt11' ? `TensorRT ${version}` : version;
  const found = options?.versionCompatible
    ? [`needs a Triton with ${release} or a later release of the same major version`]
    : [`needs a Triton with ${release}, and a GPU like the one that built the engine`];
  if (maxBatchSize > 0) {
    const least = Math.min(
      ...profiles.map((profile) => Math.max(...inputs.map(({ name }) => profile[name]?.min[0] ?? 1))),
    );
    if (least > 1) found.push(`requests of fewer than ${least} items are refused: every profile begins there`);
  }
  return found;
}

const failed = (what: string, path: string, cause: unknown): TensorRTError =>
  cause instanceof TensorRTError
    ? cause
    : new TensorRTError('ERR_SAVE', `could not ${what} ${path}: ${reasonOf(cause)}`, { cause });

async function folderOf(path: string): Promise<void> {
  const { dir } = parse(path);
  await makeFolder(dir).catch((cause: unknown) => {
    throw failed('make the folder', dir, cause);
  });
}

async function write(path: string, fill: (append: Append) => Promise<void>): Promise<void> {
  await writeFileWhole(path, fill).catch((cause: unknown) => {
    throw failed('write', path, cause);
  });
}

async function readLibrary(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw failed('read the plugin library', path, cause);
  });
}
