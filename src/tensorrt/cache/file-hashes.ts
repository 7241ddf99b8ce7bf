import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeFileWhole } from '../../write-file.js';
import { PieceHash, pieceBytes, sha256 } from './hashing.js';

/** The folder of remembered hashes, within that of the cache. */
export const hashFolder = 'hashes';
const suffix = '.json';
/** Versions of files whose hashes are remembered. */
const most = 500;
/** A file may be written to twice within the time by which its system counts, 2 s at most. */
const settledMs = 3000;

/** Where bytes lie in a version of a file. */
export interface FilePlace {
  /** `device:inode:size:written:changed`, times in nanoseconds. */
  identity: string;
  offset: number;
}

/** Of whole files, in this process, whatever the cache. */
const wholeFiles = new Map<string, string>();

interface Remembered {
  identity: string;
  /** By `offset+length`. */
  hashes: Record<string, string>;
}

/**
 * Hashes of parts of files, remembered by device, inode, size and times of writing and change, so that a file is read once. What
 * cannot be written is done without; what is damaged is forgotten.
 */
export class FileHashes {
  readonly #folder: string;
  readonly #known = new Map<string, Promise<Remembered>>();
  readonly #changed = new Set<string>();

  /** @param folder of the cache */
  constructor(folder: string) {
    this.#folder = join(folder, hashFolder);
  }

  /** The hash of bytes of a file, which `compute` finds if it is not known. */
  async of({ identity, offset }: FilePlace, length: number, compute: () => Promise<string>): Promise<string> {
    const { hashes } = await this.#load(identity);
    const key = `${offset}+${length}`;
    if (Object.hasOwn(hashes, key)) return hashes[key]!;
    const hash = await compute();
    if (isSettled(identity)) {
      hashes[key] = hash;
      this.#changed.add(identity);
    }
    return hash;
  }

  /** The hash of a whole file. @throws Node's errors if it cannot be read */
  async ofFile(path: string, check: () => void): Promise<string> {
    const stats = await stat(path, { bigint: true });
    const identity = identityOf(stats);
    const known = wholeFiles.get(identity);
    if (known !== undefined) return known;
    const hash = await this.of({ identity, offset: 0 }, Number(stats.size), () => hashFile(path, check));
    if (isSettled(identity)) wholeFiles.set(identity, hash);
    return hash;
  }

  /** Writes what is new. */
  async save(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    if (changed.length === 0) return;
    try {
      await makeFolder(this.#folder);
      for (const identity of changed) await this.#write(await this.#load(identity));
      await this.#removeOldest();
    } catch {
      // They are computed again.
    }
  }

  #load(identity: string): Promise<Remembered> {
    const known = this.#known.get(identity) ?? this.#read(identity);
    this.#known.set(identity, known);
    return known;
  }

  async #read(identity: string): Promise<Remembered> {
    const path = this.#pathOf(identity);
    try {
      const text = await readFile(path, 'utf8');
      const end = text.indexOf('\n');
      const [sum, rest] = [text.slice(0, end), text.slice(end + 1)];
      const remembered = sha256(rest) === sum ? (JSON.parse(rest) as Remembered) : undefined;
      if (remembered?.identity === identity) {
        const now = new Date();
        await utimes(path, now, now).catch(() => {});
        return remembered;
      }
    } catch {
      // There is none.
    }
    return { identity, hashes: {} };
  }

  /** With what others found since. */
  async #write({ identity, hashes }: Remembered): Promise<void> {
    const theirs = await this.#read(identity);
    const rest = JSON.stringify({ identity, hashes: { ...theirs.hashes, ...hashes } });
    const text = new TextEncoder().encode(`${sha256(rest)}\n${rest}`);
    await writeFileWhole(this.#pathOf(identity), (append) => append(text));
  }

  #pathOf(identity: string): string {
    return join(this.#folder, sha256(identity).slice(0, 32) + suffix);
  }

  async #removeOldest(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(suffix));
    if (names.length <= most) return;
    const paths = names.map((name) => join(this.#folder, name));
    const files = await Promise.all(
      paths.map(async (path) => ({ path, usedMs: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
    );
    files.sort((a, b) => b.usedMs - a.usedMs);
    for (const { path } of files.slice(Math.floor(most * 0.75))) await rm(path, { force: true });
  }
}

const identityOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':');

/** Whether a later write would show. */
function isSettled(identity: string): boolean {
  const times = identity
    .split(':')
    .slice(3)
    .map((time) => Number(time) / 1e6);
  return Date.now() - Math.max(...times) > settledMs;
}

async function hashFile(path: string, check: () => void): Promise<string> {
  const file = await open(path, constants.O_RDONLY);
  try {
    const hash = new PieceHash();
    for (let at = 0; ; ) {
      check();
      const piece = await readPiece(file, at);
      at += piece.length;
      if (piece.length > 0) await hash.add(piece, check);
      if (piece.length < pieceBytes) return await hash.digest();
    }
  } finally {
    await file.close();
  }
}

/** 4 MiB, or what is left. */
async function readPiece(file: FileHandle, position: number): Promise<Uint8Array> {
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < piece.length; ) {
    const { bytesRead } = await file.read(piece, at, piece.length - at, position + at);
    if (bytesRead === 0) return piece.subarray(0, at);
    at += bytesRead;
  }
  return piece;
}
