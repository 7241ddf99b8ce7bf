import { dirname } from 'node:path';
import type { TensorRTError } from '../../errors/error.js';
import { makeFolder } from '../../write-file.js';
import type { BuildReport, Handle } from '../binding.js';
import { binding } from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import { openEngine } from '../files/open.js';
import { readEngineFile } from '../files/read.js';
import { savePlan } from '../files/save.js';
import type { KeyParts } from './key.js';

/** What the cache keeps with an engine, beside the metadata of every container. */
export interface EntryHead extends Pick<BuildReport, 'log' | 'shapeInputs'> {
  key: string;
  parts: KeyParts;
  /** When it was built, as ISO 8601. */
  built: string;
  /** What building took, in ms. */
  buildMs: number;
}

/** An engine in a cache. Its file is a container; the user's metadata has the head. */
export interface Entry {
  head: EntryHead;
  metadata: EngineMetadata;
  plan: Handle;
  /** Of the plan. */
  bytes: number;
}

/** An entry that is not what was written. */
export class DamagedEntry extends Error {}

/** Writes an entry whole or not at all. @throws ERR_SAVE; Node's errors if the folder cannot be made */
export async function writeEntry(path: string, { head, metadata, plan, bytes }: Entry): Promise<void> {
  await makeFolder(dirname(path));
  await savePlan({ path, metadata: { ...metadata, user: { cache: head } } }, plan, bytes);
}

/**
 * Maps the plan of an entry, once it was compared with its checksums.
 * @returns undefined if there is none
 * @throws DamagedEntry; ERR_LOAD if it cannot be read
 */
export async function readEntry(path: string, key: string): Promise<Entry | undefined> {
  const opened = await openEngine(path).catch(orNone);
  if (!opened) return undefined;
  const { handle, metadata, plan } = opened;
  const head = headOf(metadata);
  if (head?.key === key) return { head, metadata: metadata!, plan: handle, bytes: plan.bytes };
  void binding().release(handle);
  throw new DamagedEntry(head ? `${path} is the entry of another engine` : `${path} is no entry of a cache`);
}

/** What an entry says of itself; its plan is not read. @throws as `readEntry` */
export async function describeEntry(path: string): Promise<Pick<Entry, 'head' | 'metadata'> | undefined> {
  const file = await readEngineFile(path).catch(orNone);
  if (!file) return undefined;
  const head = headOf(file.metadata);
  if (!head) throw new DamagedEntry(`${path} is no entry of a cache`);
  return { head, metadata: file.metadata! };
}

function headOf(metadata: EngineMetadata | undefined): EntryHead | undefined {
  const head = metadata?.user.cache as Partial<EntryHead> | undefined;
  const isWhole = typeof head?.key === 'string' && Array.isArray(head.log) && Array.isArray(head.shapeInputs);
  return isWhole ? (head as EntryHead) : undefined;
}

function orNone(error: TensorRTError): undefined {
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return;
  throw error.code === 'ERR_LOAD' ? error : new DamagedEntry(error.message);
}
