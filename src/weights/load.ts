import { basename } from 'node:path';
import { TensorRTError } from '../dsl/errors.js';
import type { ParsedFile } from './entry.js';
import { malformed } from './format-error.js';
import { looksLikeNpy, parseNpy } from './npy.js';
import { looksLikeSafetensors, parseSafetensors } from './safetensors.js';
import { MappedSource, MemorySource, type Source } from './source.js';
import { storeOf, type Weights } from './store.js';

/**
 * Opens weight files, recognised by their content, and gives their tensors by name. Files are mapped: opening reads
 * only headers, and elements are views of the file until something converts or rearranges them.
 * @param path a file, or several whose tensors are taken together
 * @throws ERR_WEIGHTS_FILE (cannot be read), ERR_WEIGHTS_FORMAT (does not keep to its format), ERR_WEIGHTS_NAME (a name in two files)
 */
export async function loadWeights(path: string | URL | readonly (string | URL)[]): Promise<Weights> {
  const paths = (Array.isArray(path) ? path : [path]).map(pathText);
  if (paths.length === 0)
    throw new TensorRTError('ERR_WEIGHTS_FILE', 'Expected at least one weight file, given an empty list');
  const files: ParsedFile[] = [];
  try {
    for (const file of paths) files.push(await open(new MappedSource(file)));
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
  return storeOf([await open(new MemorySource(name, bytes))], name);
}

async function open(source: Source): Promise<ParsedFile> {
  try {
    return await recognise(source);
  } catch (error) {
    source.dispose();
    throw error;
  }
}

const headBytes = 512;

async function recognise(source: Source): Promise<ParsedFile> {
  const head = source.read(0, Math.min(source.size, headBytes));
  if (looksLikeNpy(head)) return parseNpy(source, tensorName(source.name));
  if (looksLikeSafetensors(head, source.size)) return parseSafetensors(source);
  throw malformed(source.name, `no known weight format (${source.size} bytes); expected ${formats}`);
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
