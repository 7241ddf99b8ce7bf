import { constants } from 'node:os';
import { reasonOf } from '../../write-file.js';
import type { BuildReport, Handle } from '../binding.js';
import type { EngineMetadata } from '../files/metadata.js';
import { evict, fileOf, lockOf, markUsed } from './entries.js';
import { type Entry, readEntry, writeEntry } from './entry.js';
import { FileHashes } from './file-hashes.js';
import { cacheLimit } from './folder.js';
import { type Ingredients, type KeyParts, keyOf, keyParts } from './key.js';
import { lock, unlock, type Waiting } from './lock.js';

/** A build that may be spared. */
export interface CachedBuild extends Waiting {
  /** Of the cache. */
  folder: string;
  ingredients: Ingredients;
  build(): Promise<BuildReport>;
  /** What an engine file says of such an engine. */
  describe(report: BuildReport): EngineMetadata | Promise<EngineMetadata>;
  /** Tells what the caller should know. */
  warn(message: string): void;
  /** Tells what happens. */
  note(message: string): void;
}

/** A report of a build, now or then. */
export interface FoundReport extends BuildReport {
  fromCache: boolean;
}

/** What was said in this process: faults of a folder last, and would be told at every build. */
const said = new Set<string>();

/** @internal For tests. */
export const forgetWhatWasSaid = (): void => said.clear();

/**
 * The engine from the cache, else what is built, which is then kept. Who wants the same at the same time waits for the first, in
 * whatever process or thread. A cache that cannot be used is done without, and damaged entries are built again; each is told once.
 * @throws what `build` and `check` throw
 */
export async function cachedBuild(request: CachedBuild): Promise<FoundReport> {
  const limit = cacheLimit();
  const parts = await partsOf(request);
  if (!parts) return builtNow(await request.build());
  return new Search(request, parts, limit).run();
}

const builtNow = (report: BuildReport): FoundReport => ({ ...report, fromCache: false });

async function partsOf({ folder, ingredients, check, warn }: CachedBuild): Promise<KeyParts | undefined> {
  const hashes = new FileHashes(folder);
  try {
    const parts = await keyParts(ingredients, hashes, check);
    await hashes.save();
    return parts;
  } catch (error) {
    check();
    tell(warn, `${folder} key`, `the cache is not used: ${reasonOf(error)}`);
    return undefined;
  }
}

function tell(warn: (message: string) => void, what: string, message: string): void {
  if (said.has(what)) return;
  said.add(what);
  warn(message);
}

/** Whether a file system has files but no locks. */
const cannotLock = (error: unknown): boolean =>
  [constants.errno.ENOLCK, constants.errno.ENOSYS, constants.errno.EOPNOTSUPP].includes(
    -(error as { errno?: number }).errno!,
  );

class Search {
  readonly #request: CachedBuild;
  readonly #parts: KeyParts;
  readonly #key: string;
  readonly #path: string;
  readonly #limit: number;

  constructor(request: CachedBuild, parts: KeyParts, limit: number) {
    this.#request = request;
    this.#parts = parts;
    this.#key = keyOf(parts);
    this.#path = fileOf(request.folder, this.#key);
    this.#limit = limit;
  }

  async run(): Promise<FoundReport> {
    const found = await this.#find(false);
    if (found) return found;
    const { held, isWritable } = await this.#lock();
    try {
      const found = await this.#find(true);
      if (found) return found;
      const report = await this.#request.build();
      if (isWritable) await this.#store(report);
      return builtNow(report);
    } finally {
      if (held) unlock(held);
    }
  }

  /** @param tells whether a damaged entry is told: who has the lock replaces it */
  async #find(tells: boolean): Promise<FoundReport | undefined> {
    const { check, note } = this.#request;
    try {
      const entry = await readEntry(this.#path, this.#key);
      if (!entry) return undefined;
      check();
      await markUsed(this.#request.folder, this.#key);
      note(`the engine is from the cache: ${this.#path}`);
      return reportOf(entry);
    } catch (error) {
      check();
      if (tells) this.#tell(`entry ${this.#path}`, `the engine is built again: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Without a lock two may build the same. */
  async #lock(): Promise<{ held?: Handle; isWritable: boolean }> {
    const { folder, signal, check, note } = this.#request;
    const onWait = () => note('the engine is being built elsewhere; waiting for it');
    try {
      return { held: await lock(lockOf(folder, this.#key), { signal, check, onWait }), isWritable: true };
    } catch (error) {
      check();
      const isWritable = cannotLock(error);
      const what = isWritable ? 'cannot be locked, so that an engine may be built twice' : 'is not written to';
      this.#tell('lock', `the cache in ${folder} ${what}: ${reasonOf(error)}`);
      return { isWritable };
    }
  }

  async #store(report: BuildReport): Promise<void> {
    const { folder, describe } = this.#request;
    const { plan, bytes = 0, log, shapeInputs } = report;
    if (!plan) return;
    if (bytes > this.#limit) {
      return this.#tell(
        'limit',
        `the engine is not kept: its ${bytes} bytes are more than the cache in ${folder} may take, ${this.#limit}`,
      );
    }
    try {
      const built = new Date().toISOString();
      const buildMs = Math.round(report.lowerMs + report.buildMs);
      const head = { key: this.#key, parts: this.#parts, built, buildMs, log, shapeInputs };
      await writeEntry(this.#path, { head, metadata: await describe(report), plan, bytes });
      await evict(folder, this.#limit, this.#key);
    } catch (error) {
      this.#tell('store', `the engine is not kept in ${folder}: ${reasonOf((error as Error).cause ?? error)}`);
    }
  }

  #tell(what: string, message: string): void {
    tell(this.#request.warn, `${this.#request.folder} ${what}`, message);
  }
}

const reportOf = ({ head, metadata, plan, bytes }: Entry): FoundReport => ({
  ...metadata.library!,
  plan,
  bytes,
  lowerMs: 0,
  buildMs: head.buildMs,
  log: head.log,
  shapeInputs: head.shapeInputs,
  options: metadata.options!,
  fromCache: true,
});
