import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readArguments } from '../errors/boundary.js';
import { show, TensorRTError } from '../errors/error.js';
import type { Pace } from '../pace.js';
import { isGone } from '../values/dtype.js';
import { type ByteSource, MappedSource, MemorySource } from './byte-source.js';
import { malformed } from './format-error.js';
import { looksLikeNpy, parseNpy } from './formats/npy.js';
import { parseNpz } from './formats/npz.js';
import { describeOther } from './formats/other-formats.js';
import type { ParsedFile, TensorEntry } from './formats/parsed-file.js';
import { looksLikePickle, parsePyTorch, pickleMember } from './formats/pytorch.js';
import { looksLikeLegacyPyTorch, parseLegacyPyTorch } from './formats/pytorch-legacy.js';
import { looksLikeSafetensors, parseSafetensors } from './formats/safetensors.js';
import { looksLikeIndex, parseIndex } from './formats/sharded.js';
import { Work } from './formats/work.js';
import { looksLikeWts, parseWts } from './formats/wts.js';
import { looksLikeZip, readZip } from './formats/zip.js';
import { storeOf, type Weights } from './store.js';

/**
 * Opens weight files, recognised by content, and returns their tensors by name. Files are mapped: opening reads
 * only headers, and elements are views of the file until something converts or rearranges them.
 * @param path a file, or several whose tensors are taken together
 * @throws ERR_WEIGHTS_FILE (cannot be read), ERR_WEIGHTS_FORMAT (does not keep to its format), ERR_WEIGHTS_NAME (a name in two files)
 */
export async function loadWeights(path: string | URL | readonly (string | URL)[]): Promise<Weights> {
  const list = () => (Array.isArray(path) ? path : [path]).map(pathText);
  const paths = readArguments('loadWeights', [path], list, 'ERR_WEIGHTS_FILE');
  if (paths.length === 0)
    throw new TensorRTError('ERR_WEIGHTS_FILE', 'Expected at least one weight file, given an empty list');
  const files: ParsedFile[] = [];
  try {
    for (const file of paths) files.push(...(await open(mapped(file))));
    return await storeOf(files, paths.join(', '));
  } catch (error) {
    for (const { source } of files) source.dispose();
    throw error;
  }
}

/**
 * Like `loadWeights`, from bytes in memory; they must not change while the weights are used.
 * @param name how messages refer to them
 */
export async function parseWeights(bytes: Uint8Array, name = 'weights'): Promise<Weights> {
  if (!(bytes instanceof Uint8Array)) {
    throw new TensorRTError(
      'ERR_WEIGHTS_FILE',
      `Expected the bytes of a weight file as Uint8Array, given ${typeof bytes}`,
    );
  }
  if (isGone(bytes)) {
    throw new TensorRTError('ERR_WEIGHTS_FILE', `The bytes of ${show(name)} are gone: their array was detached`);
  }
  return await storeOf(await open(new MemorySource(name, bytes), false), name);
}

async function open(source: ByteSource, shards = true): Promise<ParsedFile[]> {
  const work = new Work(source.size, (problem) => malformed(source.name, problem));
  try {
    const head = source.read(0, Math.min(source.size, headBytes));
    const isIndex = looksLikeIndex(head);
    const files = isIndex
      ? await openShards(source, await parseIndex(source, work), shards, work)
      : [await parse(source, head, work)];
    // Others ran meanwhile.
    if (!isIndex) source.check();
    return files;
  } catch (error) {
    source.dispose();
    throw error;
  }
}

/** @throws ERR_WEIGHTS_FILE; for a folder, it suggests a file in it */
function mapped(path: string): ByteSource {
  const stats = statsOf(path);
  if (stats && !stats.isFile() && !stats.isDirectory())
    throw new TensorRTError('ERR_WEIGHTS_FILE', `${path} cannot be read: expected a file, which can be mapped`);
  if (!stats?.isDirectory()) return new MappedSource(path);
  const names = namesIn(path);
  const indices = names.filter((name) => name.endsWith('.index.json'));
  const weights = names.filter((name) => /\.(safetensors|pt|pth|bin|npz|npy|wts)$/.test(name));
  const [first, second] = indices.length ? indices : weights;
  const hint =
    first && !second
      ? `; did you mean ${join(path, first)}?`
      : first
        ? `; it holds ${[...indices, ...weights].slice(0, 8).join(', ')}`
        : '; expected a weight file';
  throw new TensorRTError('ERR_WEIGHTS_FILE', `${path} is a folder${hint}`);
}

/** Undefined if there is nothing to look at; opening it says why. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    throw new TensorRTError(
      'ERR_WEIGHTS_FILE',
      `${folder} is a folder that cannot be read: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

const headBytes = 512;

async function parse(source: ByteSource, head: Uint8Array, work: Work): Promise<ParsedFile> {
  if (looksLikeNpy(head)) return parseNpy(source, tensorName(source.name));
  if (looksLikeZip(head)) {
    const zip = await readZip(source, work);
    const pickle = await pickleMember(zip, work);
    return pickle ? await parsePyTorch(source, zip, pickle, work) : await parseNpz(source, zip, work);
  }
  if (looksLikeSafetensors(head)) return await parseSafetensors(source, work);
  if (looksLikeLegacyPyTorch(head)) return await parseLegacyPyTorch(source, work);
  if (looksLikePickle(head))
    throw malformed(source.name, 'a bare pickle, which is not a weight format; save with torch.save or safetensors');
  const wts = looksLikeWts(head);
  if (wts) return await parseWts(source, wts, work);
  throw malformed(source.name, describeOther(head, source.size));
}

/** The shards of an index, each with only the tensors that the index says it has. */
async function openShards(
  index: ByteSource,
  shards: ReadonlyMap<string, string[]>,
  allowed: boolean,
  pace: Pace,
): Promise<ParsedFile[]> {
  if (!allowed)
    throw malformed(index.name, 'an index of shards, expected weights; an index is read only by its own path');
  const absent: string[] = [];
  for (const path of shards.keys()) {
    if (pace.due()) await pace.rest();
    if (!statsOf(path)) absent.push(path);
  }
  if (absent.length) {
    const names = `${absent.slice(0, 8).join(', ')}${absent.length > 8 ? ', …' : ''}`;
    throw new TensorRTError(
      'ERR_WEIGHTS_FILE',
      `${index.name}: ${absent.length} of its ${shards.size} files cannot be found: ${names}`,
    );
  }
  const files: ParsedFile[] = [];
  try {
    for (const [path, names] of shards) {
      const [file] = await open(new MappedSource(path), false);
      files.push(file!);
      file!.tensors = await chosen(index, path, file!.tensors, names, pace);
    }
  } catch (error) {
    for (const { source } of files) source.dispose();
    throw error;
  }
  index.dispose();
  return files;
}

/** The tensors that an index names, of those that the shard has. */
async function chosen(
  index: ByteSource,
  path: string,
  tensors: readonly TensorEntry[],
  names: readonly string[],
  pace: Pace,
): Promise<TensorEntry[]> {
  const known = new Map<string, TensorEntry>();
  for (const tensor of tensors) {
    if (pace.due()) await pace.rest();
    known.set(tensor.name, tensor);
  }
  const found: TensorEntry[] = [];
  const missing: string[] = [];
  for (const name of names) {
    if (pace.due()) await pace.rest();
    const tensor = known.get(name);
    if (tensor) found.push(tensor);
    else missing.push(name);
  }
  if (missing.length) {
    const name = JSON.stringify(missing[0]!.slice(0, 200));
    const more = missing.length > 1 ? ` and ${missing.length - 1} more are` : ' is';
    throw malformed(
      index.name,
      `says ${name}${more} in ${path}, which does not have ${missing.length > 1 ? 'them' : 'it'}`,
    );
  }
  return found;
}

const tensorName = (path: string): string => basename(path).replace(/\.npy$/, '');

function pathText(path: unknown): string {
  if (path instanceof URL) {
    if (path.protocol === 'file:') return decodeURIComponent(path.pathname);
  } else if (typeof path === 'string' && path !== '') return path;
  throw new TensorRTError(
    'ERR_WEIGHTS_FILE',
    `Expected the path of a weight file, given ${JSON.stringify(path) ?? typeof path}`,
  );
}
