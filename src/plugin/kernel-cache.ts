import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, type Env } from '../machine/search.js';
import { makeFolder, writeFileWhole } from '../write-file.js';

/** What NVRTC made of a source. */
export interface CompiledKernels {
  cubin: Uint8Array;
  /** Of each name expression, in order. */
  lowered: readonly string[];
  /** NVRTC's warnings. */
  log: string;
}

/** Most bytes of this process's memory, and of the folder, that compiled kernels take. */
const mostInMemory = 64 * 2 ** 20;
const mostOnDisk = 256 * 2 ** 20;
const suffix = '.kernels';
const magic = Buffer.from('NTKC0001');
const block = 4096;

const inMemory = new Map<string, CompiledKernels>();
const underWay = new Map<string, Promise<CompiledKernels>>();
let bytesInMemory = 0;

/** @internal For tests. */
export function forgetKernels(): void {
  inMemory.clear();
  bytesInMemory = 0;
}

/** The folder that compiled kernels are kept in. */
export const kernelFolder = (env: Env): string => join(cacheDir(env), 'kernels');

/**
 * Compiled kernels from memory or disk, or what `compile` makes. Several that want the same at once compile it once. What is
 * damaged on disk is compiled again; a folder that cannot be written is done without.
 * @param key all that the result depends on
 * @param onDisk whether the key says enough to be true tomorrow
 */
export function cachedKernels(
  key: readonly string[],
  env: Env,
  onDisk: boolean,
  compile: () => Promise<CompiledKernels>,
): Promise<CompiledKernels> {
  const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  const known = inMemory.get(hash);
  if (known && onDisk) {
    inMemory.delete(hash);
    inMemory.set(hash, known);
    return Promise.resolve(known);
  }
  if (!onDisk) return compile();
  const running = underWay.get(hash) ?? obtain(hash, env, compile).finally(() => underWay.delete(hash));
  underWay.set(hash, running);
  return running;
}

async function obtain(hash: string, env: Env, compile: () => Promise<CompiledKernels>): Promise<CompiledKernels> {
  const path = join(kernelFolder(env), hash + suffix);
  const stored = await readFile(path).then(decode, () => undefined);
  const kernels = stored ?? (await compile());
  remember(hash, kernels);
  if (stored) {
    const now = new Date();
    await utimes(path, now, now).catch(() => {});
  } else {
    await store(path, kernels).catch(() => {});
  }
  return kernels;
}

function remember(hash: string, kernels: CompiledKernels): void {
  inMemory.set(hash, kernels);
  bytesInMemory += kernels.cubin.length;
  for (const [oldest, { cubin }] of inMemory) {
    if (bytesInMemory <= mostInMemory || oldest === hash) break;
    inMemory.delete(oldest);
    bytesInMemory -= cubin.length;
  }
}

/** A hash of the rest, the length of a head in JSON, the head, the cubin. */
function encode({ cubin, lowered, log }: CompiledKernels): Buffer {
  const head = Buffer.from(JSON.stringify({ lowered, log }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const rest = Buffer.concat([length, head, cubin]);
  return Buffer.concat([magic, createHash('sha256').update(rest).digest(), rest]);
}

const prologue = magic.length + 32;

function decode(bytes: Buffer): CompiledKernels | undefined {
  if (bytes.length < prologue + 4 || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const rest = bytes.subarray(prologue);
  if (!createHash('sha256').update(rest).digest().equals(bytes.subarray(magic.length, prologue))) return undefined;
  const end = 4 + rest.readUInt32LE(0);
  const { lowered, log } = JSON.parse(rest.toString('utf8', 4, end)) as { lowered: string[]; log: string };
  return { cubin: new Uint8Array(rest.subarray(end)), lowered, log };
}

async function store(path: string, kernels: CompiledKernels): Promise<void> {
  const folder = join(path, '..');
  await makeFolder(folder);
  await writeFileWhole(path, (append) => append(encode(kernels)));
  await removeOldest(folder);
}

/** Removes what was not used for longest, until a quarter of the room is free. */
async function removeOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
      return { path, bytes: Math.ceil(size / block) * block, mtimeMs };
    }),
  );
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes <= mostOnDisk) return;
  for (const file of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (bytes <= mostOnDisk * 0.75) return;
    await rm(file.path, { force: true });
    bytes -= file.bytes;
  }
}
