import { TensorRTError } from '../../errors/error.js';
import { binding, type Handle } from '../binding.js';
import { compareChecksums, partSize } from './container.js';
import { openFile, type ParsedEngine, parseEngine, unreadable } from './read.js';
import { damaged, type EngineSource } from './source.js';

/** An engine whose plan the addon has: mapped, or copied from memory. */
export interface OpenedEngine extends ParsedEngine {
  /** What errors call it. */
  name: string;
  handle: Handle;
}

/**
 * Maps the plan of an engine file; its bytes are read when they are needed. A container's checksums are compared first, by several threads.
 * @throws ERR_LOAD if the file cannot be read, ERR_ENGINE_FILE if it is damaged
 */
export async function openEngine(path: string): Promise<OpenedEngine> {
  const { file, source } = await openFile(path);
  try {
    const parsed = await parseEngine(source);
    // By descriptor: the path may lead to another file by now.
    const handle = binding().mapPlan(file.fd, parsed.plan.offset, parsed.plan.bytes);
    return await verified({ ...parsed, name: path, handle });
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}

/** The same for an engine in memory: the bytes are copied once, at the call. @throws ERR_ENGINE_FILE */
export async function openBytes(bytes: Uint8Array): Promise<OpenedEngine> {
  const addon = binding();
  const whole = addon.planOf(bytes);
  const source: EngineSource = {
    name: 'the engine',
    size: bytes.byteLength,
    read: async (offset, length) => new Uint8Array(addon.planView(whole, offset, length).slice(0)),
  };
  try {
    const parsed = await parseEngine(source);
    const handle = addon.planPart(whole, parsed.plan.offset, parsed.plan.bytes);
    return await verified({ ...parsed, name: source.name, handle });
  } finally {
    void addon.release(whole);
  }
}

async function verified(opened: OpenedEngine): Promise<OpenedEngine> {
  const { checksums, handle, name, plan } = opened;
  if (!checksums) return opened;
  try {
    compareChecksums(name, checksums, new Uint32Array(await binding().planChecksums(handle, partSize)), plan.bytes);
    return opened;
  } catch (error) {
    void binding().release(handle);
    if (error instanceof TensorRTError) throw error;
    throw damaged(name, (error as Error).message);
  }
}
