import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { show, TensorRTError } from '../../errors/error.js';
import { reasonOf } from '../../write-file.js';
import { type ContainerHead, firstBytes, isContainer, readContainer } from './container.js';
import { checkMetadata, type EngineMetadata } from './metadata.js';
import { mayBePlan, type PlanHeader, planHeaderBytes, readPlanHeader } from './plan-header.js';
import { damaged, type EngineSource, fileSource, type OpenFile } from './source.js';
import { readUltralytics } from './ultralytics.js';

/** `'plan'` is TensorRT's own format; a container is what `engine.save(path, { metadata })` writes. */
export type EngineFormat = 'plan' | 'container' | 'ultralytics';

/** What is in an engine file. */
export interface EngineFile {
  /** What kind of file it is. */
  format: EngineFormat;
  /** Undefined for a plan. */
  metadata?: EngineMetadata | undefined;
  /** Where TensorRT's plan is in the file, in bytes, and what its own first bytes say, if they are known. */
  plan: { offset: number; bytes: number; header?: PlanHeader | undefined };
}

/** @internal */
export interface ParsedEngine extends EngineFile {
  /** Of the plan in a container. */
  checksums?: Uint32Array | undefined;
}

/** @internal Reads all but the plan. @throws ERR_ENGINE_FILE */
export async function parseEngine(source: EngineSource): Promise<ParsedEngine> {
  const { name, size } = source;
  if (size === 0) throw new TensorRTError('ERR_ENGINE', `${name} is empty: 0 bytes`);
  const head = await source.read(0, Math.min(firstBytes, size));
  if (isContainer(source, head)) {
    const { metadata, checksums, ...place }: ContainerHead = await readContainer(source);
    const plan = await withHeader(source, place);
    return { format: 'container', metadata: checkMetadata(metadata, name), plan, checksums };
  }
  const ultralytics = await readUltralytics(source, head);
  if (ultralytics) {
    const { offset, metadata } = ultralytics;
    const plan = await withHeader(source, { offset, bytes: size - offset });
    return { format: 'ultralytics', metadata: { user: metadata }, plan };
  }
  if (!mayBePlan(head)) throw noEngine(name, head);
  return { format: 'plan', plan: await withHeader(source, { offset: 0, bytes: size }) };
}

function noEngine(name: string, head: Uint8Array): TensorRTError {
  const first = Buffer.from(head.subarray(0, 8));
  const text = /^[\x20-\x7e]+$/.test(first.toString('latin1')) ? ` (${show(first.toString('latin1'))})` : '';
  const begin = `begins with ${first.toString('hex').replace(/..(?=.)/g, '$& ')}${text}, as no engine does`;
  return damaged(name, `${begin}: expected a plan of TensorRT, a container of engine.save, or a file of Ultralytics'`);
}

async function withHeader(source: EngineSource, place: { offset: number; bytes: number }): Promise<EngineFile['plan']> {
  const header = readPlanHeader(await source.read(place.offset, Math.min(planHeaderBytes, place.bytes)));
  return { ...place, ...(header && { header }) };
}

/** @internal Opens a regular file. @throws ERR_LOAD */
export async function openFile(path: string): Promise<{ file: OpenFile; source: EngineSource }> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    // A FIFO is not waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('not a file');
    return { file, source: fileSource(path, stats.size, file) };
  } catch (cause) {
    await file?.close();
    throw unreadable(path, cause);
  }
}

/** @internal */
export const unreadable = (path: string, cause: unknown): TensorRTError =>
  cause instanceof TensorRTError
    ? cause
    : new TensorRTError('ERR_LOAD', `could not read the engine ${path}: ${reasonOf(cause)}`, { cause });

/**
 * Reads what an engine file says about its engine: a container's metadata, or that of Ultralytics. It needs no TensorRT and no GPU, and reads
 * all but the plan, whose checksums are compared only when it is loaded.
 * @throws ERR_LOAD if the file cannot be read, ERR_ENGINE_FILE if it is damaged or no engine
 */
export async function readEngineFile(path: string): Promise<EngineFile> {
  if (typeof path !== 'string' || path === '') {
    throw new TensorRTError('ERR_LOAD', `readEngineFile: expected a path, given ${show(path)}`);
  }
  const { file, source } = await openFile(path);
  try {
    const { format, metadata, plan } = await parseEngine(source);
    return { format, ...(metadata && { metadata }), plan };
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}
