import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TensorRTError } from '../dsl/errors.js';
import { reading } from '../dsl/source.js';
import type { ParsedFile } from './entry.js';
import { malformed } from './format-error.js';
import { looksLikeNpy, parseNpy } from './npy.js';
import { parseNpz } from './npz.js';
import { looksLikePickle, parsePyTorch, pickleMember } from './pytorch.js';
import { looksLikeLegacyPyTorch, parseLegacyPyTorch } from './pytorch-legacy.js';
import { looksLikeSafetensors, parseSafetensors } from './safetensors.js';
import { looksLikeIndex, parseIndex } from './sharded.js';
import { MappedSource, MemorySource, type Source } from './source.js';
import { storeOf, type Weights } from './store.js';
import { looksLikeWts, parseWts } from './wts.js';
import { looksLikeZip, readZip } from './zip.js';

/**
 * Opens weight files, recognised by their content, and gives their tensors by name. Files are mapped: opening reads
 * only headers, and elements are views of the file until something converts or rearranges them.
 * @param path a file, or several whose tensors are taken together
 * @throws ERR_WEIGHTS_FILE (cannot be read), ERR_WEIGHTS_FORMAT (does not keep to its format), ERR_WEIGHTS_NAME (a name in two files)
 */
export async function loadWeights(path: string | URL | readonly (string | URL)[]): Promise<Weights> {
  const list = () => (Array.isArray(path) ? path : [path]).map(pathText);
  const paths = reading('loadWeights', [path], list, 'ERR_WEIGHTS_FILE');
  if (paths.length === 0)
    throw new TensorRTError('ERR_WEIGHTS_FILE', 'Expected at least one weight file, given an empty list');
  const files: ParsedFile[] = [];
  try {
    for (const file of paths) files.push(...(await open(mapped(file))));
    return storeOf(files, paths.join(', '));
  } catch (error) {
    for (const { source } of files) source.dispose();
    throw error;
  }
}

/**
 * Like `loadWeights`, from bytes in memory; they must not change while the weights are used.
 * @param name what messages call them
 */
export async function parseWeights(bytes: Uint8Array, name = 'weights'): Promise<Weights> {
  if (!(bytes instanceof Uint8Array)) {
    throw new TensorRTError(
      'ERR_WEIGHTS_FILE',
      `Expected the bytes of a weight file as Uint8Array, given ${typeof bytes}`,
    );
  }
  return storeOf(await open(new MemorySource(name, bytes), false), name);
}

async function open(source: Source, shards = true): Promise<ParsedFile[]> {
  try {
    const head = source.read(0, Math.min(source.size, headBytes));
    if (!looksLikeIndex(head)) return [await parse(source, head)];
    if (!shards)
      throw malformed(source.name, 'an index of shards, expected weights; an index is read only by its own path');
    return await openShards(source);
  } catch (error) {
    source.dispose();
    throw error;
  }
}

/** @throws ERR_WEIGHTS_FILE, which for a folder says what in it may be meant */
function mapped(path: string): Source {
  if (path.includes('\0') || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return new MappedSource(path);
  const names = readdirSync(path).sort();
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

const headBytes = 512;

async function parse(source: Source, head: Uint8Array): Promise<ParsedFile> {
  if (looksLikeNpy(head)) return parseNpy(source, tensorName(source.name));
  if (looksLikeZip(head)) {
    const members = await readZip(source);
    const pickle = pickleMember(members);
    return pickle ? parsePyTorch(source, members, pickle) : parseNpz(source, members);
  }
  if (looksLikeSafetensors(head, source.size)) return parseSafetensors(source);
  if (looksLikeLegacyPyTorch(head)) return parseLegacyPyTorch(source);
  if (looksLikePickle(head))
    throw malformed(source.name, 'a bare pickle, which is no weight format; save with torch.save or safetensors');
  const wts = looksLikeWts(head);
  if (wts) return parseWts(source, wts);
  throw malformed(source.name, `no known weight format (${source.size} bytes); expected ${formats}`);
}

/** The shards of an index, each with only the tensors that the index says it has. */
async function openShards(index: Source): Promise<ParsedFile[]> {
  const shards = parseIndex(index);
  const files: ParsedFile[] = [];
  try {
    for (const [path, names] of shards) {
      const [file] = await open(new MappedSource(path), false);
      files.push(file!);
      const tensors = new Map(file!.tensors.map((tensor) => [tensor.name, tensor]));
      const missing = names.find((name) => !tensors.has(name));
      if (missing !== undefined)
        throw malformed(index.name, `says ${JSON.stringify(missing)} is in ${path}, which does not have it`);
      file!.tensors = names.map((name) => tensors.get(name)!);
    }
  } catch (error) {
    for (const { source } of files) source.dispose();
    throw error;
  }
  index.dispose();
  return files;
}

const formats = 'safetensors, npy, npz, a PyTorch checkpoint, .wts or .index.json';

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
